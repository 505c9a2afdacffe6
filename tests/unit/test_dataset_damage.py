"""Damaged datasets: every fault is named with its file."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import edit, make, two_pieces
from PIL import Image

from handforge import dataset as ds
from handforge.dataset.validate import record_problems


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "set")


def test_no_folder(tmp_path):
    with pytest.raises(ds.DatasetError, match="nowhere is not a folder"):
        ds.Dataset(tmp_path / "nowhere")


def test_unfinished(tmp_path):
    with pytest.raises(ds.DatasetError, match=r"holds no annotations\.json"):
        ds.Dataset(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("1" * 5000, "is not valid JSON"),
        ('{"x": NaN}', "is not valid JSON .it holds NaN, which JSON does not have"),
        (
            '{"images": [{"id": 1, "file_name": "a", "width": 9, "height": 9, "x": 1e999}], "annotations": []}',
            "image 1 holds what",
        ),
        ("[]", "is not in COCO's form"),
        ('{"images": [], "annotations": []}', "the dataset is empty"),
        ("null", "is not in COCO's form; it must be an object of images and annotations"),
        (
            '{"images": [{"id": 1}], "annotations": []}',
            "number 1 of its images has no file_name and no width and no hei",
        ),
        ('{"images": []}', "is not in COCO's form; it must have a list of annotations"),
        ('{"images": [], "annotations": null}', "is not in COCO's form; it must have a list of annotations"),
        (
            '{"images": [], "annotations": ["x"]}',
            "number 1 of its annotations has no id and no image_id and no category",
        ),
        (
            '{"images": [], "annotations": [{}]}',
            "number 1 of its annotations has no id and no image_id and no category_i",
        ),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1}]}',
            "number 1 of its categories has no name; hand",
        ),
        ('{"images": [], "annotations": [], "categories": 5}', "it must have a list of categories"),
    ],
)
def test_annotations_json(folder, text, message):
    (folder / "annotations.json").write_text(text)
    with pytest.raises(ds.DatasetError, match=message):
        ds.Dataset(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["images"][0].update(file_name="../../etc/passwd"), "leaves the dataset's folder"),
        (lambda c: c["images"][0].update(file_name="/etc/passwd"), "leaves the dataset's folder"),
        (lambda c: c["images"][0].update(width=0), "image 1 has the width 0"),
        (lambda c: c["images"][1].update(id=1), "an image id stands twice"),
        (lambda c: c["annotations"][1].update(image_id=9), "annotation 2 belongs to image 9"),
        (
            lambda c: c["annotations"][1].update(image_id=[1]),
            r"annotation 2 has the image_id \[1\]; it must be a num",
        ),
        (lambda c: c["annotations"][1].update(category_id=[1]), r"annotation 2 has the category_id \[1\]; it must"),
        (lambda c: c["annotations"][1].update(id=[1]), r"annotation \[1\] has the id \[1\]; it must be a number"),
        (
            lambda c: c["categories"][0].update(name=["hand"]),
            r"the name of a category is \['hand'\]; it must be a text",
        ),
        (lambda c: c["categories"][0].update(name="  "), "the name of a category is '  '; it must be a text"),
        (lambda c: c["images"][0].update(id="1"), "an image has the id '1'; ids are whole numbers"),
        (lambda c: c["images"][0].update(id=[1]), r"an image has the id \[1\]; ids are whole numbers"),
        (lambda c: c["images"][0].update(id=1.0), r"an image has the id 1\.0; ids are whole numbers"),
        (lambda c: c["images"][0].update(file_name=5), "image 1 has the file name 5"),
        (lambda c: c["images"][0].update(file_name="\udcff.png"), "image 1 holds what .* surrogates not allowed"),
        (lambda c: c["images"][1].update(file_name="./f0.png"), r"several images have the file name f0\.png; each"),
        (lambda c: c["images"][0].update(width=10**9), "image 1 has 1000000000x40 pixels, more than 100,000,000"),
        (lambda c: c["images"][0].update(truths="depth"), "image 1: truths is 'depth', it must be a list"),
        (lambda c: c["images"][0].update(group=["a"]), r"image 1: group is \['a'\], it must be a text or a number"),
        (lambda c: c["annotations"][1].pop("category_id"), "number 2 of its annotations has no category_id; handforge"),
        (lambda c: c["annotations"][1].update(image_id="1"), "annotation 2 belongs to image '1', which is not listed"),
    ],
)
def test_fields(folder, change, message):
    edit(folder, change)
    with pytest.raises(ds.DatasetError, match=message):
        ds.Dataset(folder)


def test_a_folder_that_is_no_utf8(tmp_path):
    with pytest.raises(ds.DatasetError, match=r"the folder .*udcff' holds what cannot be written"):
        ds.Dataset(tmp_path / "\udcff")


def test_missing_and_truncated_image(folder):
    path = folder / "images" / "f0.png"
    dataset = ds.Dataset(folder)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ds.DatasetError, match=r"f0\.png is damaged or cut short"):
        dataset.read_image(dataset.images[0])
    path.write_bytes(b"text")
    with pytest.raises(ds.DatasetError, match=r"f0\.png is not an image"):
        dataset.read_image(dataset.images[0])
    path.unlink()
    with pytest.raises(ds.DatasetError, match=r"f0\.png is missing"):
        dataset.read_image(dataset.images[0])


def test_too_many_pixels_are_told_once(tmp_path):
    """Pillow would warn of the same file as a possible attack."""
    Image.new("1", (11000, 9500)).save(tmp_path / "a.png")
    code = "from handforge.dataset import read_image; from pathlib import Path; read_image(Path('a.png'))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "a.png has 11000x9500 pixels, more than 100,000,000" in done.stderr and "bomb" not in done.stderr


def test_pillow_warns_its_other_users_as_before():
    code = (
        "import warnings\nfrom PIL import Image\nlimit = Image.MAX_IMAGE_PIXELS\n"
        "from pathlib import Path\nfrom handforge.dataset import read_image\n"
        "try: read_image(Path('none.png'))\nexcept Exception as error: assert 'is missing' in str(error)\n"
        "assert Image.MAX_IMAGE_PIXELS == limit\n"
        "assert Image.DecompressionBombWarning not in [entry[2] for entry in warnings.filters]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_wrong_byte(tmp_path):
    """Pillow decodes it to something; the file's own checksums know."""
    folder = make(tmp_path / "set")
    path = folder / "images" / "f1.png"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    dataset = ds.Dataset(folder)
    with pytest.raises(ds.DatasetError, match=r"f1\.png is damaged or cut short"):
        dataset.read_image(dataset.images[1])


def test_an_annotation_without_id(folder):
    edit(folder, lambda content: content["annotations"][0].pop("id"))
    with pytest.raises(ds.DatasetError, match="number 1 of its annotations has no id; handforge"):
        ds.Dataset(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "holds no object"),
        ("{", "is not valid JSON"),
        ('{"scale": NaN}', "is not valid JSON"),
        (r'{"by": "\udcff"}', "holds what cannot be written as JSON"),
    ],
)
def test_dataset_json(folder, text, message):
    (folder / "dataset.json").write_text(text)
    with pytest.raises(ds.DatasetError, match=rf"dataset\.json {message}"):
        _ = ds.Dataset(folder).info


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["annotations"][1].update(keypoints=[1, 2]),
            "annotation 2: keypoints must be 21 times 3 numbers",
        ),
        (lambda c: c["annotations"][1].update(wrist="x"), "annotation 2: wrist must be 2 times 2 numbers"),
        (
            lambda c: c["annotations"][1].update(wrist=[10**400] * 4),
            "annotation 2: wrist must be 2 times 2 numbers",
        ),
        (lambda c: c["annotations"][1].update(keypoints_3d=[1] * 60), "keypoints_3d need keypoints and their"),
        (lambda c: c["images"][1].update(camera="x"), r"f1\.png: camera is 'x', it must be 3 times 3 numbers"),
        (lambda c: c["images"][1].update(camera=[[0, 0, 0]] * 3), "3 times 3 numbers, a matrix with an inverse"),
        (
            lambda c: c["categories"][0].update(id=5),
            "annotation 2: category 1 is not listed; there are 5",
        ),
    ],
)
def test_what_is_said_of_a_hand(folder, change, message):
    edit(folder, change)
    dataset = ds.Dataset(folder)
    (problem,) = ds.check_image(dataset, dataset.images[1])
    assert re.search(message, problem)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ([-1, -1, 62, 42], True),
        *((box, False) for box in ([-1.5, 5, 9, 9], [5, -1.5, 9, 9], [5, 5, 56.5, 9], [5, 5, 9, 36.5])),
        *((box, False) for box in ([5, 5, 0, 9], [5, 5, 9, 0])),
    ],
)
def test_a_box_may_go_beyond_the_image_by_a_pixel_of_rounding(folder, box, inside):
    edit(folder, lambda c: c["annotations"][0].update(bbox=box))
    dataset = ds.Dataset(folder)
    problem = f"f0.png: annotation 1: bbox {box} does not lie in the image of 60x40 pixels"
    assert record_problems(dataset, dataset.images[0]) == ([] if inside else [problem])


@pytest.mark.parametrize(
    ("category", "problems"), [(2, []), (1, ["f0.png: annotation 9 has the same mask as annotation 1"])]
)
def test_a_mask_stands_once_in_a_category(folder, category, problems):
    def again(content):
        content["categories"].append({"id": 2, "name": "hand+forearm"})
        content["annotations"].append({**content["annotations"][0], "id": 9, "category_id": category})

    edit(folder, again)
    dataset = ds.Dataset(folder)
    assert record_problems(dataset, dataset.images[0]) == problems


def test_image_of_another_size(folder):
    Image.new("RGB", (30, 20)).save(folder / "images" / "f1.png")
    dataset = ds.Dataset(folder)
    with pytest.raises(ds.DatasetError, match=r"f1\.png is 30x20, annotations\.json says 60x40"):
        dataset.read_image(dataset.images[1])


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        (ds.encode_mask(two_pieces(20, 60)[:, ::-1]), "the mask is 60x20, its image 60x40"),
        (ds.encode_mask(np.zeros((40, 60), bool)), "the mask has no pixel"),
        ([], "a polygon is a list of x and y of at least three points"),
        ({"size": [40, 60]}, "the RLE has no counts"),
        ({"counts": "a"}, "the RLE has no size"),
        ({"size": 5, "counts": "a"}, "the RLE has the size 5; it must be a list of height and width"),
        ({"size": [40, 60], "counts": 5}, "the RLE has the counts 5; they must be a text or a list of runs"),
        ({"size": [40, 60], "counts": [None]}, r"cannot be decoded \(something in it is not a number\)"),
        ([{"x": 1}], r"cannot be decoded \(something in it is not a number\)"),
        ("text", "annotation 1 of f0.png: its segmentation is 'text', neither polygons nor RLE"),
        (5, "its segmentation is 5, neither polygons nor RLE"),
    ],
)
def test_segmentation(folder, segmentation, message):
    edit(folder, lambda c: c["annotations"][0].update(segmentation=segmentation))
    dataset = ds.Dataset(folder)
    with pytest.raises(ds.DatasetError, match=message) as caught:
        dataset.masks(dataset.images[0])
    assert "annotation 1 of f0.png" in str(caught.value)


def test_check_takes_measures_of_polygons_as_coco_has_them(folder):
    """COCO's area and box are the outline's, not its pixels', as of any image of its own sets."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x, y = 30.3 + 20.2 * np.cos(angles), 20.7 + 15.6 * np.sin(angles)
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    box = [x.min(), y.min(), np.ptp(x), np.ptp(y)]
    polygons = [np.column_stack([x, y]).ravel().tolist()]
    measures = {"segmentation": polygons, "area": area, "bbox": box, "keypoints": None}
    edit(folder, lambda c: c["annotations"][0].update(measures))
    shutil.rmtree(folder / "masks")
    dataset = ds.Dataset(folder)
    assert ds.check_image(dataset, dataset.images[0]) == []
    edit(folder, lambda c: c["annotations"][0].update(area=area + 100, bbox=[box[0] + 2, *box[1:]]))
    dataset = ds.Dataset(folder)
    found = ds.check_image(dataset, dataset.images[0])
    assert len(found) == 2 and "area says" in found[0] and "bbox says" in found[1]


def test_measures_of_masks_by_pixels_are_exact(folder):
    def one_more(content):
        annotation = content["annotations"][0]
        annotation["area"] += 1
        annotation["bbox"][0] += 1

    edit(folder, one_more)
    dataset = ds.Dataset(folder)
    pixels, box = int(two_pieces().sum()), dataset.annotations(dataset.images[0])[0]["bbox"]
    assert [problem.partition("annotation 1: ")[2] for problem in ds.check_image(dataset, dataset.images[0])] == [
        f"area says {pixels + 1}, the mask has {pixels} pixels",
        f"bbox says {box}, the mask's is {[box[0] - 1, *box[1:]]}",
    ]


def test_check_finds_what_differs(folder):
    edit(folder, lambda c: c["annotations"][0].update(area=3, bbox=[0, 0, 1, 1]))
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(folder / "masks" / "f1.png")
    (folder / "masks" / "f2.png").unlink()
    dataset = ds.Dataset(folder)
    found = [ds.check_image(dataset, image) for image in dataset]
    assert "area says 3" in found[0][0] and "bbox says [0, 0, 1, 1]" in found[0][1]
    assert "differs from annotations.json in" in found[1][0]
    assert "f2.png is missing" in found[2][0]
