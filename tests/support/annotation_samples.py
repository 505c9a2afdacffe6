"""Two photographs, and annotations of them imported by the real command."""

import numpy as np
from click.testing import CliRunner
from PIL import Image

from handforge.dataset import Dataset, check_image
from trainer.cli import main

WIDTH, HEIGHT = 80, 60
SQUARE = [10, 20, 30, 20, 30, 45, 10, 45]
OTHER = [50, 5, 70, 5, 70, 25, 50, 25]


def box(x0, y0, x1, y1):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return mask


IN_SQUARE, IN_OTHER = box(10, 20, 30, 45), box(50, 5, 70, 25)


def save(path, size=(WIDTH, HEIGHT), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (120, 130, 140)).save(path, **options)


def run(source, shots, out, *options):
    return CliRunner().invoke(main, ["import", "annotations", *map(str, (source, shots, out, *options))])


def imported(source, shots, *options):
    """The dataset, whose every record must hold, and what was said beside it."""
    out = shots.parent / "out"
    done = run(source, shots, out, *options)
    assert done.exit_code == 0, done.output
    dataset = Dataset(out)
    for image in dataset:
        assert check_image(dataset, image) == []
    return dataset, done.stderr


def refused(source, shots, *parts, options=()):
    done = run(source, shots, shots.parent / "out", *options)
    assert done.exit_code == 2, done.output
    assert len(done.stderr.strip().splitlines()) == 1 and all(part in done.stderr for part in parts), done.stderr
    assert not (shots.parent / "out").exists()


def hands(dataset, number=0):
    return dataset.masks(dataset.images[number])
