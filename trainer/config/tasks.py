"""What a network can be trained to tell of images, and what that is called in files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TaskName = Literal["segmentation", "detection", "keypoints", "semantic", "classification"]
_BOXES = ("loss_classifier", "loss_box_reg")
_PROPOSALS = ("loss_objectness", "loss_rpn_box_reg")


@dataclass(frozen=True)
class Task:
    """One task.

    :param model: its name in a checkpoint.
    :param losses: the parts of its loss, as torchvision calls them, in the order of ``losses.csv``.
    """

    model: str
    losses: tuple[str, ...]


TASKS: dict[TaskName, Task] = {
    "segmentation": Task("maskrcnn_fpn", (*_BOXES, "loss_mask", *_PROPOSALS)),  # Mask R-CNN: a mask of each object
    "detection": Task("fasterrcnn_fpn", (*_BOXES, *_PROPOSALS)),  # Faster R-CNN: a box of each object
    "keypoints": Task(
        "keypointrcnn_fpn", (*_BOXES, "loss_keypoint", *_PROPOSALS)
    ),  # Keypoint R-CNN: 21 joints of a hand
    "semantic": Task("deeplabv3", ("loss_semantic",)),  # DeepLabV3: the class of each pixel
    "classification": Task("classifier", ("loss_classification",)),  # the class of each whole image
}
WITH_MASKS = ("segmentation", "semantic")


def task_of(model: str) -> TaskName:
    """The task of a network by its name in a checkpoint.

    :raises KeyError: if there is none of that name.
    """
    return {task.model: name for name, task in TASKS.items()}[model]
