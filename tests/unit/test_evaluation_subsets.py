"""Zooming and sampling: what is shown, that the truth goes with it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation_scenes import rectangle, write_dataset
from trainer_samples import write_shapes

from evaluation.cli import main
from generator.cli import main as generator
from handforge.dataset import (
    Category,
    Dataset,
    DatasetError,
    Instance,
    Sample,
    assemble,
    by_group,
    check_image,
    group_numbers,
    write_sample,
)
from handforge.dataset.subsets import merge, window, zoomed


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    camera = [[100.0, 0, 20], [0, 100, 20], [0, 0, 1]]
    masks = [[rectangle(22, 20, 8, 6, 40)], [rectangle(0, 0, 30, 4, 40)], [], [rectangle(33, 33, 7, 7, 40)]]
    return write_dataset(tmp_path / "data", masks, size=40, camera=camera)


def run(*arguments) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def renamed(dataset, names):
    """Give the first images of a dataset of PNG files these names."""
    content = json.loads(dataset.path.read_text())
    for image, name in zip(content["images"], names, strict=False):
        before, image["file_name"] = Path(image["file_name"]), f"{name}.png"
        for folder, new in (("images", image["file_name"]), ("masks", Path(image["file_name"]).name)):
            (dataset.folder / folder / new).parent.mkdir(exist_ok=True)
            (dataset.folder / folder / before).rename(dataset.folder / folder / new)
    dataset.path.write_text(json.dumps(content))


def test_the_window_holds_the_hand_and_keeps_to_the_frame():
    assert window([rectangle(22, 20, 8, 6, 40)], 40, 40, 2) == (16, 13, 36, 33)
    assert window([rectangle(33, 33, 7, 7, 40)], 40, 40, 2) == (20, 20, 40, 40)  # moved into the frame
    assert window([rectangle(0, 0, 30, 4, 40)], 40, 40, 2) == (0, 0, 30, 30)  # as large as the hand needs
    assert window([], 40, 40, 4) == (15, 15, 25, 25)


def test_zoomed_masks_lie_on_the_zoomed_hands(dataset):
    frame = zoomed(dataset, dataset.images[0], 2)
    assert frame.image.shape == (40, 40, 3)
    (instance,) = frame.instances
    assert (instance.mask == rectangle(12, 14, 16, 12, 40)).all()  # (22 - 16) * 2, (20 - 13) * 2, twice 8 x 6
    bright = frame.image[..., 0] > 150
    assert (bright == instance.mask).mean() > 0.98
    assert np.array(frame.meta["camera"]) @ [0.02, 0, 1] == pytest.approx(
        [(100 * 0.02 + 20 - 16) * 2, (20 - 13) * 2, 1]
    )


def test_keypoints_go_with_the_image(dataset):
    content = json.loads(dataset.path.read_text())
    points = np.zeros((21, 3))
    points[0], points[5] = (26, 23, 2), (2, 2, 2)
    content["annotations"][0]["keypoints"] = points.ravel().tolist()
    dataset.path.write_text(json.dumps(content))
    opened = Dataset(dataset.folder)
    moved = zoomed(opened, opened.images[0], 2).instances[0].keypoints
    assert moved[0].tolist() == [20, 20, 2]
    assert moved[5].tolist() == [0, 0, 0]  # outside


def test_zoom_keeps_what_is_said_of_a_hand_and_how_its_image_is_compressed(tmp_path):
    """The part is x 16 to 36, y 13 to 33; a joint on its far edge is outside, one that is hidden stays so."""
    points = np.zeros((21, 3))
    points[:4] = (35.9, 32.9, 1), (36, 20, 2), (20, 33, 2), (30, 20, 0)
    hand = Instance(rectangle(22, 20, 8, 6, 40), points, "left", glove="leather", mirrored=True)
    folder = tmp_path / "jpegs"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    assemble(folder, [write_sample(folder, Sample("p1", np.zeros((40, 40, 3), np.uint8), (hand,)), "jpg")], {})
    assert run("zoom", folder, tmp_path / "near", "--factor", 2)[0] == 0
    (image,) = near = Dataset(tmp_path / "near")
    (annotation,) = near.annotations(image)
    assert image["file_name"] == "p1.jpg" and check_image(near, image) == []
    assert (annotation["side"], annotation["glove"], annotation["mirrored"]) == ("left", "leather", True)
    assert annotation["keypoints"] == [39.8, 39.8, 1] + [0] * 60 and annotation["num_keypoints"] == 1


def test_zoom_leaves_out_truths_that_it_does_not_cut(tmp_path):
    source = write_dataset(tmp_path / "deep", [[rectangle(22, 20, 8, 6, 40)]], size=40, truths=["depth"])
    assert run("zoom", source.folder, tmp_path / "near")[0] == 0
    (image,) = Dataset(tmp_path / "near")
    assert "truths" not in image and check_image(Dataset(tmp_path / "near"), image) == []


def test_zoom_keeps_what_a_mask_covers_and_moves_its_wrist(dataset, tmp_path):
    content = json.loads(dataset.path.read_text())
    hand = next(a for a in content["annotations"] if a["image_id"] == 1)
    x, y, width, height = hand["bbox"]
    hand.update(category_id=2, wrist=[[x, y], [x + width, y + height]])
    content["categories"].append({"id": 2, "name": "hand+forearm"})
    dataset.path.write_text(json.dumps(content))
    assert run("zoom", dataset.folder, tmp_path / "vid2", "--factor", 2)[0] == 0
    made = Dataset(tmp_path / "vid2")
    (zoomed,) = made.annotations(made.images[0])
    x, y, width, height = zoomed["bbox"]
    assert zoomed["category_id"] == 2
    assert zoomed["wrist"] == pytest.approx(np.array([[x, y], [x + width, y + height]]), abs=1)


def test_zoom_and_sample_keep_any_categories_and_crowds(tmp_path):
    cup, pen = Category(3, "cup", ("top", "bottom")), Category(9, "pen")
    folder = tmp_path / "cups"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    points = np.array([[25, 22, 2], [1, 1, 2]], float)
    instances = (
        Instance(rectangle(22, 20, 8, 6, 40), points, category="cup"),
        Instance(rectangle(24, 21, 4, 4, 40), category="pen", crowd=True),
    )
    record = write_sample(folder, Sample("p1", np.zeros((40, 40, 3), np.uint8), instances), categories=(cup, pen))
    assemble(folder, [record], {}, categories=(cup, pen))
    for words in (("zoom", folder, tmp_path / "zoom"), ("sample", folder, tmp_path / "sample", "--count", 1)):
        assert run(*words)[0] == 0
        made = Dataset(words[2])
        assert made.category_list == (cup, pen)
        annotations = made.annotations(made.images[0])
        assert [(made.category(one), one["iscrowd"]) for one in annotations] == [("cup", 0), ("pen", 1)]
        assert check_image(made, made.images[0]) == []
    moved = Dataset(tmp_path / "zoom")
    assert moved.annotations(moved.images[0])[0]["keypoints"] == [18, 18, 2, 0, 0, 0]  # (25 - 16) * 2, (22 - 13) * 2


def test_crowds_have_no_say_in_what_zoom_shows(tmp_path):
    """A crowd in the whole width would widen the part to the whole image; one outside the part is left out."""
    folder, hand = tmp_path / "data", rectangle(22, 20, 8, 6, 40)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    crowds = rectangle(0, 30, 40, 6, 40), rectangle(0, 0, 40, 8, 40)  # within rows 13 to 33 of the part, and above it
    scenes = [(Instance(hand), *(Instance(mask, crowd=True) for mask in crowds)), (Instance(crowds[0], crowd=True),)]
    records = [
        write_sample(folder, Sample(f"p{number}", np.zeros((40, 40, 3), np.uint8), instances))
        for number, instances in enumerate(scenes)
    ]
    assemble(folder, records, {})
    source = Dataset(folder)
    frame = zoomed(source, source.images[0], 2)
    assert [instance.crowd for instance in frame.instances] == [False, True]
    assert frame.instances[0].mask.sum() == 4 * hand.sum(), "twice as large"
    expected = np.zeros((40, 40), bool)
    expected[2 * (30 - 13) :] = True
    assert (frame.instances[1].mask == expected).mean() > 0.97
    alone = zoomed(source, source.images[1], 2)
    assert not alone.instances, "of crowds alone the middle is shown, rows 10 to 30"


def test_images_of_one_group_belong_together_and_those_of_none_do_not():
    images = [{"id": number, "group": group} for number, group in enumerate(["b", None, "a", "b", None])] + [{"id": 5}]
    assert list(by_group(images).values()) == [[0, 3], [1], [2], [4], [5]]
    assert group_numbers(images).tolist() == [0, 1, 2, 0, 3, 4]


def test_datasets_merge_with_categories_unified_by_name(tmp_path):
    one = write_shapes(tmp_path / "one", {"circle": 7, "square": 3}, count=2)
    other = write_shapes(tmp_path / "other", {"square": 1, "star": 7}, count=3)
    for folder, background in ((one, "white"), (other, "white")):
        run("describe", folder, "--background", background, *(["--scale", "near"] if folder == one else []))
    done = CliRunner().invoke(generator, ["merge", *map(str, (tmp_path / "both", one, other))])
    assert done.exit_code == 0, done.output
    both = Dataset(tmp_path / "both")
    assert {c.id: c.name for c in both.category_list} == {7: "circle", 3: "square", 8: "star"}
    expected = [("one", i) for i in range(2)] + [("other", i) for i in range(3)]
    assert [image["file_name"] for image in both] == [f"{name}_shapes00{i}.png" for name, i in expected]
    for image, (name, i) in zip(both, expected, strict=True):
        source = Dataset(tmp_path / name)
        assert (both.read_image(image) == source.read_image(source.images[i])).all()
        pairs = zip(both.masks(image), source.masks(source.images[i]), strict=True)
        assert all((mask == before).all() for mask, before in pairs)
        names = [
            data.category(a)
            for data, shown in ((both, image), (source, source.images[i]))
            for a in data.annotations(shown)
        ]
        assert names[:2] == names[2:] and check_image(both, image) == []
    assert both.info["scene"] == {"background": "white"} and both.info["objects"] == 10
    assert [part["id"] for part in both.info["merged_from"]] == [Dataset(one).id, Dataset(other).id]
    again = CliRunner().invoke(generator, ["merge", *map(str, (tmp_path / "both", one, other))])
    assert again.exit_code == 2 and "both is there already" in again.stderr


def test_names_that_fall_together_with_their_datasets_folder_before_them_get_its_number(tmp_path):
    """``b_x`` of ``a`` and ``x`` of ``a_b``, and ``y`` of both."""
    masks = [[rectangle(4, 4, 10, 10, 40)]] * 2
    for folder, names in (("a", ("b_x", "y")), ("a_b", ("x", "y"))):
        renamed(write_dataset(tmp_path / folder, masks, size=40), names)
    merge([Dataset(tmp_path / "a"), Dataset(tmp_path / "a_b")], tmp_path / "both")
    both = Dataset(tmp_path / "both")
    assert [image["file_name"] for image in both] == ["1_b_x.png", "1_y.png", "2_x.png", "2_y.png"]
    assert all(check_image(both, image) == [] for image in both)


def test_names_that_folders_make_too_long_are_cut(tmp_path):
    sources = [write_shapes(tmp_path / (letter * 250), {"circle": 1}, count=1) for letter in "op"]
    done = CliRunner().invoke(generator, ["merge", *map(str, (tmp_path / "both", *sources))])
    assert done.exit_code == 0, done.output
    both = Dataset(tmp_path / "both")
    assert [image["file_name"][:200] for image in both] == ["o" * 200, "p" * 200]
    assert all(check_image(both, image) == [] for image in both)


def test_datasets_of_other_keypoints_do_not_merge(tmp_path, dataset):
    other = write_dataset(tmp_path / "other", [[rectangle(0, 0, 30, 4, 40)]], size=40)
    content = json.loads(other.path.read_text())
    content["categories"][0]["keypoints"].reverse()
    other.path.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="other keypoints for 'hand' than the dataset before it"):
        merge([dataset, Dataset(other.folder)], tmp_path / "both")
    merge([dataset, dataset], tmp_path / "twice")
    assert [image["file_name"][:2] for image in Dataset(tmp_path / "twice")] == ["1_"] * 4 + ["2_"] * 4


def test_zoom_command(dataset, tmp_path):
    out = tmp_path / "vid2"
    code, output = run("zoom", dataset.folder, out, "--factor", 2)
    assert code == 0, output
    made = Dataset(out)
    assert [image["file_name"] for image in made] == [image["file_name"] for image in dataset]
    assert [problem for image in made for problem in check_image(made, image)] == []
    assert (made.info["zoomed_from"], made.info["zoom"]) == (dataset.id, 2.0)
    code, output = run("zoom", dataset.folder, out)
    assert (code, "is there already; give a new folder" in output) == (2, True)


@pytest.mark.parametrize("factor", ["nan", "0.5"])
def test_factors_that_cannot_be(dataset, tmp_path, factor):
    code, output = run("zoom", dataset.folder, tmp_path / "out", "--factor", factor)
    assert code == 2 and "--factor" in output and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"camera": "x"}, "p2.png: camera is 'x', it must be 3 times 3 numbers"),
        ({"file_name": "p1.jpg"}, "several images of data would be called p1 in out; rename them"),
    ],
)
def test_zoom_refuses(dataset, monkeypatch, change, message):
    content = json.loads(dataset.path.read_text())
    content["images"][1].update(change)
    dataset.path.write_text(json.dumps(content))
    monkeypatch.chdir(dataset.folder.parent)
    code, output = run("zoom", "data", "out")
    assert (code, message in output, list(dataset.folder.parent.glob("*out*"))) == (2, True, [])


def test_zoom_leaves_nothing_half_written(dataset, tmp_path):
    (dataset.folder / "images" / "p4.png").unlink()
    code, output = run("zoom", dataset.folder, tmp_path / "vid2")
    assert code == 2
    assert output.startswith("Error: ") and "p4.png is missing" in output and output.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_sample_command(dataset, tmp_path):
    for out, seed in (("a", 0), ("b", 0), *((f"c{seed}", seed) for seed in range(1, 6))):
        code, output = run("sample", dataset.folder, tmp_path / out, "--count", 2, "--seed", seed)
        assert code == 0, output
    made = {path.name: Dataset(path) for path in tmp_path.iterdir() if path != dataset.folder}
    names = {out: [image["file_name"] for image in sampled] for out, sampled in made.items()}
    assert all(len(chosen) == 2 and chosen == sorted(chosen) for chosen in names.values())
    assert names["a"] == names["b"] and len({tuple(chosen) for chosen in names.values()}) > 1
    assert [problem for image in made["a"] for problem in check_image(made["a"], image)] == []


def test_sample_is_refused(dataset, tmp_path):
    code, output = run("sample", dataset.folder, tmp_path / "a", "--count", 5)
    assert (code, "has 4 images, fewer than the 5 asked for" in output) == (2, True)
    code, output = run("sample", dataset.folder, dataset.folder, "--count", 2)
    assert (code, "is there already" in output) == (2, True)
    assert not (tmp_path / "a").exists()


def test_folders_that_make_a_zoomed_images_name_too_long_are_cut_with_it(dataset, tmp_path):
    renamed(dataset, [f"{'f' * 200}/{'n' * 200}"])
    code, output = run("zoom", dataset.folder, tmp_path / "out")
    assert code == 0, output
    out = Dataset(tmp_path / "out")
    assert out.images[0]["file_name"].startswith("f" * 200 + "_n") and check_image(out, out.images[0]) == []
