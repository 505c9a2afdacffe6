"""A trained network as a file of its own, or for other programs, checked against the original on an image."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torchvision.models.detection import FasterRCNN

from handforge.dataset import read_image
from handforge.files import require_space, require_writable, write_atomic
from handforge.text import counted
from trainer.config.description import NetworkDescription
from trainer.data.images import tensor
from trainer.errors import OutputError
from trainer.models import checkpoint, networks

TOLERANCE = {
    "boxes": 0.05,
    "labels": 0,
    "scores": 1e-3,
    "masks": 1e-2,
    "keypoints": 0.5,
    "keypoints_scores": 0.05,
    "classes": 1e-3,
    "probabilities": 1e-3,
}
"""How far both networks may differ: pixels of boxes and keypoints, fractions of scores, masks and classes."""
HALF_TOLERANCE = {
    "boxes": 0.5,
    "labels": 0,
    "scores": 5e-3,
    "masks": 0.05,
    "keypoints": 1.0,
    "keypoints_scores": 0.2,
    "classes": 0.02,
    "probabilities": 0.02,
}
"""The same where weights are rounded to float16."""
_REMEDY = "compare what is sure with --score 0.5, or on another --image, or train longer"
"""Of a network that is hardly trained many detections are as likely, and rounding changes which are kept."""
Outputs = dict[str, np.ndarray]


class _WithoutLosses(nn.Module):
    """What is exported: images in, what is found in each out, without the losses that TorchScript returns too."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        _, found = self.network(images)
        return found


class _WithoutLast(nn.Module):
    """A network whose outputs have one row more than they should, the last, without it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        return [{name: values[:-1] for name, values in found.items()} for found in self.network(images)]


def _never_without_regions(network: nn.Module) -> nn.Module:
    """Take one region more than is found through an R-CNN's mask or keypoint head: ONNX cannot reshape none at all."""
    if not isinstance(network, FasterRCNN):
        return network
    found = network.roi_heads.postprocess_detections

    def with_one_more(*given: Any) -> tuple[list[torch.Tensor], ...]:
        boxes, scores, labels = found(*given)
        return (
            [torch.cat([box, box.new_tensor([[0.0, 0.0, 1.0, 1.0]])]) for box in boxes],
            [torch.cat([score, score.new_zeros(1)]) for score in scores],
            [torch.cat([label, label.new_ones(1)]) for label in labels],
        )

    network.roi_heads.postprocess_detections = with_one_more
    return _WithoutLast(network)


def export_network(run: Path, kind: str, out: Path, image_file: Path, score: float = 0.05) -> str:
    """Write the network of ``run`` to ``out``, if what was written detects what the original detects.

    Both are run on the image and on a black one, in which nothing is found.

    :param kind: ``torchscript`` or ``onnx``.
    :returns: the differences in words.
    :raises OutputError: if it does not agree, or a package for it is missing; ``out`` is then not touched.
    :raises DatasetError: if the image is missing or damaged.
    """
    if out.is_dir() or not out.parent.is_dir():
        raise OutputError(f"{out} is a folder, or its folder does not exist; give a file in a folder that does")
    wanted = {"torchscript": ".pt", "onnx": ".onnx"}[kind]
    if out.suffix.lower() != wanted:
        raise OutputError(f"{out} does not end in {wanted}, as what --format {kind} writes")
    require_writable(out.parent)
    image = tensor(read_image(image_file))
    network, _ = networks.load(run, hooks=False)
    images = [image, torch.zeros_like(image)]
    require_space(out.parent, sum(t.nbytes for t in network.state_dict().values()), f"the network as {kind}")
    expected = _detected(network, images, score)
    content, found = _KINDS[kind](network, images, list(expected[0]))
    text, _ = (compare(one, other, f"{run} as {kind}") for one, other in zip(expected, found, strict=True))
    write_atomic(out, content)
    return f"{out}: {text}"


def export_half(run: Path, out: Path, image_file: Path, score: float = 0.05, **about: str | None) -> str:
    """Write the network of ``run`` as float16 weights with the description beside them, as networks are passed on.

    Vectors, as the norms' statistics, stay float32: they are few, and rounding them costs most.

    :param out: the ``.safetensors`` file; its ``.json`` is written, too.
    :param about: texts that the description has beside what it says anyway: ``license``, ``about``.
    :returns: the differences on the image in words.
    :raises OutputError: if ``out`` cannot be written, or the written network does not detect what the original does;
        ``out`` is then not touched.
    """
    if out.suffix != ".safetensors" or not out.parent.is_dir():
        raise OutputError(f"{out} is no .safetensors file in a folder that exists")
    require_writable(out.parent)
    network, description = networks.load(run)
    images = [image := tensor(read_image(image_file)), torch.zeros_like(image)]
    weights = {name: value.half() if value.dim() > 1 else value for name, value in network.state_dict().items()}
    with tempfile.TemporaryDirectory(".tmp", f".{out.name}.", out.parent) as folder:
        file = Path(folder) / out.name
        stated = {**description, **{key: text for key, text in about.items() if text}}
        checkpoint.write_network(file, weights, cast("NetworkDescription", stated))
        expected, found = (_detected(one, images, score) for one in (network, networks.load(file)[0]))
        what = f"{run} in float16"
        text, _ = (compare(a, b, what, HALF_TOLERANCE) for a, b in zip(expected, found, strict=True))
        size = file.stat().st_size / 2**20
        file.replace(out)
        file.with_suffix(".json").replace(out.with_suffix(".json"))
    return f"{out} and {out.with_suffix('.json').name}, {size:.1f} MB: {text}"


def _detected(network: nn.Module, images: list[torch.Tensor], score: float) -> list[Outputs]:
    networks.set_score(network, score)
    with torch.inference_mode():
        return [{name: value.numpy() for name, value in network([image])[0].items()} for image in images]


def _torchscript(network: nn.Module, images: list[torch.Tensor], names: list[str]) -> tuple[bytes, list[Outputs]]:
    buffer = io.BytesIO()  # a full disk would end the process when torch writes to it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and its networks return losses too, as we know
        torch.jit.save(torch.jit.script(_WithoutLosses(network)), buffer)
        with torch.inference_mode():
            written = torch.jit.load(io.BytesIO(buffer.getvalue()))
            found = [written([image])[0] for image in images]
    return buffer.getvalue(), [{name: outputs[name].numpy() for name in names} for outputs in found]


def _onnx(network: nn.Module, images: list[torch.Tensor], names: list[str]) -> tuple[bytes, list[Outputs]]:
    buffer: Any = io.BytesIO()  # torch takes it, its types do not say so
    try:
        import onnx  # noqa: F401 - torch's exporter needs it, and says so less well
        import onnxruntime
    except ImportError as error:
        raise OutputError(f"ONNX needs the package {error.name}; pip install 'handforge[onnx]'") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of everything that depends on the image's size
        # The exporter by tracing: torchvision's networks are made for it.
        options: dict[str, Any] = {"input_names": ["image"], "output_names": names, "opset_version": 17}
        torch.onnx.export(_never_without_regions(network), ([images[0]],), buffer, dynamo=False, **options)
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3  # it warns of every mask that is put beside the others
    session = onnxruntime.InferenceSession(buffer.getvalue(), quiet, providers=["CPUExecutionProvider"])
    outputs = [session.run(names, {"image": image.numpy()}) for image in images]
    return buffer.getvalue(), [dict(zip(names, values, strict=True)) for values in outputs]


_KINDS: dict[str, Callable[[nn.Module, list[torch.Tensor], list[str]], tuple[bytes, list[Outputs]]]] = {
    "torchscript": _torchscript,
    "onnx": _onnx,
}


def compare(expected: Outputs, found: Outputs, what: str, tolerance: dict[str, float] = TOLERANCE) -> str:
    """How far two networks differ on an image, in words.

    :raises OutputError: if they detect another number of hands, or differ by more than ``tolerance``.
    """
    for name, values in expected.items():
        if values.shape != found[name].shape:
            raise OutputError(
                f"{what} does not agree with the network, as it finds {len(found[name])} in place of {len(values)}; "
                f"{_REMEDY}"
            )
    compared = [name for name in expected if name in tolerance]
    most = {name: float(np.abs(expected[name] - found[name]).max(initial=0)) for name in compared}
    differing = [f"{name} by {most[name]:.2g}" for name in compared if not most[name] <= tolerance[name]]
    if differing:
        raise OutputError(f"{what} does not agree with the network: {', '.join(differing)}; {_REMEDY}")
    hands = f"{counted(len(expected['scores']), 'hand')}, " if "scores" in expected else ""
    return f"agrees with the network; {hands}largest differences: " + ", ".join(f"{n} {v:.2g}" for n, v in most.items())
