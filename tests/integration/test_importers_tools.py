"""Annotations of CVAT, supervision, Pascal VOC and VIA: read as the tool means them, or refused by name."""

import json
import warnings

import numpy as np
import pytest
from annotation_samples import HEIGHT, IN_OTHER, IN_SQUARE, OTHER, SQUARE, WIDTH, hands, imported, refused, save

from handforge.dataset import DatasetError
from handforge.dataset.importers.annotated import Notes, ellipse
from handforge.dataset.importers.cvat import read_cvat
from handforge.dataset.importers.matching_files import frame_number, match_files

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # it says that it works without OpenCV
    import supervision as sv


# ---------------------------------------------------------------- CVAT


def points(flat):
    return ";".join(f"{x},{y}" for x, y in np.reshape(flat, (-1, 2)))


def cvat(path, inside, name="a.jpg"):
    image = f'<image id="0" name="{name}" width="{WIDTH}" height="{HEIGHT}">{inside}</image>'
    path.write_text(f'<?xml version="1.0"?><annotations><version>1.1</version>{image}</annotations>')
    return path


def test_a_folder_of_one_coco_or_cvat_file_is_read(tmp_path, shots):
    (tmp_path / "one").mkdir()
    dataset, _ = imported(
        cvat(tmp_path / "one/a.xml", f'<polygon label="hand" points="{points(SQUARE)}"/>').parent, shots
    )
    assert (hands(dataset)[0] == IN_SQUARE).all()
    (tmp_path / "out").rename(tmp_path / "first")
    (tmp_path / "two").mkdir()
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "hand"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [SQUARE]}],
    }
    (tmp_path / "two/_annotations.coco.json").write_text(json.dumps(content))  # as Roboflow names it
    dataset, _ = imported(tmp_path / "two", shots)
    assert (hands(dataset)[0] == IN_SQUARE).all()


def test_cvat_ellipses_boxes_and_lines(tmp_path, shots):
    inside = (
        '<ellipse label="hand" cx="40" cy="30" rx="20" ry="10" rotation="90"/>'
        '<box label="hand" xtl="1" ytl="1" xbr="9" ybr="9"/><polyline label="hand" points="0,0;5,5"/>'
        '<box label="cup" xtl="1" ytl="1" xbr="9" ybr="9"/>'
    )
    dataset, said = imported(cvat(tmp_path / "a.xml", inside, "project\\job_1\\a.jpg"), shots)
    (mask,) = hands(dataset)
    assert abs(mask.sum() - np.pi * 200) < 8 and mask[12, 40] and not mask[30, 55]
    assert "left out: objects with a box alone" in said and "left out: shapes of the kind polyline: 1" in said


def test_a_mask_of_cvat_is_runs_of_off_and_on_row_by_row(tmp_path, shots):
    mask = '<mask label="hand" rle="1,3,2" left="10" top="20" width="3" height="2"/>'
    (found,) = hands(imported(cvat(tmp_path / "a.xml", mask), shots)[0])
    assert found[20:22, 10:13].tolist() == [[False, True, True], [True, False, False]] and found.sum() == 3


def test_a_rotated_box_of_cvat_is_the_box_around_it(tmp_path, shots):
    box = '<box label="hand" xtl="10" ytl="20" xbr="50" ybr="30" rotation="90"/>'
    dataset, _ = imported(cvat(tmp_path / "a.xml", box), shots, "--boxes")
    assert [a["bbox"] for a in dataset.annotations(dataset.images[0])] == [[25, 5, 10, 40]]


@pytest.mark.parametrize(
    "inside, words",
    [
        ('<polygon points="1,1;9,1;9,9"/>', "a.xml: image a.jpg: <polygon> has no label"),
        ('<mask label="hand" rle="x" left="1" top="1" width="3" height="3"/>', "image a.jpg: a mask cannot be read"),
    ],
)
def test_cvat_names_the_image_and_the_shape(tmp_path, shots, inside, words):
    refused(cvat(tmp_path / "a.xml", inside), shots, words)


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


def read_video(tmp_path, meta, track):
    from xml.etree import ElementTree

    text = VIDEO[: VIDEO.index("<track")].replace("<size>8</size>", meta) + track + "</annotations>"
    return read_cvat(ElementTree.fromstring(text), tmp_path / "v.xml", Notes()).images


def test_frames_of_a_part_of_a_video_are_those_that_were_annotated(tmp_path):
    track = f'<track id="0" label="hand"><polygon frame="10" outside="0" points="{points(SQUARE)}"/></track>'
    part = "<size>3</size><start_frame>10</start_frame><stop_frame>20</stop_frame><frame_filter>step=5</frame_filter>"
    assert [image.frame for image in read_video(tmp_path, part, track)] == [10, 15, 20]


@pytest.mark.parametrize(
    "track, words",
    [
        ('<track id="3"/>', "track 3: <track> has no label"),
        (
            '<track id="3" label="hand"><box frame="x"/></track>',
            "track 3: a box is of frame 'x', which is not a number",
        ),
        ('<track id="3" label="hand"><box frame="99999999999"/></track>', "no video is that long"),
    ],
)
def test_tracks_that_cannot_be_read_are_named(tmp_path, track, words):
    with pytest.raises(DatasetError, match=words):
        read_video(tmp_path, "<size>8</size>", track)


# ---------------------------------------------------------------- supervision, Pascal VOC, VIA


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
        assert (np.argwhere(mask)[0] == np.argwhere(expected)[0]).all(), "VOC counts pixels from 1"
        assert (mask & ~expected).sum() == 0 and (mask & expected).sum() > 0.8 * expected.sum()


def test_supervisions_labelme(tmp_path, shots, detections):
    made = written_by_supervision(shots, detections)
    made.as_labelme(annotations_directory_path=str(tmp_path / "labels"))
    dataset, _ = imported(tmp_path / "labels", shots, "--label", "all")
    for mask, expected in zip(hands(dataset), (IN_SQUARE, IN_OTHER), strict=True):
        assert (mask & ~expected).sum() == 0 and (mask & expected).sum() > 0.8 * expected.sum()


def test_supervisions_coco(tmp_path, shots, detections):
    made = written_by_supervision(shots, detections)
    made.as_coco(annotations_path=str(tmp_path / "c.json"))
    dataset, _ = imported(tmp_path / "c.json", shots)
    assert (hands(dataset)[0] & ~IN_SQUARE).sum() == 0 and hands(dataset)[0].sum() > 0.8 * IN_SQUARE.sum()


def test_a_box_without_end_is_named(tmp_path, shots):
    region = {"shape_attributes": {"name": "rect", "x": 1e999, "y": 3, "width": 20, "height": 10}}
    (tmp_path / "via.json").write_text(json.dumps({"a": {"filename": "a.jpg", "regions": [region]}}))
    words = "a.jpg: a box of (unnamed) is nowhere (x, y, width and height are inf, 3.0, 20.0, 10.0)"
    refused(tmp_path / "via.json", shots, words, options=("--boxes",))


def test_a_hand_of_pascal_voc_may_be_a_part_of_a_person(tmp_path, shots):
    box = "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>30</xmax><ymax>45</ymax></bndbox>"
    text = f"<object><name>person</name>{box}<part><name>hand</name>{box}</part></object>"
    (tmp_path / "a.xml").write_text(f"<annotation><filename>a.jpg</filename>{text}</annotation>")
    dataset, said = imported(tmp_path / "a.xml", shots, "--boxes")
    assert [a["bbox"] for a in dataset.annotations(dataset.images[0])] == [[10, 20, 20, 25]]
    assert "objects of other labels were left out: person (1)" in said


def test_an_object_of_pascal_voc_that_cannot_be_read_is_named(tmp_path, shots):
    (tmp_path / "a.xml").write_text("<annotation><size><width>wide</width></size></annotation>")
    refused(tmp_path / "a.xml", shots, "a.xml is not a Pascal VOC file that can be read ('wide' is not a whole number)")
    (tmp_path / "labels").mkdir()
    box = "<object><name>hand</name><bndbox><xmin>{}</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>"
    (tmp_path / "labels/a.xml").write_text(f"<annotation>{box.format(1)}{box.format('one')}</annotation>")
    refused(tmp_path / "labels", shots, "a.xml: object 2 cannot be read ('one' is not a number)")


def test_a_file_beside_pascal_vocs_that_is_none_is_named(tmp_path, shots):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.xml").write_text("<annotation/>")
    (tmp_path / "labels/b.xml").write_text("<project/>")
    refused(tmp_path / "labels", shots, "b.xml is not a Pascal VOC file", "begins with <project>, not <annotation>")


def test_a_name_of_pascal_voc_may_stand_on_a_line_of_its_own(tmp_path, shots):
    box = "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>30</xmax><ymax>45</ymax></bndbox>"
    text = f"<filename>\n  a.jpg\n</filename><object><name>hand</name>{box}</object>"
    (tmp_path / "x.xml").write_text(f"<annotation>{text}</annotation>")
    assert len(hands(imported(tmp_path / "x.xml", shots, "--boxes")[0])) == 1


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
    assert "left out: shapes of the kind point: 1" in said


def test_via_ellipses_are_rotated_in_radians(tmp_path, shots):
    ellipses = {"name": "ellipse", "cx": 40, "cy": 30, "rx": 20, "ry": 6, "theta": np.pi / 6}
    region = {"shape_attributes": ellipses, "region_attributes": {"label": "hand"}}
    (mask,) = hands(imported(via(tmp_path / "via.json", region), shots)[0])
    assert abs(mask.sum() - np.pi * 120) < 8 and mask[30 + 8, 40 + 14] and not mask[30 - 8, 40 + 14]


def via(path, region):
    path.write_text(json.dumps({"a": {"filename": "a.jpg", "regions": [region]}}))
    return path


POLYGON = {"name": "polygon", "all_points_x": SQUARE[::2], "all_points_y": SQUARE[1::2]}


def test_the_label_of_a_via_region(tmp_path, shots):
    checked = {"shape_attributes": POLYGON, "region_attributes": {"what": {"hand": True, "cup": False}}}
    dataset, _ = imported(via(tmp_path / "via.json", checked), shots)
    assert (hands(dataset)[0] == IN_SQUARE).all()
    (tmp_path / "out").rename(tmp_path / "first")
    unclear = {"shape_attributes": POLYGON, "region_attributes": {"who": "cup", "sharp": "yes"}}
    words = (
        "a.jpg: region 1 cannot be read (which of sharp, who is its label, nothing tells; call that attribute label)"
    )
    refused(via(tmp_path / "via.json", unclear), shots, words)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"all_points_y": [1, 2]}, "region 1 cannot be read (a polygon of 4 x and 2 y)"),
        ({"name": "polyline"}, "left out: shapes of the kind polyline: 1"),
    ],
)
def test_regions_of_via_that_are_no_outline(tmp_path, shots, change, words):
    region = {"shape_attributes": {**POLYGON, **change}, "region_attributes": {"label": "hand"}}
    refused(via(tmp_path / "via.json", region), shots, words)


@pytest.mark.parametrize(
    "content, words",
    [
        ({"project": {}, "view": {}, "file": {}, "metadata": {}}, "is of VIA 3; export its annotations as COCO there"),
        ([{"image": "a.jpg"}], "is a list, as results, Label Studio's JSON and CreateML are; give annotations of COCO"),
    ],
)
def test_formats_that_are_not_read_are_called_by_name(tmp_path, shots, content, words):
    (tmp_path / "x.json").write_text(json.dumps(content))
    refused(tmp_path / "x.json", shots, words)


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


def test_an_ellipse_has_its_area_and_is_rotated_clockwise():
    x, y = np.reshape(ellipse(5, 7, 3, 2, 30), (-1, 2)).T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(6 * np.pi) and (x.mean(), y.mean()) == pytest.approx((5, 7))
    end = np.argmax(np.hypot(x - 5, y - 7))
    assert np.degrees(np.arctan2(y[end] - 7, x[end] - 5)) % 180 == pytest.approx(30)  # y points down


def test_names_that_are_not_there_are_left_out(tmp_path):
    save(tmp_path / "a.jpg")
    assert match_files(["b.jpg", "", "a.jpg"], [tmp_path / "a.jpg"], tmp_path) == {"a.jpg": tmp_path / "a.jpg"}


@pytest.mark.parametrize(
    "text, said",
    [
        ("[" * 3000, " is not valid JSON"),
        ('<?xml version="1.0" encoding="base64"?><a/>', " is not a COCO, CVAT, LabelMe or VIA annotation that can be"),
        ("null", " holds null and nothing else; give annotations of COCO, LabelMe or VIA 2"),
        ("5", " holds 5 and nothing else; give annotations of COCO, LabelMe or VIA 2"),
        ("[1]", " is a list, as results, Label Studio's JSON and CreateML are"),
        ('{"images": 3}', ": images is 3; COCO has a list there"),
        ('{"annotations": []}', ": images is missing; COCO has a list there"),
        ('{"images": [], "annotations": {"1": 2}}', ": annotations is {'1': 2}; COCO has a list there"),
        ('{"images": [], "categories": 5}', ": categories is 5; COCO has a list there"),
        ('{"a": 5}', " is none of COCO, LabelMe or VIA 2: nothing in it lists images"),
        ('{"a": {"filename": "a.jpg"}}', ": the entry 'a' has no regions; VIA 2 writes it for each image"),
        ('{"a": {"filename": "a.jpg", "regions": 5}}', ": a.jpg: its regions are 5, not a list"),
        ('{"a": {"filename": "a.jpg", "regions": [5]}}', ": a.jpg: region 1 cannot be read (something in it is of"),
        ('{"shapes": 5}', " is not a LabelMe file that can be read (something in it is of another kind"),
        ('{"shapes": [5]}', ": shape 1 cannot be read (something in it is of another kind than it must be"),
    ],
)
def test_what_is_no_annotation_is_named(tmp_path, shots, text, said):
    path = tmp_path / ("c.xml" if text.startswith("<") else "c.json")
    path.write_text(text)
    refused(path, shots, f"{path.name}{said}")


def test_files_of_other_suffixes_are_refused(tmp_path, shots):
    (tmp_path / "labels.csv").write_text("a.jpg,10,20,30,45\n")
    refused(tmp_path / "labels.csv", shots, "labels.csv is not a .json, .xml or .txt file; save annotations as COCO")
