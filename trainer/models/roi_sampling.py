"""RoI sampling: how many regions of interest of an image the heads are trained on, and how many of them are hands."""

from __future__ import annotations

from torch import nn
from torchvision.models.detection import FasterRCNN

from trainer.config.recipe import Session


def set_sampling(model: nn.Module, session: Session) -> None:
    """Set how many ROIs are sampled an image in this session, and what fraction of them on an object."""
    if isinstance(model, FasterRCNN):
        sampler = model.roi_heads.fg_bg_sampler
        sampler.batch_size_per_image, sampler.positive_fraction = session.rois_per_image, session.positive_fraction
