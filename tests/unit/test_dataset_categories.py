"""Datasets of any categories, and the two of hands: written, read back, copied, refused."""

import json

import numpy as np
import pytest
from dataset_samples import edit, make, two_pieces
from pycocotools.coco import COCO

from handforge import dataset as ds


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "set")


def test_a_category_may_be_read_alone(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    pixels = np.zeros((4, 5, 3), np.uint8)
    arm = ds.Instance(np.eye(4, 5, dtype=bool), category="hand+forearm")
    ds.assemble(tmp_path, [ds.write_sample(tmp_path, ds.Sample("x", pixels, (arm,)))], {})
    for category in (None, "hand+forearm"):
        dataset = ds.Dataset(tmp_path, category)
        assert len(dataset.annotations(dataset.images[0])) == 1
    with pytest.raises(ds.DatasetError, match=r"has no mask of the category hand; make one with --mask hand, or ask"):
        ds.Dataset(tmp_path, "hand")


def test_images_whose_hands_are_outlined_otherwise_are_not_empty_ones(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    kinds = (["hand"], ["hand+forearm"], [], ["hand+forearm", "hand"])
    records = []
    for number, names in enumerate(kinds):
        hands = tuple(ds.Instance(np.eye(4, 5, dtype=bool), category=name) for name in names)
        records.append(ds.write_sample(tmp_path, ds.Sample(f"x{number}", np.zeros((4, 5, 3), np.uint8), hands)))
    ds.assemble(tmp_path, records, {})

    def read(category):
        dataset = ds.Dataset(tmp_path, category)
        counts = {image["file_name"][1]: len(dataset.annotations(image)) for image in dataset}
        return counts, dataset.left_out

    assert read(None) == ({"0": 1, "1": 1, "2": 0, "3": 2}, 0)
    assert read("hand") == ({"0": 1, "2": 0, "3": 1}, 1)
    assert read("hand+forearm") == ({"1": 1, "2": 0, "3": 1}, 1)


def test_hands_alone_are_one_category(folder):
    assert ds.Dataset(folder).categories == {1: "hand"}


def test_a_part_of_another_tools_dataset_of_hands_has_our_categories(folder, tmp_path):
    content = json.loads((folder / "annotations.json").read_text())
    content["categories"] = [{"id": 4, "name": "hand"}]
    for annotation in content["annotations"]:
        annotation["category_id"] = 4
    (folder / "annotations.json").write_text(json.dumps(content))
    theirs = ds.Dataset(folder)
    ds.copy_subset(theirs, theirs.images, tmp_path / "part")
    ours = ds.Dataset(tmp_path / "part")
    assert {a["category_id"] for image in ours for a in ours.annotations(image)} == {1}
    assert ours.categories == {1: "hand"}
    content["annotations"][0]["category_id"] = 1
    (folder / "annotations.json").write_text(json.dumps(content))
    theirs = ds.Dataset(folder)
    with pytest.raises(ds.DatasetError, match="annotation 1: category 1 is not listed"):
        ds.copy_subset(theirs, theirs.images, tmp_path / "other")
    assert not (tmp_path / "other").exists()


SHAPES = (
    ds.Category(3, "circle"),
    ds.Category(7, "face", ("nose", "left_eye", "right_eye"), ((1, 2), (1, 3)), "person"),
)


def shapes(folder):
    """One image with a circle, a face and a crowd of circles."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    masks = [np.roll(two_pieces(), shift, axis=1) for shift in (0, 5, 10)]
    points = np.array([[20.0, 10, 2], [15, 8, 2], [25, 8, 1]])
    instances = (
        ds.Instance(masks[0], category="circle"),
        ds.Instance(masks[1], points, category="face"),
        ds.Instance(masks[2], category="circle", crowd=True),
    )
    frame = ds.Sample("one", np.zeros((40, 60, 3), np.uint8), instances)
    ds.assemble(folder, [ds.write_sample(folder, frame, categories=SHAPES)], {}, SHAPES)
    return masks


def test_any_categories_are_written_and_read_back(tmp_path):
    masks = shapes(tmp_path / "shapes")
    dataset = ds.Dataset(tmp_path / "shapes")
    (image,) = dataset
    circle, face, crowd = dataset.annotations(image)
    assert dataset.category_list == SHAPES
    assert [dataset.category(a) for a in (circle, face, crowd)] == ["circle", "face", "circle"]
    assert [a["iscrowd"] for a in (circle, face, crowd)] == [0, 0, 1]
    assert face["keypoints"] == [20, 10, 2, 15, 8, 2, 25, 8, 1] and face["num_keypoints"] == 3
    assert dataset.category_of(face).flip_pairs == ((1, 2),)
    assert all((one == other).all() for one, other in zip(dataset.masks(image), masks, strict=True))
    assert (ds.read_mask(tmp_path / "shapes/masks/one.png") == masks[0] | masks[1]).all(), "a crowd is not in it"
    assert ds.check_image(dataset, image) == []
    assert (dataset.info["hands"], dataset.info["objects"]) == (0, 2)
    coco = COCO(str(dataset.path))
    assert coco.loadCats(7)[0]["skeleton"] == [[1, 2], [1, 3]]
    assert (coco.annToMask(coco.loadAnns(1)[0]) == masks[0]).all()


def test_a_subset_keeps_categories_that_are_no_hands(tmp_path):
    shapes(tmp_path / "shapes")
    source = ds.Dataset(tmp_path / "shapes")
    ds.copy_subset(source, source.images, tmp_path / "part")
    part = ds.Dataset(tmp_path / "part")
    assert part.category_list == SHAPES and part.annotations(part.images[0]) == source.annotations(source.images[0])


def test_what_is_of_no_category_is_refused(tmp_path):
    frame = ds.Sample("one", np.zeros((40, 60, 3), np.uint8), (ds.Instance(two_pieces(), category="cup"),))
    with pytest.raises(ds.DatasetError, match=r"one: 'cup' is not a category \(hand, hand\+forearm\)"):
        ds.encode_sample(frame)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.update(id="1"), "'hand' has the id '1'; ids are whole numbers"),
        (lambda c: c.update(keypoints=["wrist", 3]), r"keypoints \['wrist', 3\]; they must be a list of names"),
        (lambda c: c.update(keypoints=5), "'hand' has the keypoints 5; they must be a list of names"),
        (lambda c: c.update(skeleton=5), "a skeleton of other than pairs of its keypoints"),
        (lambda c: c.update(skeleton=[5]), "a skeleton of other than pairs of its keypoints"),
        (lambda c: c.update(skeleton=[[1, 22]]), "a skeleton of other than pairs of its keypoints"),
        (lambda c: c.update(skeleton=[[1]]), "a skeleton of other than pairs of its keypoints"),
    ],
)
def test_a_wrong_category_is_named(folder, change, message):
    edit(folder, lambda content: change(content["categories"][0]))
    with pytest.raises(ds.DatasetError, match=message):
        ds.Dataset(folder)


def test_spaces_around_a_name_do_not_count(folder):
    edit(folder, lambda content: content["categories"][0].update(name=" hand"))
    assert 1 in ds.Dataset(folder, "hand").categories and ds.Dataset(folder).categories[1] == "hand"
    edit(folder, lambda content: content["categories"].append({"id": 9, "name": "hand "}))
    with pytest.raises(ds.DatasetError, match="two categories share an id or a name; each needs its own"):
        ds.Dataset(folder)
