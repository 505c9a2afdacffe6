"""Annotated frames of videos become datasets."""

import numpy as np
import pytest
from importer_samples import SIZE, coco, imported, labelme, picture, refused, run, square_mask
from PIL import Image

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
        picture(folder / f"shot_{i}.jpg")
    assert run("video", video, tmp_path / "out", "--truth", folder).exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [(dataset.masks(image)[0] == square_mask()).all() for image in dataset] == [True, True]


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
