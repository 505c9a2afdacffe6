"""Small photographs and annotation files for the tests of the importers."""

import json

import numpy as np
from click.testing import CliRunner
from PIL import Image

from handforge.dataset import Dataset, check_image, encode_mask
from trainer.cli import main

SIZE = (80, 60)
SQUARE = [(10, 20), (30, 20), (30, 45), (10, 45)]
"""x, y; as COCO counts, it covers columns 10 to 29 and rows 20 to 44."""


def run(*words):
    return CliRunner().invoke(main, ["import", *map(str, words)])


def imported(out):
    """The dataset, whose every record must hold."""
    dataset = Dataset(out)
    for image in dataset:
        assert check_image(dataset, image) == []
    return dataset


def refused(done, *parts):
    assert done.exit_code == 2, done.output
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    for part in parts:
        assert part in lines[0]


def square_mask(points=SQUARE):
    (left, top), (right, bottom) = points[0], points[2]
    mask = np.zeros(SIZE[::-1], bool)
    mask[top:bottom, left:right] = True
    return mask


def write_image(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (120, 130, 140)).save(path)


# ---------------------------------------------------------------- annotations that people drew


def coco(path):
    mask = {"size": [SIZE[1], SIZE[0]], "counts": encode_mask(square_mask())["counts"]}
    flat = [float(v) for point in SQUARE for v in point]
    instances = [(1, 7, [flat]), (2, 7, mask), (2, 3, [[0, 0, 5, 0, 5, 5]])]
    content = {
        "images": [{"id": i, "file_name": f"shot_{i}.jpg", "width": 80, "height": 60} for i in (1, 2)],
        "categories": [{"id": 7, "name": "hand"}, {"id": 3, "name": "cup"}],
        "annotations": [
            {"id": n, "image_id": image, "category_id": kind, "segmentation": code}
            for n, (image, kind, code) in enumerate(instances, start=1)
        ],
    }
    path.write_text(json.dumps(content))
    return path


def cvat(path):
    points = ";".join(f"{x:.2f},{y:.2f}" for x, y in SQUARE)
    rle = ",".join(["0", str(20 * 25)])
    path.write_text(
        f"""<?xml version="1.0"?><annotations><version>1.1</version>
        <image id="0" name="shot_1.jpg" width="80" height="60"><polygon label="hand" points="{points}"/></image>
        <image id="1" name="shot_2.jpg" width="80" height="60">
          <mask label="hand" rle="{rle}" left="10" top="20" width="20" height="25"/>
          <polygon label="cup" points="0,0;5,0;5,5"/></image></annotations>"""
    )
    return path


def labelme(path):
    path.mkdir()
    for i in (1, 2):
        shapes = [{"label": "hand", "points": [list(map(float, p)) for p in SQUARE], "shape_type": "polygon"}]
        content = {"version": "5", "shapes": shapes, "imagePath": f"..\\shots\\shot_{i}.jpg", "imageData": None}
        (path / f"shot_{i}.json").write_text(json.dumps(content))
    return path
