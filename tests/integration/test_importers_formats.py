"""Annotations as the tools of the field write them: read as the tool means them, or refused by name."""

import base64
import io
import json
import unicodedata
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from trainer_samples import blob

from handforge.dataset import Dataset, check_image, encode_mask
from handforge.dataset.importers.annotated import Notes, ellipse
from handforge.dataset.importers.cvat import read_cvat
from handforge.dataset.importers.matching_files import frame_number, match_files
from trainer.cli import main

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # it says that it works without OpenCV
    import supervision as sv

WIDTH, HEIGHT = 80, 60
SQUARE = [10, 20, 30, 20, 30, 45, 10, 45]
OTHER = [50, 5, 70, 5, 70, 25, 50, 25]


def box(x0, y0, x1, y1):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return mask


IN_SQUARE, IN_OTHER = box(10, 20, 30, 45), box(50, 5, 70, 25)


@pytest.fixture
def shots(tmp_path):
    folder = tmp_path / "shots"
    for name in ("a.jpg", "b.jpg"):
        save(folder / name)
    return folder


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


def coco(path, annotations, images=None, categories=({"id": 1, "name": "hand"},)):
    images = images or [
        {"id": i + 1, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT} for i, n in enumerate("ab")
    ]
    content = {"images": images, "annotations": annotations, "categories": list(categories)}
    path.write_text(json.dumps({key: value for key, value in content.items() if value != []}))
    return path


def entry(number=1, image=1, category=1, segmentation=None, **more):
    return {"id": number, "image_id": image, "category_id": category, "segmentation": segmentation or [SQUARE], **more}


# ---------------------------------------------------------------- COCO


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
    assert "2 annotations of an image that is not listed left out, the first in" in said and "annotation 2" in said
    assert "1 annotations of a category that is not listed left out" in said


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
    assert len(hands(dataset)) == 1 and said == ""


def test_parts_without_area_are_left_out_and_counted(tmp_path, shots):
    line, point = [0, 0, 9, 0, 0, 0], [3, 3]
    entries = [entry(segmentation=[SQUARE, line, point]), entry(2, segmentation=[line])]
    dataset, said = imported(coco(tmp_path / "c.json", entries), shots)
    assert len(hands(dataset)) == 1 and (hands(dataset)[0] == IN_SQUARE).all()
    assert "3 polygon parts without area left out" in said


def test_hands_outside_their_image_are_counted(tmp_path, shots):
    outside = [x + 200 for x in SQUARE]
    dataset, said = imported(coco(tmp_path / "c.json", [entry(), entry(2, segmentation=[outside])]), shots)
    assert len(hands(dataset)) == 1 and "1 objects outside their image or without a pixel left out" in said


def test_a_hand_that_is_there_twice_is_taken_once(tmp_path, shots):
    dataset, said = imported(coco(tmp_path / "c.json", [entry(), entry(2), entry(3, segmentation=[OTHER])]), shots)
    assert len(hands(dataset)) == 2 and "1 objects that are there already, pixel by pixel left out" in said


def test_crowds_are_crowds_unless_they_are_said_to_be_hands(tmp_path, shots):
    code = encode_mask(IN_OTHER)
    source = coco(tmp_path / "c.json", [entry(), entry(2, segmentation=code, iscrowd=1)])
    dataset, said = imported(source, shots)
    assert [a["iscrowd"] for a in dataset.annotations(dataset.images[0])] == [0, 1]
    assert dataset.info["hands"] == 1
    assert "1 crowds, which are regions to ignore (--crowd-as-hand takes them as objects" in said
    (tmp_path / "out").rename(tmp_path / "first")
    dataset, _ = imported(source, shots, "--crowd-as-hand")
    assert [a["iscrowd"] for a in dataset.annotations(dataset.images[0])] == [0, 0]


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
    assert "2 objects with a box alone (--boxes takes them as rectangles, for --task detection) left out" in said
    (tmp_path / "out").rename(tmp_path / "first")
    dataset, _ = imported(source, shots, "--boxes")
    assert [a["bbox"] for a in dataset.annotations(dataset.images[0])][:2] == [[10, 20, 20, 25]] * 2


@pytest.mark.parametrize(
    "listed", ["C:\\work\\shots\\a.jpg", "upload/3/1a2b3c4d-a.jpg", "images\\0f00ba42-a.jpg", "a.png"]
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


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_annotations_of_the_stored_image_are_turned_with_it(tmp_path, orientation):
    """The image itself shows where its hand is; both are turned upright by Pillow."""
    pixels = np.where(IN_SQUARE[..., None], np.uint8(255), np.uint8(0)).repeat(3, 2)
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "shots").mkdir()
    Image.fromarray(pixels).save(tmp_path / "shots/a.png", exif=exif)
    images = [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}]
    dataset, _ = imported(coco(tmp_path / "c.json", [entry()], images), tmp_path / "shots")
    upright = dataset.read_image(dataset.images[0])
    assert upright.shape[:2] == (WIDTH, HEIGHT) and (hands(dataset)[0] == (upright[..., 0] > 127)).all()


# ---------------------------------------------------------------- LabelMe


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
    assert "1 objects with a box alone" in said and "1 shapes of the kind point left out" in said


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


# ---------------------------------------------------------------- CVAT


def points(flat):
    return ";".join(f"{x},{y}" for x, y in np.reshape(flat, (-1, 2)))


def cvat(path, inside, name="a.jpg"):
    image = f'<image id="0" name="{name}" width="{WIDTH}" height="{HEIGHT}">{inside}</image>'
    path.write_text(f'<?xml version="1.0"?><annotations><version>1.1</version>{image}</annotations>')
    return path


def test_cvat_ellipses_boxes_and_lines(tmp_path, shots):
    inside = (
        '<ellipse label="hand" cx="40" cy="30" rx="20" ry="10" rotation="90"/>'
        '<box label="hand" xtl="1" ytl="1" xbr="9" ybr="9"/><polyline label="hand" points="0,0;5,5"/>'
        '<box label="cup" xtl="1" ytl="1" xbr="9" ybr="9"/>'
    )
    dataset, said = imported(cvat(tmp_path / "a.xml", inside, "project\\job_1\\a.jpg"), shots)
    (mask,) = hands(dataset)
    assert abs(mask.sum() - np.pi * 200) < 8 and mask[12, 40] and not mask[30, 55]
    assert "1 objects with a box alone" in said and "1 shapes of the kind polyline left out" in said


VIDEO = f"""<annotations><version>1.1</version><meta><task><size>8</size>
<original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size></task></meta>
<track id="0" label="hand">
  <polygon frame="1" outside="0" keyframe="1" points="{points(SQUARE)}"/>
  <polygon frame="5" outside="0" keyframe="1" points="{points([v + 4 for v in SQUARE])}"/>
  <polygon frame="6" outside="1" keyframe="1" points="{points(SQUARE)}"/>
</track>
<track id="1" label="hand"><polygon frame="6" outside="0" keyframe="1" points="{points(OTHER)}"/></track>
</annotations>"""


def test_tracks_of_a_cvat_video_are_interpolated_and_end(tmp_path):
    from xml.etree import ElementTree

    read = read_cvat(ElementTree.fromstring(VIDEO), tmp_path / "v.xml", Notes())
    outlines = {image.frame: [shape.parts[0] for shape in image.shapes] for image in read.images}
    assert outlines == {
        **{frame: [[v + frame - 1 for v in SQUARE]] for frame in range(1, 6)},
        6: [OTHER],  # the first track is outside from here on, the second goes on to the end
        7: [OTHER],
    }


# ---------------------------------------------------------------- YOLO, Pascal VOC, VIA


@pytest.fixture
def detections():
    masks = np.array([IN_SQUARE, IN_OTHER])
    return sv.Detections(sv.mask_to_xyxy(masks) + np.array([0, 0, 1, 1]), masks, class_id=np.array([0, 1]))


def written_by_supervision(folder, detections):
    path = str(folder / "a.jpg")
    return sv.DetectionDataset(["hand", "cup"], [path], {path: detections})


def test_supervisions_yolo_polygons(tmp_path, shots, detections):
    made = written_by_supervision(shots, detections)
    made.as_yolo(annotations_directory_path=str(tmp_path / "labels"), data_yaml_path=str(tmp_path / "data.yaml"))
    dataset, _ = imported(tmp_path / "labels", shots, "--label", "all")
    assert sorted(dataset.categories.values()) == ["cup", "hand"]
    for mask, expected in zip(hands(dataset), (IN_SQUARE, IN_OTHER), strict=True):
        # supervision's outline runs through the centres of the pixels at the edge, so it is a pixel narrower
        assert (mask & ~expected).sum() == 0 and (mask & expected).sum() > 0.8 * expected.sum()


def test_supervisions_pascal_voc_boxes(tmp_path, shots, detections):
    made = written_by_supervision(shots, sv.Detections(detections.xyxy, class_id=detections.class_id))
    made.as_pascal_voc(annotations_directory_path=str(tmp_path / "labels"))
    refused(tmp_path / "labels", shots, "--label", "nothing labelled 'foot'", options=("--label", "foot"))
    dataset, _ = imported(tmp_path / "labels", shots, "--boxes")
    (mask,) = hands(dataset)
    assert np.abs(np.argwhere(mask).min(axis=0) - (20, 10)).max() <= 1 and abs(mask.sum() - 500) <= 50


def test_polygons_beside_boxes_of_pascal_voc(tmp_path, shots, detections):
    made = written_by_supervision(shots, detections)
    made.as_pascal_voc(annotations_directory_path=str(tmp_path / "labels"))
    assert "<polygon>" in (tmp_path / "labels/a.xml").read_text()
    dataset, _ = imported(tmp_path / "labels", shots, "--label", "all")
    for mask, expected in zip(hands(dataset), (IN_SQUARE, IN_OTHER), strict=True):
        assert (mask & ~expected).sum() == 0 and (mask & expected).sum() > 0.8 * expected.sum()


def test_supervisions_coco(tmp_path, shots, detections):
    made = written_by_supervision(shots, detections)
    made.as_coco(annotations_path=str(tmp_path / "c.json"))
    dataset, _ = imported(tmp_path / "c.json", shots)
    assert (hands(dataset)[0] & ~IN_SQUARE).sum() == 0 and hands(dataset)[0].sum() > 0.8 * IN_SQUARE.sum()


def test_yolo_boxes_and_names_of_roboflow(tmp_path):
    save(tmp_path / "train/images/a.jpg")
    (tmp_path / "train/labels").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("train: ../train/images\nnc: 2\nnames:\n- cup\n- 'right hand'\n")
    (tmp_path / "train/labels/a.txt").write_text("1 0.25 0.541666667 0.25 0.416666667\n\n0 0.5 0.5 0.1 0.1\n")
    done = run(
        tmp_path / "train/labels", tmp_path / "train/images", tmp_path / "out", "--label", "right hand", "--boxes"
    )
    assert done.exit_code == 0, done.output
    dataset = Dataset(tmp_path / "out")
    (annotation,) = dataset.annotations(dataset.images[0])
    assert annotation["bbox"] == [10, 20, 20, 25] and annotation["side"] == "right"


def test_a_wrong_line_of_yolo_is_named(tmp_path, shots):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.1\n0 nan 1 1 1\n")
    refused(tmp_path / "labels", shots, "a.txt: line 2 is not a YOLO label")


def test_via_polygons_and_circles(tmp_path, shots):
    x, y = SQUARE[::2], SQUARE[1::2]
    regions = [
        {
            "shape_attributes": {"name": "polygon", "all_points_x": x, "all_points_y": y},
            "region_attributes": {"label": "hand"},
        },
        {"shape_attributes": {"name": "circle", "cx": 60, "cy": 30, "r": 8}, "region_attributes": {"type": "hand"}},
        {"shape_attributes": {"name": "point", "cx": 60, "cy": 30}, "region_attributes": {"type": "hand"}},
    ]
    content = {"_via_img_metadata": {"a.jpg123": {"filename": "a.jpg", "size": 123, "regions": regions}}}
    (tmp_path / "via.json").write_text(json.dumps(content))
    dataset, said = imported(tmp_path / "via.json", shots)
    square, circle = hands(dataset)
    assert (square == IN_SQUARE).all() and abs(circle.sum() - np.pi * 64) < 5
    assert "1 shapes of the kind point left out" in said


# ---------------------------------------------------------------- small parts


@pytest.mark.parametrize(
    "stem, number",
    [
        ("frame_000012", 12),
        ("clip-0012_jpg.rf.0a1b2c3d", 12),
        ("v_frame_0012_v2", 12),
        ("cam2_0007", 7),
        ("take3-00045", 45),
        ("12", 12),
    ],
)
def test_frames_are_told_by_their_names(stem, number):
    assert frame_number(stem) == number


def test_an_ellipse_has_its_area():
    x, y = np.reshape(ellipse(5, 7, 3, 2, 30), (-1, 2)).T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(6 * np.pi) and (x.mean(), y.mean()) == pytest.approx((5, 7))


def test_names_that_are_not_there_are_left_out(tmp_path):
    save(tmp_path / "a.jpg")
    assert match_files(["b.jpg", "", "a.jpg"], [tmp_path / "a.jpg"], tmp_path) == {"a.jpg": tmp_path / "a.jpg"}


@pytest.mark.parametrize(
    "text", ["[" * 3000, '<?xml version="1.0" encoding="base64"?><a/>', "null", "5", '{"images": 3}']
)
def test_what_is_no_annotation_is_named(tmp_path, shots, text):
    path = tmp_path / ("c.xml" if text.startswith("<") else "c.json")
    path.write_text(text)
    kind = "valid JSON" if text.startswith("[") else "a COCO, CVAT, LabelMe or VIA annotation that can be read"
    refused(path, shots, f"{path.name} is not {kind}")


def test_names_that_are_no_yaml_are_named(tmp_path, shots):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "data.yaml").write_text("names: [a\n")
    refused(tmp_path / "labels", shots, "data.yaml has names that cannot be read", "write names: [hand]")
