"""Annotations of LabelMe: shapes of every kind, groups and painted masks are read as it means them, or refused."""

import base64
import io
import json
import struct
import tracemalloc
import zlib

import numpy as np
from annotation_samples import HEIGHT, IN_OTHER, IN_SQUARE, OTHER, SQUARE, WIDTH, hands, imported, refused, save
from PIL import Image
from trainer_samples import blob

from handforge.dataset.importers.annotated import Notes
from handforge.dataset.importers.annotations import read_annotations


def labelme(folder, name, *shapes, size=(WIDTH, HEIGHT)):
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "version": "5.4",
        "shapes": list(shapes),
        "imagePath": name,
        "imageWidth": size[0],
        "imageHeight": size[1],
    }
    (folder / f"{name.rsplit('/', 1)[-1].split('.')[0]}.json").write_text(json.dumps(content))
    return folder


def shape(kind, points, **more):
    return {"label": "hand", "shape_type": kind, "points": points, "group_id": None, **more}


def painted(mask):
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_labelme_masks_circles_and_rectangles(tmp_path, shots):
    small = blob((20, 16), (9, 8), 6)
    shapes = [
        shape("mask", [[40, 30], [59, 45]], mask=painted(small)),
        shape("circle", [[20, 20], [30, 20]]),
        shape("rectangle", [[5, 5], [15, 15]]),
        {**shape("line", [[0, 0], [9, 9]]), "label": "wire"},
        shape("point", [[3, 3]]),
    ]
    dataset, said = imported(labelme(tmp_path / "labels", "a.jpg", *shapes), shots)
    mask, circle = hands(dataset)
    assert (mask[30:46, 40:60] == small).all() and mask.sum() == small.sum()
    assert abs(circle.sum() - np.pi * 100) < 6 and circle[20, 20]
    assert "left out: objects with a box alone" in said and "left out: shapes of the kind point: 1" in said


def test_labelme_in_folders_and_groups(tmp_path, shots):
    (tmp_path / "shots/deep").mkdir()
    save(tmp_path / "shots/deep/c.jpg")
    two = [shape("polygon", np.reshape(p, (-1, 2)).tolist(), group_id=4) for p in (SQUARE, OTHER)]
    dataset, _ = imported(labelme(tmp_path / "labels/deep", "../shots/deep/c.jpg", *two), shots)
    assert len(hands(dataset)) == 1 and (hands(dataset)[0] == IN_SQUARE | IN_OTHER).all()


def test_labelme_names_the_file_and_the_shape(tmp_path, shots):
    good, bad = shape("polygon", np.reshape(SQUARE, (-1, 2)).tolist()), shape("polygon", [["x", 1]])
    refused(labelme(tmp_path / "one", "a.jpg", good, bad), shots, "a.json: shape 2 cannot be read")
    far = shape("mask", [[70, 50]], mask=painted(blob((20, 16), (9, 8), 6)))
    refused(labelme(tmp_path / "two", "a.jpg", far), shots, "a.json: shape 1", "20x16 at 70, 50 leaves 80x60")
    for code in ("!!!!", None, "aGFuZA=="):
        broken = shape("mask", [[7, 5]], mask=code)
        source = labelme(tmp_path / "three", "a.jpg", broken)
        refused(source, shots, "a.json: shape 1 cannot be read (its mask is not a PNG in base64)")
    refused(labelme(tmp_path / "four", "a.jpg", shape("circle", [[7, 5]])), shots, "a circle of 1 points")
    for points in ([[1, 2, 3]], [1, 2], [[1, None]]):
        refused(labelme(tmp_path / "five", "a.jpg", shape("polygon", points)), shots, "its points are not pairs of x")
    refused(
        labelme(tmp_path / "six", "a.jpg", {**good, "label": None}), shots, "shape 1 cannot be read (its label is None"
    )


def test_masks_of_many_images_need_little_memory(tmp_path):
    large = [shape("mask", [[40, 30], [59, 45]], mask=painted(blob((20, 16), (9, 8), 6)))] * 60
    source = labelme(tmp_path / "labels", "a.jpg", *large, size=(2000, 1500))
    tracemalloc.start()
    read_annotations(source, Notes())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6, "60 masks of 3 megapixels each"


def test_masks_of_labelme_that_no_memory_holds_are_named(tmp_path, shots):
    mask = shape("mask", [[40, 30], [59, 45]], mask=painted(blob((20, 16), (9, 8), 6)))
    source = labelme(tmp_path / "one", "a.jpg", mask, size=(10**6, 10**6))
    refused(source, shots, "a.json: shape 1 cannot be read (its image has 1000000x1000000 pixels, more than 100")
    header = struct.pack(">IIBBBBB", 20000, 10000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    bomb = base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT").decode()
    source = labelme(tmp_path / "two", "a.jpg", shape("mask", [[4, 3], [5, 4]], mask=bomb))
    refused(source, shots, "a.json: shape 1 cannot be read (its mask is not a PNG in base64)")


def test_a_group_of_labelme_may_be_of_any_kind(tmp_path, shots):
    two = [shape("polygon", np.reshape(p, (-1, 2)).tolist(), group_id=[4]) for p in (SQUARE, OTHER)]
    dataset, _ = imported(labelme(tmp_path / "labels", "a.jpg", *two), shots)
    assert len(hands(dataset)) == 1


def test_a_mask_of_labelme_that_was_dragged_may_begin_a_pixel_outside(tmp_path, shots):
    small = blob((20, 16), (9, 8), 6)
    dataset, _ = imported(labelme(tmp_path / "l", "a.jpg", shape("mask", [[60.6, -0.6]], mask=painted(small))), shots)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[:15, 61:80] = small[1:, :19]
    assert (hands(dataset)[0] == expected).all()


def test_a_rotated_rectangle_of_labelme_is_the_box_around_it(tmp_path, shots):
    rotated = shape("oriented_rectangle", [[20, 20], [30, 30], [20, 40], [10, 30]])
    dataset, _ = imported(labelme(tmp_path / "labels", "a.jpg", rotated), shots, "--boxes")
    assert dataset.annotations(dataset.images[0])[0]["bbox"] == [10, 20, 20, 20]


def test_what_of_a_refused_source_was_left_out_is_said(tmp_path, shots):
    source = labelme(tmp_path / "labels", "a.jpg", shape("linestrip", [[1, 1], [9, 1]]))
    refused(source, shots, "nothing labelled 'hand' (there is nothing; left out: shapes of the kind linestrip: 1")


def test_a_single_file_of_a_folder_format_is_read(tmp_path, shots):
    good = shape("polygon", np.reshape(SQUARE, (-1, 2)).tolist())
    dataset, _ = imported(labelme(tmp_path / "labels", "a.jpg", good) / "a.json", shots)
    assert (hands(dataset)[0] == IN_SQUARE).all()
