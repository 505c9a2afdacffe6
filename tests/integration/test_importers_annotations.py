"""Annotations that people drew, in COCO, CVAT and LabelMe: they say the same, or are refused."""

import json

import pytest
from importer_samples import coco, cvat, imported, labelme, refused, run, square_mask, write_image


@pytest.mark.parametrize("write, name", [(coco, "a.json"), (cvat, "a.xml"), (labelme, "labels")])
def test_annotations_of_three_tools_say_the_same(tmp_path, write, name):
    for i in (1, 2, 3):
        write_image(tmp_path / "shots" / f"shot_{i}.jpg")
    source = write(tmp_path / name)
    done = run("annotations", source, tmp_path / "shots", tmp_path / "out")
    assert done.exit_code == 0, done.output
    dataset = imported(tmp_path / "out")
    assert [image["file_name"] for image in dataset] == ["shot_1.png", "shot_2.png"]  # the third is not annotated
    for image in dataset:
        masks = dataset.masks(image)
        assert len(masks) == 1 and (masks[0] == square_mask()).all()
    refused(
        run("annotations", source, tmp_path / "shots", tmp_path / "other", "--label", "foot"),
        "has nothing labelled 'foot' (there is",
        "hand",
    )


def test_damaged_annotations_are_named(tmp_path):
    write_image(tmp_path / "shots" / "shot_1.jpg")
    endless = '{"images": [{"id": 1, "file_name": "a.jpg", "width": 1e999, "height": 1}]}'
    for name, text in (
        *(("a.json", '{"images": 3}'), ("a.xml", "<annotations><image"), ("b.json", "{"), ("c.json", endless)),
    ):
        (tmp_path / name).write_text(text)
        done = run("annotations", tmp_path / name, tmp_path / "shots", tmp_path / "out")
        said = {
            "a.json": ": images is 3; COCO has a list there",
            "b.json": " is not valid JSON",
            "c.json": ": image 1 has the size inf x 1; these must be pixels",
        }
        refused(done, f"{name}{said.get(name, ' is not a COCO, CVAT')}")
    for name in ("no.json", "no.txt", "no"):
        done = run("annotations", tmp_path / name, tmp_path / "shots", tmp_path / "out")
        refused(done, f"{tmp_path / name} is missing")
    image = tmp_path / "shots/shot_1.jpg"
    refused(run("annotations", coco(tmp_path / "d.json"), image, tmp_path / "out"), f"{image} is not a folder")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("write, name", [(coco, "a.json"), (cvat, "a.xml"), (labelme, "labels")])
def test_images_of_another_size_than_annotated_are_refused(tmp_path, write, name):
    write_image(tmp_path / "shots" / "shot_1.jpg", (40, 30))
    source = write(tmp_path / name)
    if write is labelme:
        for path in source.iterdir():
            path.write_text(json.dumps({**json.loads(path.read_text()), "imageWidth": 80, "imageHeight": 60}))
    done = run("annotations", source, tmp_path / "shots", tmp_path / "out")
    refused(done, "shot_1.jpg is 40x30, but its annotations were drawn on 80x60; give those images")
    write_image(tmp_path / "others" / "photo.jpg")
    done = run("annotations", source, tmp_path / "others", tmp_path / "out")
    refused(done, "others has no image that", "lists: ", "shot_1.jpg for one; photo.jpg is there")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('left="10"', 'left="70"', "500 pixels in a box of 20x25 at 70, 20"),
        ('left="10"', 'left="-5"', "500 pixels in a box of 20x25 at -5, 20"),
        ('rle="0,500"', 'rle="0,99999999999999"', "99999999999999 pixels in a box of 20x25 at 10, 20"),
        ('rle="0,500"', 'rle="-1,501"', "500 pixels in a box of 20x25 at 10, 20"),
    ],
)
def test_a_cvat_mask_that_does_not_fit_is_refused(tmp_path, old, new, problem):
    write_image(tmp_path / "shots" / "shot_1.jpg")
    path = cvat(tmp_path / "a.xml")
    path.write_text(path.read_text().replace(old, new))
    done = run("annotations", path, tmp_path / "shots", tmp_path / "out")
    refused(done, f"image shot_2.jpg: a mask cannot be read ({problem} in 80x60 pixels)")


@pytest.mark.parametrize("tool", ["cvat", "labelme"])
def test_outlines_of_one_group_are_one_hand(tmp_path, tool):
    """A pencil before a hand cuts it in two; annotators group the parts."""
    write_image(tmp_path / "shots" / "shot_1.jpg")
    parts = [[(10, 20), (20, 20), (20, 45), (10, 45)], [(24, 20), (30, 20), (30, 45), (24, 45)]]
    others = [(50, 20), (60, 20), (60, 45)], [(65, 20), (75, 20), (75, 45)]
    groups = [(parts[0], 1), (parts[1], 1), *((other, None) for other in others)]
    if tool == "labelme":
        source = tmp_path / "labels"
        source.mkdir()
        shapes = [{"label": "hand", "points": points, "group_id": group} for points, group in groups]
        (source / "a.json").write_text(json.dumps({"shapes": shapes, "imagePath": "shot_1.jpg"}))
    else:
        source, written = tmp_path / "a.xml", ""
        for points, group in groups:
            text = ";".join(f"{x},{y}" for x, y in points)
            written += f'<polygon label="hand" points="{text}" group_id="{group or 0}"/>'
        source.write_text(
            f'<annotations><image name="shot_1.jpg" width="80" height="60">{written}</image></annotations>'
        )
    assert run("annotations", source, tmp_path / "shots", tmp_path / "out").exit_code == 0
    dataset = imported(tmp_path / "out")
    hand, *others = dataset.masks(dataset.images[0])
    assert len(others) == 2 and hand[20:45, 10:20].all() and hand[20:45, 24:30].all() and hand.sum() == 25 * 16
