"""Annotated frames of videos become datasets."""

import json
import os

import numpy as np
import pytest
from importer_samples import SIZE, coco, imported, labelme, refused, run, square_mask, write_image
from PIL import Image

from handforge.dataset.importers.folder import About
from handforge.dataset.importers.video import import_video

# ---------------------------------------------------------------- video


@pytest.fixture
def video(tmp_path):
    from fractions import Fraction

    from handforge.dataset.video import Writer

    with Writer(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for i in range(6):
            frame = np.full((SIZE[1], SIZE[0], 3), 40 * i, np.uint8)
            writer.write(frame)
    return tmp_path / "clip.mp4"


def test_frames_of_a_video_with_masks_or_annotations(video, tmp_path):
    (tmp_path / "masks").mkdir()
    for i in (1, 4):
        Image.fromarray(square_mask()).save(tmp_path / "masks" / f"frame_{i:05d}.png")
    assert run("video", video, tmp_path / "out", "--truth", tmp_path / "masks").exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [(image["file_name"], image["frame"]) for image in dataset] == [
        ("clip_000001.png", 1),
        ("clip_000004.png", 4),
    ]
    assert {image["group"] for image in dataset} == {"clip.mp4"}
    assert abs(int(dataset.read_image(dataset.images[1]).mean()) - 160) < 8
    assert run("video", video, tmp_path / "drawn", "--truth", coco(tmp_path / "a.json")).exit_code == 0
    assert [image["frame"] for image in imported(tmp_path / "drawn")] == [1, 2]


def test_several_masks_of_a_frame_are_several_hands(video, tmp_path):
    (tmp_path / "masks").mkdir()
    other = square_mask([(40, 5), (60, 5), (60, 30), (40, 30)])
    for side, mask in (("left", square_mask()), ("right", other)):
        Image.fromarray(mask).save(tmp_path / "masks" / f"frame_{side}_00001.png")
    assert run("video", video, tmp_path / "out", "--truth", tmp_path / "masks").exit_code == 0
    (image,) = imported(tmp_path / "out")
    masks = imported(tmp_path / "out").masks(image)
    assert [(mask == true).all() for mask, true in zip(masks, (square_mask(), other), strict=True)] == [True, True]


def test_frames_beside_labelmes_files_are_no_masks(video, tmp_path):
    folder = labelme(tmp_path / "labels")
    for i in (1, 2):
        write_image(folder / f"shot_{i}.jpg")
    assert run("video", video, tmp_path / "out", "--truth", folder).exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [(dataset.masks(image)[0] == square_mask()).all() for image in dataset] == [True, True]


def masks(folder, **values):
    folder.mkdir()
    for name, mask in values.items():
        Image.fromarray(mask).save(folder / f"{name}.png")
    return folder


def test_values_of_masks_mean_what_they_mean_for_images(video, tmp_path):
    values = np.uint8(1) * square_mask()
    values[:, 40:42] = 255
    done = run("video", video, tmp_path / "out", "--truth", masks(tmp_path / "masks", f_1=values))
    assert done.exit_code == 0 and "hands are 1, ignored 255" in done.stderr
    dataset = imported(tmp_path / "out")
    assert [a["iscrowd"] for a in dataset.annotations(dataset.images[0])] == [0, 1]


def test_a_number_that_all_names_have_is_not_the_frames(video, tmp_path):
    folder = masks(tmp_path / "masks", clip0004_01=square_mask(), clip0004_02=square_mask())
    words = "names in", "would be of frame 4, clip0004_01 for one; name them like frame_000012"
    refused(run("video", video, tmp_path / "out", "--truth", folder), "all 2", *words)


def test_a_mask_of_another_size_is_named(video, tmp_path):
    folder = masks(tmp_path / "masks", f_1=square_mask()[:30])
    refused(run("video", video, tmp_path / "out", "--truth", folder), "f_1.png is 80x30, its image the video's frame")


def test_several_labels_and_others(video, tmp_path):
    labels = [{"id": 1, "name": "left_hand"}, {"id": 2, "name": "right_hand"}, {"id": 3, "name": "cup"}]
    content = json.loads(coco(tmp_path / "a.json").read_text()) | {"categories": labels}
    for number, annotation in enumerate(content["annotations"], start=1):
        annotation |= {"image_id": 1, "category_id": number}
    content["annotations"][1]["segmentation"] = [[40.0, 5, 60, 5, 60, 30]]
    (tmp_path / "a.json").write_text(json.dumps(content))
    words = ("video", video, tmp_path / "out", "--truth", tmp_path / "a.json")
    done = run(*words, "--label", "left_hand", "--label", "right_hand")
    assert done.exit_code == 0 and "objects of other labels were left out: cup (1)" in done.stderr
    dataset = imported(tmp_path / "out")
    assert [a["side"] for a in dataset.annotations(dataset.images[0])] == ["left", "right"]
    (tmp_path / "out").rename(tmp_path / "first")
    done = run(*words, "--label", "cup")
    assert done.exit_code == 0 and "with 1 object" in done.stdout
    assert imported(tmp_path / "out").info["objects"] == 1


def test_wrong_videos(video, tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(square_mask()).save(tmp_path / "masks/99.png")
    refused(run("video", video, tmp_path / "out", "--truth", tmp_path / "masks"), "ends before frame 99")
    (tmp_path / "fake.mp4").write_bytes(b"no video at all")
    refused(
        run("video", tmp_path / "fake.mp4", tmp_path / "out", "--truth", tmp_path / "masks"), "is damaged or no video"
    )
    refused(run("video", tmp_path / "no.mp4", tmp_path / "out", "--truth", tmp_path / "masks"), "no.mp4 is missing")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [b"c" * 251, b"caf\xe9"])
def test_a_name_that_is_long_or_no_utf8_makes_names_of_files(video, tmp_path, name):
    (tmp_path / "masks").mkdir()
    Image.fromarray(square_mask()).save(tmp_path / "masks" / "frame_00001.png")
    video = video.rename(tmp_path / os.fsdecode(name + b".mp4"))
    import_video(video, tmp_path / "masks", tmp_path / "out", About())
    (image,) = imported(tmp_path / "out")
    assert image["file_name"].startswith(("ccc", "caf%E9_000001")) and image["group"].startswith(("ccc", "caf%E9.mp4"))


def test_boxes_of_a_video_on_request(video, tmp_path):
    box = '<box frame="{}" outside="{}" keyframe="1" xtl="10" ytl="20" xbr="30" ybr="45"/>'
    (tmp_path / "tracks.xml").write_text(
        "<annotations><version>1.1</version><meta><task><size>6</size></task></meta>"
        f'<track id="0" label="hand">{box.format(1, 0)}{box.format(3, 1)}</track></annotations>'
    )
    done = run("video", video, tmp_path / "none", "--truth", tmp_path / "tracks.xml")
    assert (
        done.exit_code == 2 and "tracks.xml has a box alone of each object (2), and no outline; --boxes" in done.stderr
    )
    assert not (tmp_path / "none").exists()
    assert run("video", video, tmp_path / "out", "--truth", tmp_path / "tracks.xml", "--boxes").exit_code == 0
    dataset = imported(tmp_path / "out")
    held = {image["frame"]: [a["bbox"] for a in dataset.annotations(image)] for image in dataset}
    assert held[1] == held[2] == [[10, 20, 20, 25]] and not any(held[n] for n in held if n > 2)
