"""A small dataset of random images, each with a mask in two pieces with a hole."""

import json

import numpy as np

from handforge import dataset as ds


def two_pieces(height=40, width=60):
    mask = np.zeros((height, width), bool)
    mask[5:20, 7:30] = True
    mask[8:12, 10:20] = False  # a hole
    mask[30:35, 40:41] = True  # a second piece, one pixel wide
    return mask


def make(folder, frames=3, suffix="png"):
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    records = []
    for i in range(frames):
        image = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
        points = np.column_stack([rng.uniform(0, 60, 21), rng.uniform(0, 40, 21), rng.integers(0, 3, 21)])
        instance = ds.Instance(np.roll(two_pieces(), i, axis=1), points, "right")
        records.append(ds.write_sample(folder, ds.Sample(f"f{i}", image, (instance,), {"set": "l2"}), suffix))
    ds.assemble(folder, records, {"seed": 0})
    return folder


def edit(folder, change):
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
