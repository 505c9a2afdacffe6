"""COCO files as tools write them, and how annotations find their images: read as meant, or refused by name."""

import json
import unicodedata

import numpy as np
import pytest
from annotation_samples import HEIGHT, IN_OTHER, IN_SQUARE, OTHER, SQUARE, WIDTH, hands, imported, refused, save
from PIL import Image

from handforge.dataset import encode_mask


def coco(path, annotations, images=None, categories=({"id": 1, "name": "hand"},)):
    images = images or [
        {"id": i + 1, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT} for i, n in enumerate("ab")
    ]
    content = {"images": images, "annotations": annotations, "categories": list(categories)}
    path.write_text(json.dumps({key: value for key, value in content.items() if value != []}))
    return path


def entry(number=1, image=1, category=1, segmentation=None, **more):
    return {"id": number, "image_id": image, "category_id": category, "segmentation": segmentation or [SQUARE], **more}


def test_ids_may_be_texts(tmp_path, shots):
    images = [{"id": "a", "file_name": "a.jpg"}, {"id": 7, "file_name": "b.jpg"}]
    entries = [entry(image="a"), entry("x2", image="7", segmentation=[OTHER])]
    dataset, _ = imported(coco(tmp_path / "c.json", entries, images), shots)
    assert (hands(dataset, 0)[0] == IN_SQUARE).all() and (hands(dataset, 1)[0] == IN_OTHER).all()


def test_an_image_id_that_stands_twice_is_refused(tmp_path, shots):
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]
    refused(
        coco(tmp_path / "c.json", [entry()], images), shots, "image id 1 stands twice, for a.jpg and for b.jpg; give"
    )


def test_two_entries_for_one_image_are_refused(tmp_path, shots):
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "copy/a.jpg"}]
    refused(coco(tmp_path / "c.json", [entry()], images), shots, "two entries for", "a.jpg", "copy/a.jpg")


def test_a_flat_polygon_is_one_polygon(tmp_path, shots):
    dataset, _ = imported(coco(tmp_path / "c.json", [entry(segmentation=SQUARE)]), shots)
    assert (hands(dataset)[0] == IN_SQUARE).all()


def test_entries_of_nothing_listed_are_left_out_and_counted(tmp_path, shots):
    entries = [entry(), entry(2, image=9), entry(3, category=9), entry(4, image=9)]
    dataset, said = imported(coco(tmp_path / "c.json", entries), shots)
    assert len(hands(dataset)) == 1
    assert "left out: annotations of an image that is not listed: 2, the first in" in said and "annotation 2" in said
    assert "left out: annotations of a category that is not listed: 1" in said


def test_without_categories_there_is_one_kind(tmp_path, shots):
    dataset, _ = imported(coco(tmp_path / "c.json", [entry(), entry(2, segmentation=[OTHER])], categories=()), shots)
    assert len(hands(dataset)) == 2 and dataset.categories == {1: "hand"}
    (tmp_path / "out").rename(tmp_path / "first")
    mixed = coco(tmp_path / "d.json", [entry(), entry(2, category=2)], categories=())
    refused(mixed, shots, "d.json lists no categories, but its annotations have 1, 2; name them")


def test_another_label_needs_no_segmentation(tmp_path, shots):
    categories = ({"id": 1, "name": "hand"}, {"id": 2, "name": "cup"})
    cup = {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 5, 5]}
    dataset, said = imported(coco(tmp_path / "c.json", [entry(), cup], categories=categories), shots)
    assert len(hands(dataset)) == 1 and "objects of other labels were left out: cup (1); --label takes them" in said


def test_parts_without_area_are_left_out_and_counted(tmp_path, shots):
    line, point = [0, 0, 9, 0, 0, 0], [3, 3]
    entries = [entry(segmentation=[SQUARE, line, point]), entry(2, segmentation=[line])]
    dataset, said = imported(coco(tmp_path / "c.json", entries), shots)
    assert len(hands(dataset)) == 1 and (hands(dataset)[0] == IN_SQUARE).all()
    assert "left out: polygon parts without area: 3" in said


def test_hands_outside_their_image_are_counted(tmp_path, shots):
    outside = [x + 200 for x in SQUARE]
    dataset, said = imported(coco(tmp_path / "c.json", [entry(), entry(2, segmentation=[outside])]), shots)
    assert len(hands(dataset)) == 1 and "left out: objects outside their image or without a pixel: 1" in said


def test_a_hand_that_is_there_twice_is_taken_once(tmp_path, shots):
    dataset, said = imported(coco(tmp_path / "c.json", [entry(), entry(2), entry(3, segmentation=[OTHER])]), shots)
    assert len(hands(dataset)) == 2 and "left out: objects that are there already, pixel by pixel: 1" in said


def test_crowds_are_crowds_unless_they_are_said_to_be_hands(tmp_path, shots):
    code = encode_mask(IN_OTHER)
    source = coco(tmp_path / "c.json", [entry(), entry(2, segmentation=code, iscrowd=1)])
    dataset, said = imported(source, shots)
    assert [a["iscrowd"] for a in dataset.annotations(dataset.images[0])] == [0, 1]
    assert dataset.info["hands"] == 1
    assert "left out: crowds, which are regions to ignore (--crowd-as-hand takes them as objects" in said
    (tmp_path / "out").rename(tmp_path / "first")
    dataset, _ = imported(source, shots, "--crowd-as-hand")
    assert [a["iscrowd"] for a in dataset.annotations(dataset.images[0])] == [0, 0]


@pytest.mark.parametrize("value, crowd", [("0", 0), ("false", 0), (0.0, 0), (None, 0), ("1", 1), (True, 1)])
def test_iscrowd_may_be_a_text(tmp_path, shots, value, crowd):
    dataset, _ = imported(coco(tmp_path / "c.json", [entry(iscrowd=value)]), shots)
    assert [a["iscrowd"] for a in dataset.annotations(dataset.images[0])] == [crowd]


@pytest.mark.parametrize("value", ["no", 2, [0]])
def test_an_iscrowd_of_another_kind_is_named(tmp_path, shots, value):
    words = f"annotation 1 of a.jpg cannot be read (its iscrowd is {value!r}; it must be 0 or 1)"
    refused(coco(tmp_path / "c.json", [entry(iscrowd=value)]), shots, words)


def test_a_box_of_three_numbers_and_runs_below_0_are_said_in_words(tmp_path, shots):
    short = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3]}
    refused(coco(tmp_path / "c.json", [short]), shots, "annotation 1 of a.jpg cannot be read (a list in it must have 4")
    code = {"size": [HEIGHT, WIDTH], "counts": [100, -200, WIDTH * HEIGHT + 100]}
    source = coco(tmp_path / "c.json", [entry(segmentation=code)])
    refused(source, shots, "a.jpg: the runs of the RLE do not add up to the image's pixels")


def test_several_labels_are_hands_with_their_sides(tmp_path, shots):
    categories = ({"id": 1, "name": "left_hand"}, {"id": 2, "name": "right_hand"}, {"id": 3, "name": "cup"})
    entries = [entry(), entry(2, category=2, segmentation=[OTHER]), entry(3, category=3)]
    source = coco(tmp_path / "c.json", entries, categories=categories)
    refused(source, shots, "has nothing labelled 'hand' (there is cup, left_hand, right_hand); choose with --label")
    dataset, _ = imported(source, shots, "--label", "left_hand", "--label", "right_hand")
    assert [a["side"] for a in dataset.annotations(dataset.images[0])] == ["left", "right"]
    assert dataset.categories == {1: "hand"}


def test_all_labels_are_categories_with_their_keypoints(tmp_path, shots):
    categories = (
        {"id": 5, "name": "face", "keypoints": ["left_eye", "right_eye"], "skeleton": [[1, 2]]},
        {"id": 1, "name": "hand"},
    )
    entries = [entry(), entry(2, category=5, segmentation=[OTHER], keypoints=[55, 10, 2, 65, 10, 2], num_keypoints=2)]
    dataset, _ = imported(coco(tmp_path / "c.json", entries, categories=categories), shots, "--label", "all")
    assert dataset.categories == {1: "hand", 2: "face"}
    hand, face = dataset.annotations(dataset.images[0])
    assert (hand["category_id"], face["category_id"]) == (1, 2)
    assert face["keypoints"] == [55, 10, 2, 65, 10, 2]
    assert dataset.category_of(face).keypoints == ("left_eye", "right_eye")


def test_a_label_that_names_no_hand_is_a_category_of_its_own(tmp_path, shots):
    source = coco(tmp_path / "c.json", [entry()], categories=({"id": 1, "name": "circle"},))
    dataset, _ = imported(source, shots, "--label", "circle")
    (annotation,) = dataset.annotations(dataset.images[0])
    assert dataset.category(annotation) == "circle" and "keypoints" not in annotation
    assert dataset.category_of(annotation).keypoints == ()


def test_boxes_alone_are_said_and_taken_on_request(tmp_path, shots):
    boxed = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 20, 25]}
    twin = {**boxed, "id": 2}
    source = coco(tmp_path / "c.json", [boxed, twin, entry(3, segmentation=[OTHER])])
    dataset, said = imported(source, shots)
    assert len(hands(dataset)) == 1
    assert "left out: objects with a box alone (--boxes takes them as rectangles, for --task detection): 2" in said
    (tmp_path / "out").rename(tmp_path / "first")
    dataset, _ = imported(source, shots, "--boxes")
    assert [a["bbox"] for a in dataset.annotations(dataset.images[0])][:2] == [[10, 20, 20, 25]] * 2


def test_nothing_but_boxes_is_refused_instead_of_images_without_a_hand(tmp_path, shots):
    boxed = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 20, 25]}
    source = coco(tmp_path / "c.json", [boxed])
    words = "c.json has a box alone of each object (1), and no outline; --boxes takes boxes as rectangles, for --task"
    refused(source, shots, words)
    dataset, _ = imported(source, shots, "--boxes")
    assert len(hands(dataset)) == 1


@pytest.mark.parametrize(
    "listed",
    [
        *("C:\\work\\shots\\a.jpg", "upload/3/1a2b3c4d-a.jpg", "images\\0f00ba42-a.jpg", "a.png"),
        "/data/local-files/?d=my%20shots%2Fa.jpg",
    ],
)
def test_names_with_folders_prefixes_and_other_suffixes(tmp_path, shots, listed):
    images = [{"id": 1, "file_name": listed, "width": WIDTH, "height": HEIGHT}]
    dataset, _ = imported(coco(tmp_path / "c.json", [entry()], images), shots)
    assert (hands(dataset)[0] == IN_SQUARE).all()


def test_equal_names_in_folders_go_by_the_longest_common_path(tmp_path):
    for folder in ("one", "two"):
        save(tmp_path / "shots" / folder / "a.jpg")
    images = [{"id": i, "file_name": f"data/{name}/a.jpg"} for i, name in enumerate(("two", "one"))]
    entries = [entry(1, 0), entry(2, 1, segmentation=[OTHER])]
    dataset, _ = imported(coco(tmp_path / "c.json", entries, images), tmp_path / "shots")
    assert [image["file_name"] for image in dataset] == ["one_a.png", "two_a.png"]
    assert (hands(dataset, 0)[0] == IN_OTHER).all() and (hands(dataset, 1)[0] == IN_SQUARE).all()
    (tmp_path / "out").rename(tmp_path / "first")
    vague = coco(tmp_path / "d.json", [entry(1, 0)], [{"id": 0, "file_name": "a.jpg"}])
    refused(vague, tmp_path / "shots", "a.jpg may be", "write its folder into the annotations, or rename one")


def test_names_are_compared_as_composed_unicode(tmp_path):
    save(tmp_path / "shots" / unicodedata.normalize("NFD", "händé.jpg"))
    images = [{"id": 1, "file_name": unicodedata.normalize("NFC", "händé.jpg")}]
    dataset, _ = imported(coco(tmp_path / "c.json", [entry()], images), tmp_path / "shots")
    assert dataset.images[0]["file_name"] == unicodedata.normalize("NFC", "händé.png")


def rotated(path, orientation):
    """A photograph that shows where its hand is, stored so that Pillow turns it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.where(IN_SQUARE[..., None], np.uint8(255), np.uint8(0)).repeat(3, 2)).save(path, exif=exif)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_annotations_of_the_stored_image_are_turned_with_it(tmp_path, orientation):
    rotated(tmp_path / "shots/a.png", orientation)
    images = [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}]
    source = coco(tmp_path / "c.json", [entry(keypoints=[20, 30, 2] * 21)], images)
    dataset, said = imported(source, tmp_path / "shots")
    upright = dataset.read_image(dataset.images[0])
    assert upright.shape[:2] == (WIDTH, HEIGHT) and (hands(dataset)[0] == (upright[..., 0] > 127)).all()
    assert "left out: sets of keypoints of images that are turned by EXIF: 1" in said


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_what_sizes_tell_of_one_image_holds_for_those_of_which_they_do_not(tmp_path, orientation):
    rotated(tmp_path / "shots/a.png", 6)
    rotated(tmp_path / "shots/b.png", orientation)
    images = [{"id": i, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for i, n in enumerate("ab", 1)]
    dataset, said = imported(coco(tmp_path / "c.json", [entry(), entry(2, 2)], images), tmp_path / "shots")
    for number, image in enumerate(dataset):
        assert (hands(dataset, number)[0] == (dataset.read_image(image)[..., 0] > 127)).all()
    assert said == ""
    (tmp_path / "out").rename(tmp_path / "first")
    dataset, said = imported(coco(tmp_path / "d.json", [entry(1, 2)], images[1:]), tmp_path / "shots")
    assert (hands(dataset)[0] == IN_SQUARE).all()
    assert "1 image stored rotated or flipped (EXIF)" in said and "as drawn on the upright images" in said


def test_ids_of_tables_are_numbers_with_a_point(tmp_path, shots):
    dataset, _ = imported(coco(tmp_path / "c.json", [entry(image=1.0, category=1.0)]), shots)
    assert len(hands(dataset)) == 1


@pytest.mark.parametrize(
    "images, categories, words",
    [
        ([{"file_name": "a.jpg"}], None, "image number 1 has no id or no file_name; COCO needs both"),
        (None, [{"id": 1}], "category number 1 has no id or no name; COCO needs both"),
        (None, [{"id": 1, "name": None}], "category number 1 has no id or no name; COCO needs both"),
        (
            [{"id": 1, "file_name": "a.jpg", "width": "wide", "height": 9}],
            None,
            "image 1 has the size 'wide' x 9; these",
        ),
        (None, [{"id": 1, "name": "hand", "keypoints": 5}], "'hand' has keypoints or a skeleton that are not COCO's"),
        (None, [{"id": 1, "name": "hand"}, {"id": 1, "name": "cup"}], "the category id 1 stands twice, for hand and"),
    ],
)
def test_records_without_what_coco_needs_are_named(tmp_path, shots, images, categories, words):
    source = coco(tmp_path / "c.json", [entry()], images, categories or [{"id": 1, "name": "hand"}])
    refused(source, shots, words)


def test_an_annotation_that_is_no_object_is_named(tmp_path, shots):
    refused(coco(tmp_path / "c.json", [entry(), 5]), shots, "annotation number 2 is 5, not an object")


def test_labels_are_found_in_any_case_and_each_must_be_there(tmp_path, shots):
    categories = ({"id": 1, "name": "Left_Hand"}, {"id": 2, "name": "rightHand"})
    source = coco(tmp_path / "c.json", [entry(), entry(2, category=2, segmentation=[OTHER])], categories=categories)
    refused(source, shots, "nothing labelled 'rihgt'", options=("--label", "left_hand", "--label", "rihgt"))
    dataset, _ = imported(source, shots, "--label", "left_hand", "--label", "righthand")
    assert [a["side"] for a in dataset.annotations(dataset.images[0])] == ["left", "right"]


def test_spaces_around_a_label_do_not_count(tmp_path, shots):
    categories = ({"id": 1, "name": " Hand", "keypoints": ["tip"]}, {"id": 2, "name": "cup "}, {"id": 3, "name": " "})
    entries = [entry(), entry(2, 2, 2, [OTHER]), entry(3, 1, 3, [OTHER])]
    source = coco(tmp_path / "c.json", entries, categories=categories)
    dataset, said = imported(source, shots)
    assert len(hands(dataset)) == 1 and "other labels were left out: (unnamed) (1), cup (1)" in said
    (tmp_path / "out").rename(tmp_path / "first")
    dataset, _ = imported(source, shots, "--label", "cup ", "--label", "(unnamed)")
    assert {*dataset.categories.values()} == {"hand", "cup"}


def test_a_label_object_is_one_like_any_other(tmp_path, shots):
    categories = ({"id": 1, "name": "hand"}, {"id": 2, "name": "object"})
    source = coco(tmp_path / "c.json", [entry(), entry(2, category=2, segmentation=[OTHER])], categories=categories)
    dataset, said = imported(source, shots, "--label", "all")
    assert dataset.categories == {1: "hand", 2: "object"} and "taken as hands" not in said
    alone = coco(tmp_path / "d.json", [entry(category=2)], categories=categories[1:])
    (tmp_path / "out").rename(tmp_path / "first")
    refused(alone, shots, "nothing labelled 'hand' (there is object)")


def test_words_that_begin_like_a_hand_are_none(tmp_path, shots):
    categories = ({"id": 1, "name": "gloved hand"}, {"id": 2, "name": "handbag"})
    source = coco(tmp_path / "c.json", [entry(), entry(2, category=2, segmentation=[OTHER])], categories=categories)
    dataset, said = imported(source, shots, "--label", "handbag", "--label", "all")
    assert dataset.categories == {1: "hand", 2: "handbag"} and "taken as hands: gloved hand" in said


def test_a_label_that_says_that_the_forearm_is_in_is_that_category(tmp_path, shots):
    """As ``predict --category hand+forearm`` and ``dataset export`` write it; ``--mask`` says it of other labels."""
    categories = ({"id": 1, "name": "hand"}, {"id": 2, "name": "Hand+Forearm"})
    source = coco(tmp_path / "c.json", [entry(), entry(2, category=2, segmentation=[OTHER])], categories=categories)
    dataset, said = imported(source, shots, "--label", "hand", "--label", "hand+forearm")
    assert [dataset.category(one) for one in dataset.annotations(dataset.images[0])] == ["hand", "hand+forearm"]
    assert "taken as hands" not in said
    (tmp_path / "out").rename(tmp_path / "first")
    dataset, _ = imported(source, shots, "--label", "hand", "--mask", "hand+forearm")
    assert [dataset.category(one) for one in dataset.annotations(dataset.images[0])] == ["hand+forearm"]


def test_images_without_a_hand_are_a_dataset_if_the_label_is_known(tmp_path, shots):
    dataset, said = imported(coco(tmp_path / "c.json", []), shots)
    assert len(dataset) == 2 and "No image has a hand" in said
    (tmp_path / "out").rename(tmp_path / "first")
    refused(coco(tmp_path / "d.json", []), shots, "nothing labelled 'paw'", options=("--label", "paw"))


def test_images_without_an_entry_are_said(tmp_path, shots):
    _, said = imported(coco(tmp_path / "c.json", [entry()], [{"id": 1, "file_name": "a.jpg"}]), shots)
    assert "1 image without an entry in" in said and "b.jpg for one" in said


def test_keypoints_outside_their_image_or_of_another_number_are_left_out(tmp_path, shots):
    there = [16.0, 30.0, 2.0] * 20
    entries = [
        entry(1, keypoints=[*there, -4, 30, 2]),
        entry(2, segmentation=[OTHER], keypoints=[1, 1, 2]),
    ]
    dataset, said = imported(coco(tmp_path / "c.json", entries), shots)
    first, second = dataset.annotations(dataset.images[0])
    assert first["keypoints"] == [*there, 0, 0, 0] and first["num_keypoints"] == 20
    assert "keypoints" not in second
    assert "left out: keypoints outside their image: 1" in said
    assert "left out: sets of keypoints that are not the 21 of hand: 1" in said


def test_visibilities_may_be_probabilities_and_others_are_refused(tmp_path, shots):
    seen = [value for n in range(21) for value in (16, 30, 0.9 if n else 0.1)]
    dataset, _ = imported(coco(tmp_path / "c.json", [entry(keypoints=seen)]), shots)
    assert dataset.annotations(dataset.images[0])[0]["keypoints"] == [0, 0, 0] + [16, 30, 2] * 20
    (tmp_path / "out").rename(tmp_path / "first")
    for wrong, words in (([16, 30, 3] * 21, "visibility of a keypoint is not 0, 1 or 2"), ([1, 2], "of 2 numbers")):
        refused(
            coco(tmp_path / "c.json", [entry(keypoints=wrong)]), shots, "annotation 1 of a.jpg cannot be read", words
        )


@pytest.mark.parametrize(
    "segmentation, words",
    [
        ("abc", "its segmentation is 'abc', neither polygons nor RLE"),
        ([[1, 2, 3, 4, 5]], "a polygon of 5 numbers; it must have x and y of each point"),
        ([[1, 2, 3, None, 5, 6]], "a polygon that has something other than numbers"),
    ],
)
def test_segmentations_that_cannot_be_read_are_named(tmp_path, shots, segmentation, words):
    source = coco(tmp_path / "c.json", [entry(segmentation=segmentation)])
    refused(source, shots, f"annotation 1 of a.jpg cannot be read ({words})")
