"""The network of each task on a backbone, and where its weights start.

Segmentation, detection and keypoints are torchvision's Mask, Faster and Keypoint R-CNN with an FPN. From scratch
everything but the RPN normalises by groups, with the box head of four convolutions that torchvision's second version
has (batch statistics of two images do not train, and heads without a norm learn several times slower). With
pretrained weights it is torchvision's first version: BatchNorm whose statistics stand still, as in Matterport's.
Semantic segmentation is :mod:`trainer.models.semantic`, classification :mod:`trainer.models.classifier`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN, KeypointRCNN, MaskRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import (
    FasterRCNN_ResNet50_FPN_Weights,
    FastRCNNConvFCHead,
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.keypoint_rcnn import (
    KeypointRCNN_ResNet50_FPN_Weights,
    KeypointRCNNHeads,
    KeypointRCNNPredictor,
)
from torchvision.models.detection.mask_rcnn import MaskRCNN_ResNet50_FPN_Weights, MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.segmentation import DeepLabV3_ResNet50_Weights
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.poolers import initLevelMapper

from handforge.dataset import KEYPOINTS, Category
from trainer.config import categories
from trainer.config.description import Architecture, NetworkDescription
from trainer.config.recipe import ImageSettings, Network
from trainer.config.tasks import TASKS, task_of
from trainer.errors import RecipeError, WeightsError
from trainer.models import backbones, checkpoint
from trainer.models.classifier import Classifier
from trainer.models.foreign_weights import read_foreign
from trainer.models.layer_freezing import HEADS
from trainer.models.roi_align_cpu import RoIAlign
from trainer.models.semantic import DeepLabV3, Semantic
from trainer.weights import weights_path

PROPOSALS = 500
"""Proposals an image that a network from scratch samples its ROIs from; torchvision has 2000 a level."""
TEST_PROPOSALS = 50
"""Proposals an image that objects are detected among; with 200, prediction takes half as long again and detects the
same (docs/experiments/cost_of_imagenet.md)."""
COCO_WEIGHTS = {
    "segmentation": MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
    "detection": FasterRCNN_ResNet50_FPN_Weights.COCO_V1,
    "keypoints": KeypointRCNN_ResNet50_FPN_Weights.COCO_V1,
    "semantic": DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1,
}


def architecture(network: Network, learned: Sequence[Category] | None = None) -> Architecture:
    """The architecture that a recipe asks for.

    :param learned: the categories of its classes; None: the hand's, as the recipe's ``category`` says.
    """
    learned = learned or (categories.built_in(network.category),)
    mean, std = backbones.input_statistics(network.backbone)
    norm, head_norm = _norms(network)
    return Architecture(
        model=TASKS[network.task].model,
        backbone=network.backbone,
        norm=norm,
        head_norm=head_norm,
        channels=network.channels,
        representation_size=network.representation_size,
        canonical_scale=network.canonical_scale,
        classes=[category.name for category in learned],
        keypoints=len(learned[0].keypoints) or len(KEYPOINTS),
        mean=mean,
        std=std,
    )


def _norms(network: Network) -> tuple[Literal["group", "frozen_batch"], Literal["group", "none"]]:
    """The norms of body and heads."""
    if network.init == "none":
        return "group", "group"
    if network.init == "imagenet":
        return "frozen_batch", "group"
    if network.init != "coco" and checkpoint.is_ours(path := weights_path(network.init, network.category)):
        source = architecture_of(checkpoint.read_description(path))
        return source.norm, source.head_norm
    return "frozen_batch", "none"  # torchvision's own networks


def architecture_of(description: NetworkDescription) -> Architecture:
    """The architecture of a network that is described."""
    return Architecture.from_json(description["architecture"])


def difference(source: Architecture, target: Architecture, free: Sequence[str] = ()) -> str:
    """In which values two architectures differ, in words, but for those named in ``free``; empty if in none."""
    there, here = source.to_json(), target.to_json()
    differs = [key for key in here if key not in free and there[key] != here[key]]
    return ", ".join(f"{key} {there[key]} (here {here[key]})" for key in differs)


def build(arch: Architecture, settings: ImageSettings, hooks: bool = True) -> FasterRCNN | Semantic | Classifier:
    """A network of the given architecture with fresh weights (drawn from torch's generator).

    Test settings are Matterport's where the paper's numbers depend on them: NMS at IoU 0.3; the score threshold is
    low (0.05) because every reader of results sets its own.

    :param settings: what its images are scaled to.
    :param hooks: with what training and half precision need, and TorchScript cannot compile.
    """
    channels, units, classes = arch.channels, arch.representation_size, len(arch.classes)
    task = task_of(arch.model)
    transform = {
        "min_size": settings.min_size,
        "max_size": settings.max_size,
        "image_mean": list(arch.mean),
        "image_std": list(arch.std),
    }
    body, widths = backbones.build_body(arch.backbone, arch.norm, dilated=task == "semantic")
    if task == "semantic":
        return DeepLabV3(body, widths[-1], channels, classes, **transform)
    if task == "classification":
        return Classifier(body, widths[-1], classes, **transform)
    scratch = backbones.group_norm if arch.head_norm == "group" else None
    backbone = BackboneWithFPN(body, body.return_layers, widths, channels, norm_layer=scratch)
    backbone.body = body  # and not torchvision's own around it
    convolved = FastRCNNConvFCHead((channels, 7, 7), [channels] * 4, [units], norm_layer=scratch)
    network = {"segmentation": MaskRCNN, "detection": FasterRCNN, "keypoints": KeypointRCNN}[task]
    model = network(
        backbone,
        num_classes=None,
        **transform,
        box_head=convolved if scratch else TwoMLPHead(channels * 7 * 7, units),
        box_predictor=FastRCNNPredictor(units, classes + 1),
        box_roi_pool=_pool(7, arch.canonical_scale, quick=hooks),
        **_second_head(task, channels, classes, arch.keypoints, scratch),
        **_second_pool(task, arch.canonical_scale, quick=hooks),
        box_nms_thresh=0.3,
        box_score_thresh=0.05,
        rpn_pre_nms_top_n_train=PROPOSALS if scratch else 2000,
        rpn_post_nms_top_n_train=PROPOSALS if scratch else 2000,
        rpn_pre_nms_top_n_test=500,
        rpn_post_nms_top_n_test=TEST_PROPOSALS,
    )
    if hooks:
        _hook(model, task)
    return model


def _pool(side: int, canonical_scale: int, quick: bool) -> MultiScaleRoIAlign:
    """What reads regions from the pyramid.

    :param quick: ours, which TorchScript cannot compile.
    """
    strides = backbones.STRIDES
    kind = RoIAlign if quick else MultiScaleRoIAlign
    pool = kind([str(level) for level in range(len(strides))], side, 2, canonical_scale=canonical_scale)
    # Left alone, a pool guesses these from the first image it sees, wrongly if that is narrow, and keeps them.
    pool.scales = [1 / stride for stride in strides]
    low, high = (int(math.log2(stride)) for stride in (strides[0], strides[-1]))
    pool.map_levels = initLevelMapper(low, high, pool.canonical_scale, pool.canonical_level)
    return pool


def _second_pool(task: str, canonical_scale: int, quick: bool) -> dict[str, MultiScaleRoIAlign]:
    """The pool of the head beside the box head, by the words of torchvision's networks."""
    words = {"segmentation": "mask_roi_pool", "keypoints": "keypoint_roi_pool"}
    return {words[task]: _pool(14, canonical_scale, quick)} if task in words else {}


def _hook(model: FasterRCNN, task: str) -> None:
    # Under autocast these yield bfloat16, and torchvision would compute boxes and joints in it, to the nearest 1 or 2
    # pixels.
    predictors = [model.rpn.head, model.roi_heads.box_predictor, model.roi_heads.keypoint_predictor]
    for predictor in filter(None, predictors):
        predictor.register_forward_hook(_to_float32)
    if task == "keypoints":  # torchvision's loss takes views of its logits, which channels_last does not allow
        model.roi_heads.keypoint_predictor.register_forward_hook(_in_a_row)


def _in_a_row(module: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
    return output.contiguous()


def _second_head(task: str, channels: int, classes: int, keypoints: int, scratch: Any) -> dict[str, Any]:
    """The head beside the box head, by the words of torchvision's networks."""
    if task == "segmentation":
        return {
            "mask_head": MaskRCNNHeads(channels, (channels,) * 4, 1, norm_layer=scratch),
            "mask_predictor": MaskRCNNPredictor(channels, channels, classes + 1),
        }
    if task == "keypoints":
        widths = (2 * channels,) * 8
        # Mask R-CNN's head is the same row of convolutions, and can have norms between them.
        head = (
            MaskRCNNHeads(channels, widths, 1, norm_layer=scratch) if scratch else KeypointRCNNHeads(channels, widths)
        )
        return {"keypoint_head": head, "keypoint_predictor": KeypointRCNNPredictor(widths[-1], keypoints)}
    return {}


def _to_float32(module: nn.Module, inputs: Any, outputs: Any) -> Any:
    if isinstance(outputs, torch.Tensor):
        return outputs.float()
    return type(outputs)(_to_float32(module, inputs, output) for output in outputs)


def start(
    network: Network, settings: ImageSettings, seed: int, learned: Sequence[Category] | None = None
) -> FasterRCNN | Semantic | Classifier:
    """A network as the recipe's ``init`` says, on the CPU; what is not loaded is drawn from ``seed``.

    :param learned: as :func:`architecture`.
    :raises WeightsError: if weights are not there, cannot be fetched, or belong to another architecture.
    """
    arch = architecture(network, learned)
    torch.manual_seed(seed)
    model = build(arch, settings)
    if network.init == "imagenet":
        backbones.load_imagenet(backbones.body_of(model), network.backbone)
    elif network.init == "coco":
        _load(model, _as_ours(_fetch(COCO_WEIGHTS[network.task])), "COCO weights", skip=_OTHER_CLASSES)
    elif network.init != "none":
        _load_file(model, weights_path(network.init, network.category), arch)
    return model


def imagenet_body(arch: Architecture) -> dict[str, torch.Tensor]:
    """The ImageNet weights of an architecture's backbone, by their names in the network.

    :raises WeightsError: if there are none for it, or they can neither be found nor fetched.
    """
    if arch.norm == "group":
        raise WeightsError("a share of ImageNet's weights is for networks that start from these, not from scratch")
    body, _ = backbones.build_body(arch.backbone, arch.norm, dilated=task_of(arch.model) == "semantic")
    backbones.load_imagenet(body, arch.backbone)
    return {f"backbone.body.{name}": value for name, value in body.state_dict().items() if value.is_floating_point()}


def mix(model: nn.Module, others: Mapping[str, torch.Tensor], fraction: float) -> None:
    """Replace the weights that ``others`` names by ``fraction`` of them and the rest of the network's own."""
    state = model.state_dict()
    with torch.no_grad():
        for name, value in others.items():
            state[name].lerp_(value.to(state[name]), fraction)


_OTHER_CLASSES = (
    *("roi_heads.box_predictor.", "roi_heads.mask_predictor.mask_fcn_logits.", "roi_heads.keypoint_predictor."),
    *("classifier.", "aux_classifier.", "num_batches_tracked"),
)
"""What of torchvision's own weights does not fit: the last layers know other classes and joints. Of DeepLabV3 it is the
whole head, whose norm is another."""

_CLASS_LAYERS = (
    *("roi_heads.box_predictor.", "roi_heads.mask_predictor.mask_fcn_logits."),
    *("classifier.4.", "classifier.logits."),
)
"""The layers that have an output a class."""

_SECOND_HEADS = ("roi_heads.mask_", "roi_heads.keypoint_")
"""What the R-CNNs of two tasks do not have in common."""


def _as_ours(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename the ResNet of torchvision's DeepLabV3, which is the backbone, where ours is the backbone's body."""
    if "backbone.conv1.weight" not in state:
        return state
    return {name.replace("backbone.", "backbone.body.", 1): tensor for name, tensor in state.items()}


def _fetch(weights: Any) -> dict[str, torch.Tensor]:
    try:
        return backbones.fetch(weights.url)
    except (URLError, OSError, RuntimeError) as error:
        raise WeightsError(
            f"the pretrained weights {weights} cannot be fetched ({error}); go online once, put the file "
            f"{Path(weights.url).name} into {Path(torch.hub.get_dir()) / 'checkpoints'}, or use --init none or a file"
        ) from None


def _load_file(model: nn.Module, path: Path, arch: Architecture) -> None:
    if checkpoint.is_ours(path):
        source = architecture_of(checkpoint.read_description(path))
        apart = _apart(task_of(source.model), task_of(arch.model))
        # What a network's masks cover may change: the weights have the same shapes, and it learns it. With another
        # number of classes, or of keypoints, the last layers start anew.
        free: tuple[str, ...] = ("classes", "keypoints", *(("model",) if apart else ()))
        if apart == HEADS:
            free += ("channels", "representation_size", "canonical_scale", "head_norm")
        renewed = _last_layers(source, arch)
        if differing := difference(source, arch, free):
            raise WeightsError(
                f"{path} holds a network of another architecture: {differing}; give the recipe's [network] its values, "
                f"or train it on with handforge fine-tune --init"
            )
        _load(model, checkpoint.read_weights(path), str(path), skip=(*apart, *renewed))
    else:
        _load(model, _as_ours(read_foreign(path)), str(path), skip=_OTHER_CLASSES)


def _last_layers(source: Architecture, target: Architecture) -> tuple[str, ...]:
    """The last layers that are not taken over, since they know another number of classes or keypoints."""
    return (
        *(_CLASS_LAYERS if len(source.classes) != len(target.classes) else ()),
        *(("roi_heads.keypoint_predictor.",) if source.keypoints != target.keypoints else ()),
    )


def _apart(source: str, target: str) -> tuple[str, ...]:
    """What is not taken over from a network of another task; nothing where the task is the same or all else differs."""
    if source != target and "classification" in (source, target):
        return HEADS
    if source == target or "semantic" in (source, target):
        return ()
    return _SECOND_HEADS


def _load(module: nn.Module, state: dict[str, torch.Tensor], what: str, skip: tuple[str, ...] = ()) -> None:
    """Load what the module needs; only names that begin or end with one of ``skip`` may be missing or left over.

    torchvision's own files have names from before its layers were renamed, which its modules know how to load.
    """

    def skipped(name: str) -> bool:
        return name.startswith(skip) or name.endswith(skip)

    skip = (*skip, "num_batches_tracked")  # counts batches; older networks have none
    state, own = {name: tensor for name, tensor in state.items() if not skipped(name)}, module.state_dict()
    wrong = [name for name in state if name in own and own[name].shape != state[name].shape]
    if not wrong:
        try:
            missing, left = module.load_state_dict(state, strict=False)
        except RuntimeError as error:  # shapes of renamed layers
            raise WeightsError(f"{what} is of another architecture: {str(error).splitlines()[-1].strip()}") from None
        wrong = [name for name in missing if not skipped(name)] + left
    if wrong:
        raise WeightsError(f"{what} is of another architecture: {wrong[0]} and {len(wrong) - 1} more do not fit")


def load(path: Path, hooks: bool = True) -> tuple[FasterRCNN | Semantic | Classifier, NetworkDescription]:
    """A trained network from a run folder or a ``.safetensors`` file, in eval mode, and its description.

    :param hooks: as :func:`build`.
    :raises CheckpointError: if a file is missing or damaged, or describes a network that cannot be built.
    :raises WeightsError: if the weights do not fit it.
    """
    description = checkpoint.read_description(path)
    model = build(architecture_of(description), ImageSettings(**description["images"]), hooks)
    _load(model, checkpoint.read_weights(path), str(path))
    return model.eval(), description


def categories_of(description: NetworkDescription) -> tuple[Category, ...]:
    """The categories of a network's classes; older descriptions only name them.

    :raises WeightsError: if they are not in our form, or not those of the classes.
    """
    names = description["architecture"]["classes"]
    try:
        if "categories" not in description:
            return tuple(categories.built_in(name) for name in names)
        found = categories.from_json(description["categories"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"the network's categories are damaged ({error!r})") from None
    if [category.name for category in found] != names:
        raise WeightsError(f"the network's categories are not those of its classes {names}")
    return found


def set_size(model: nn.Module, min_size: int, max_size: int) -> None:
    """Scale images so that their sides are at most these before anything else."""
    transform: Any = model.transform
    transform.min_size, transform.max_size = (min_size,), max_size


def set_score(model: nn.Module, score: float) -> None:
    """Leave detections below a score out, where a network detects objects and does not classify pixels or images."""
    if isinstance(model, FasterRCNN):
        model.roi_heads.score_thresh = score


def pick_device(name: str) -> str:
    """A device that is there; ``auto`` is the first GPU, or else the CPU.

    :raises RecipeError: if the named one is not there, or cannot be computed with.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    there = f"there {'are' if gpus else 'is'} {', '.join(['cpu', *gpus])}"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):  # its text lists all kinds that torch knows
        raise RecipeError(f"there is no device {name!r}; {there}") from None
    try:
        torch.empty(1, device=device).cpu()  # of "meta" nothing comes back
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"the device {name!r} cannot be used ({str(error).splitlines()[0]}); {there}") from None
    return name


def best_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the processor computes with it, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    told = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}  # older releases do not say
    supported = torch.backends.cpu.get_cpu_capability() == "AVX512" and told.get("avx512_bf16", False)
    return torch.bfloat16 if supported else torch.float32


def for_training(model: nn.Module, device: torch.device) -> nn.Module:
    """The network on a device, its weights laid out so that steps are fastest.

    That is channels_last, but not for float32 on a CPU: there oneDNN takes twice as long for the gradients of weights.
    """
    slow = device.type == "cpu" and best_precision(device) == torch.float32
    return model.to(device).to(memory_format=torch.contiguous_format if slow else torch.channels_last)


def for_prediction(model: nn.Module, device: torch.device, precision: torch.dtype) -> nn.Module:
    """The network on a device, changed so that predictions with autocast to ``precision`` are fastest.

    BatchNorms are folded into the convolutions before them. Weights that autocast would convert for every image are
    converted once, to the same numbers.
    """
    backbones.fold_batch_norms(model.eval())
    model = model.to(device).to(memory_format=torch.channels_last)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            module.to(precision)
    return model
