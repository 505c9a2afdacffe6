"""YOLO labels: polygons, boxes and keypoints with their names, read as the tools that write them mean them."""

import numpy as np
import pytest
from annotation_samples import HEIGHT, IN_SQUARE, SQUARE, WIDTH, hands, imported, refused, run, save

from handforge.dataset import Dataset


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


def yolo(tmp_path, line, names="names: [hand]\n"):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text(line)
    (tmp_path / "data.yaml").write_text(names)
    return tmp_path / "labels"


BOX = "0 0.25 0.541666667 0.25 0.416666667"


@pytest.mark.parametrize(
    "line, names",
    [
        (f"{BOX} 0.87", "names: [hand]\n"),  # with its confidence
        (BOX.replace("0 ", "0.0 ", 1), "names: {0: hand}\n"),
        (f"{BOX} {'0.2 0.5 2 ' * 4}", "names: [hand]\nkpt_shape: [4, 3]\n"),
    ],
)
def test_boxes_of_yolo_with_more_behind_them(tmp_path, shots, line, names):
    dataset, said = imported(yolo(tmp_path, line, names), shots, "--boxes")
    assert [a["bbox"] for a in dataset.annotations(dataset.images[0])] == [[10, 20, 20, 25]]
    assert ("left out: sets of keypoints that are not the 21 of hand: 1" in said) == ("kpt_shape" in names)


def test_a_polygon_of_yolo_is_in_fractions_of_width_and_height(tmp_path, shots):
    corners = np.reshape(SQUARE, (-1, 2)) / (WIDTH, HEIGHT)
    dataset, _ = imported(yolo(tmp_path, " ".join(map(str, (0, *corners.ravel())))), shots)
    assert (hands(dataset)[0] == IN_SQUARE).all()


@pytest.mark.parametrize(
    "each, point, behind, visibility",
    [(2, "0.2 0.5", "", 2), (3, "0.2 0.5 2", "", 2), (3, "0.2 0.5 1", "", 1), (3, "0.2 0.5 0.93", "0.87", 2)],
)
def test_keypoints_of_yolo(tmp_path, shots, each, point, behind, visibility):
    absent, beyond = ("0 0 0", "1.25 0.5 2") if each == 3 else ("0 0", "1.25 0.5")
    line = " ".join([BOX, *[point] * 19, absent, beyond, behind])
    dataset, said = imported(yolo(tmp_path, line, f"names: [hand]\nkpt_shape: [21, {each}]\n"), shots, "--boxes")
    (annotation,) = dataset.annotations(dataset.images[0])
    assert annotation["bbox"] == [10, 20, 20, 25] and annotation["num_keypoints"] == 19
    assert annotation["keypoints"] == [16, 30, visibility] * 19 + [0, 0, 0] * 2
    assert "left out: keypoints outside their image: 1" in said


def test_keypoints_of_yolo_have_the_names_that_it_gives_them(tmp_path, shots):
    line, names = f"{BOX} 0.2 0.5 0.3 0.6", "names: [cup]\nkpt_shape: [2, 2]\n"
    dataset, _ = imported(yolo(tmp_path, line, names), shots, "--boxes", "--label", "cup")
    assert dataset.category_list[0].keypoints == ("point_1", "point_2")
    (tmp_path / "out").rename(tmp_path / "first")
    (tmp_path / "data.yaml").write_text(names + "kpt_names: {0: [left_end, right_end]}\n")
    dataset, _ = imported(tmp_path / "labels", shots, "--boxes", "--label", "cup")
    assert dataset.category_list[0].keypoints == ("left_end", "right_end")
    assert dataset.annotations(dataset.images[0])[0]["keypoints"] == [16, 30, 2, 24, 36, 2]


@pytest.mark.parametrize(
    "point, names, words",
    [
        ("0.2 0.5 7", "kpt_shape: [2, 3]", "a.txt: line 1 is not a YOLO label (the visibility of a keypoint is not"),
        ("16 30 2", "kpt_shape: [2, 3]", "line 1 is not a YOLO label (30 is not a fraction; keypoints in pixels"),
        ("0.2 0.5 2", "kpt_shape: [2, 4]", "data.yaml: kpt_shape is [2, 4]; it is the number of keypoints, and 2 or 3"),
        ("0.2 0.5 2", "kpt_shape: [2, 3]\nkpt_names: {0: [tip]}", "kpt_names has 1 names, kpt_shape 2 keypoints"),
        ("0.2 0.5 2", "kpt_shape: many", "data.yaml has names that cannot be read"),
    ],
)
def test_wrong_keypoints_of_yolo_are_named(tmp_path, shots, point, names, words):
    source = yolo(tmp_path, f"{BOX} {point} {point}", f"names: [hand]\n{names}\n")
    refused(source, shots, words, options=("--boxes",))


@pytest.mark.parametrize(
    "line, words",
    [
        (f"{BOX} 0.87 3", "3 is not a fraction of the image"),  # its confidence and its track
        (
            f"{BOX} {'0.2 0.5 2 ' * 4}",
            "2 is not a fraction of the image; pixels are not read, nor are keypoints without",
        ),
        ("0 10 20 30 20 30 45", "10 is not a fraction of the image"),
        (f"{BOX} 0.2 0.5 0.1", "7 numbers after the class are neither a box nor pairs of x and y"),
    ],
)
def test_numbers_of_yolo_that_are_no_fractions_are_refused(tmp_path, shots, line, words):
    refused(yolo(tmp_path, line), shots, f"a.txt: line 1 is not a YOLO label ({words}", options=("--boxes",))


def test_classes_of_yolo_without_names(tmp_path, shots):
    source = yolo(tmp_path, BOX)
    (tmp_path / "data.yaml").unlink()
    refused(source, shots, "nothing labelled 'hand' (there is 0)", "or name the classes in a classes.txt")
    (source / "obj.names").write_bytes(b"h\xe4nd\n")
    refused(source, shots, "obj.names is not UTF-8 (byte 1)")
    (source / "obj.names").write_text("hand\n")
    dataset, _ = imported(source, shots, "--boxes")
    assert len(hands(dataset)) == 1


def test_yolo_in_folders_goes_by_the_path(tmp_path):
    for place, size in (("train", (WIDTH, HEIGHT)), ("val", (WIDTH * 2, HEIGHT * 2))):
        save(tmp_path / "images" / place / "a.jpg", size)
        (tmp_path / "labels" / place).mkdir(parents=True)
        (tmp_path / "labels" / place / "a.txt").write_text(BOX)
    (tmp_path / "data.yaml").write_text("names: [hand]\n")
    dataset, _ = imported(tmp_path / "labels", tmp_path / "images", "--boxes")
    boxes = {image["file_name"]: dataset.annotations(image)[0]["bbox"] for image in dataset}
    assert boxes == {"train_a.png": [10, 20, 20, 25], "val_a.png": [20, 40, 40, 50]}


def test_names_that_are_no_yaml_are_named(tmp_path, shots):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "data.yaml").write_text("names: [a\n")
    refused(tmp_path / "labels", shots, "data.yaml has names that cannot be read", "write names: [hand]")


def test_the_names_in_place_of_the_labels(tmp_path, shots):
    yolo(tmp_path, BOX)
    refused(tmp_path / "data.yaml", shots, "data.yaml is not a .json, .xml or .txt file; give the folder of the labels")


def test_files_of_windows_with_a_mark_at_their_begin_and_great_letters(tmp_path, shots):
    source = yolo(tmp_path, "")
    (source / "a.txt").unlink()
    (tmp_path / "data.yaml").unlink()
    (source / "A.TXT").write_bytes(f"\ufeff{BOX}\r\n".encode())
    (source / "classes.txt").write_bytes("\ufeffhand\r\n".encode())
    (source / "old.txt").mkdir()
    (shots / "a.jpg").rename(shots / "A.JPG")
    dataset, said = imported(source, shots, "--boxes")
    assert len(hands(dataset)) == 1 and "not in" not in said
