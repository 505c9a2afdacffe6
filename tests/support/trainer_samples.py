"""Small datasets and recipes for the trainer's tests.

The backbone is timm's ``test_resnet``: a ResNet of half a million weights, which a training step of a test writes and
reads many times.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from handforge.dataset import Category, Instance, Sample, assemble, write_sample
from trainer.cli import main
from trainer.config import recipe_file
from trainer.loop import repetition
from trainer.models import checkpoint, networks

torch.set_num_threads(1)  # networks this small are fastest so, also where other processes are busy

TINY = """
subsets = 2
[network]
backbone = "test_resnet"
init = "none"
channels = 16
representation_size = 16
[images]
min_size = 64
max_size = 96
augmentation = "studio"
[session]
steps = 4
batch = 1
rois_per_image = 8
lr = 0.01
warmup_steps = 2
[[sessions]]
trainable_layers = ["all", "3+"]
"""


def blob(size_wh: tuple[int, int], center: tuple[float, float], radius: float) -> np.ndarray:
    """A (H, W) bool disc."""
    y, x = np.mgrid[: size_wh[1], : size_wh[0]]
    return (x - center[0]) ** 2 + (y - center[1]) ** 2 <= radius**2


def ring(center: tuple[float, float], radius: float) -> np.ndarray:
    """21 visible keypoints, (21, 3), evenly on a circle."""
    angle = np.linspace(0, 2 * np.pi, 21, endpoint=False)
    return np.stack([center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle), np.full(21, 2)], 1)


def write_blobs(
    folder: Path, count: int = 6, size_wh: tuple[int, int] = (160, 120), hands: int = 1, joints: bool = False
) -> Path:
    """A dataset of skin-coloured discs on white; disc h of image i has its own place and size.

    With ``joints``, the 21 keypoints of a disc lie on a ring of half its radius.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    records = []
    for index in range(count):
        rng = np.random.default_rng([7, index])
        image = np.full((size_wh[1], size_wh[0], 3), 255, np.uint8)
        instances = []
        for hand in range(hands):
            place = ((hand + 0.5) * size_wh[0] / hands + rng.uniform(-8, 8), size_wh[1] / 2 + rng.uniform(-10, 10))
            radius = rng.uniform(18, 28)
            mask = blob(size_wh, place, radius)
            image[mask] = (200, 150, 120)
            instances.append(Instance(mask, ring(place, radius / 2) if joints else None))
        records.append(write_sample(folder, Sample(f"blob{index:03d}", image, tuple(instances))))
    assemble(folder, records, {"made_by": "test"})
    return folder


def write_recipe(path: Path, text: str = TINY) -> Path:
    """A recipe file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def untrained(folder: Path, task: str = "segmentation", backbone: str = "test_resnet") -> Path:
    """A folder with an untrained network for a task; with scores around a half it "finds" plenty."""
    folder.mkdir(exist_ok=True)
    text = TINY.replace("[network]", f'[network]\ntask = "{task}"').replace("test_resnet", backbone)
    tiny = recipe_file.load(str(write_recipe(folder / "tiny.toml", text)))
    description = {
        "architecture": networks.architecture(tiny.network).to_json(),
        "images": {"min_size": 64, "max_size": 96, "augmentation": "none"},
        "sessions": [],
    }
    state = networks.start(tiny.network, tiny.images, seed=0).state_dict()
    checkpoint.write_network(folder / "network.safetensors", state, description)
    return folder


def invoke(*words: object) -> Result:
    """Run a command of hand-trainer in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def repeat(recipe: object, data: object, out: object, *more: object) -> Result:
    """Train by repetition on the CPU."""
    return invoke("repeat", "--recipe", recipe, "--data", data, "--out", out, "--device", "cpu", *more)


@contextmanager
def stopped_after(step: int, session: int = 1) -> Iterator[None]:
    """Ctrl-C in every training once this step of a session is done; the state is written at each step."""
    add_row = repetition.RunFolder.add_row

    def stopping(self: repetition.RunFolder, row: dict[str, float]) -> None:
        add_row(self, row)
        if (row["session"], row["step"]) == (session, step):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repetition, "STATE_EVERY_STEPS", 1)
        patch.setattr(repetition.RunFolder, "add_row", stopping)
        yield


def edit_annotations(folder: Path, change) -> None:
    """Let ``change`` alter what ``annotations.json`` holds."""
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def refused(result, *parts: str) -> None:
    """A command's wrong input ends with one line with these parts, after what was progress, and exit code 2."""
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert lines[-1].startswith("Error: ") and not any("Traceback" in line or "Error" in line for line in lines[:-1])
    for part in parts:
        assert part in lines[-1]


def write_shapes(folder: Path, ids: dict[str, int], count: int = 4, crowds: tuple[str, ...] = ()) -> Path:
    """A dataset of 160x120 images, each with a coloured disc of every category, side by side on white.

    :param ids: the categories' ids by name; ``unused`` is listed, but no image has one.
    :param crowds: the categories whose annotations are crowds.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    records, names = [], [name for name in ids if name != "unused"]
    listed = [Category(number, name) for name, number in ids.items()]
    for index in range(count):
        rng = np.random.default_rng([8, index])
        image, instances = np.full((120, 160, 3), 255, np.uint8), []
        for place, name in enumerate(names):
            center = ((place + 0.5) * 160 / len(names) + rng.uniform(-5, 5), 60 + rng.uniform(-10, 10))
            mask = blob((160, 120), center, rng.uniform(16, 22))
            image[mask] = ((220, 40, 40), (40, 60, 220), (40, 180, 60))[place]
            instances.append(Instance(mask, category=name, crowd=name in crowds))
        records.append(write_sample(folder, Sample(f"shapes{index:03d}", image, tuple(instances)), categories=listed))
    assemble(folder, records, {"made_by": "test"}, categories=listed)
    return folder
