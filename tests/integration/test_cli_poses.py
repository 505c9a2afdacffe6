"""hand-generator poses and split."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from generator.cli import main
from generator.hand import plausibility, pose, pose_sets
from handforge import dataset


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def few(tmp_path):
    """A file of four poses: two kept, one beyond a joint's limit, one with crossed fingers."""
    poses = np.stack(
        [
            pose.bind(),
            pose.with_angles(index_pip_flexion=60),
            pose.with_angles(index_pip_flexion=170),
            pose.with_angles(index_mcp_abduction=-18, middle_mcp_abduction=18),
        ]
    )
    path = tmp_path / "few.csv"
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("[/mine]",) * 4, np.arange(4), poses)))
    return path


def test_counts_and_kept_poses(few, tmp_path):
    out, counts = tmp_path / "kept.csv", tmp_path / "counts.json"
    done = run("poses", "--set", few, "--out", out, "--json", counts)
    assert done.exit_code == 0, done.output
    dropped = dict.fromkeys(plausibility.RULES, 0) | {"joint limit": 1, "self-collision": 1}
    assert json.loads(counts.read_text()) == {"[/mine]": {"poses": 4, "kept": 2, "dropped": dropped}}
    assert "[/mine]" in done.stdout
    assert pose_sets.load(out).frames.tolist() == [0, 1]


@pytest.mark.slow
def test_the_map_of_the_sweep(tmp_path):
    done = run("poses", "--set", "l2", "--plot", tmp_path / "map.png")
    assert done.exit_code == 0, done.output
    assert dataset.read_image(tmp_path / "map.png").shape[0] > 300


def test_a_map_of_some_poses_is_refused(few, tmp_path):
    done = run("poses", "--set", few, "--plot", tmp_path / "map.png")
    assert done.exit_code == 2
    assert "--plot draws whole sets, not the file" in done.stderr
    assert not (tmp_path / "map.png").exists()


def test_a_map_of_another_form_is_refused(tmp_path):
    done = run("poses", "--set", "all", "--plot", tmp_path / "map.bmp")
    assert done.exit_code == 2 and "map.bmp must end in .png, .svg, .pdf" in done.stderr


def test_an_unknown_set_ends_with_one_line():
    done = run("poses", "--set", "l3")
    assert done.exit_code == 2
    known = "l2, l11, fingers, signs, gestures, grasps, all"
    assert done.stderr.strip().endswith(f"Error: 'l3' is neither a set ({known}) nor a file of poses")


def small_dataset(folder, count=5):
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    mask = np.zeros((8, 9), bool)
    mask[2:5, 3:6] = True
    pixels = np.zeros((8, 9, 3), np.uint8)
    frames = [dataset.Sample(f"f{i}", pixels + i, (dataset.Instance(mask),)) for i in range(count)]
    dataset.assemble(folder, [dataset.write_sample(folder, frame) for frame in frames], {})
    return folder


def test_split_parts_a_dataset(tmp_path):
    folder = small_dataset(tmp_path / "all")
    done = run("split", folder, tmp_path / "train", tmp_path / "test", "--test", 2)
    assert done.exit_code == 0, done.output
    parts = [dataset.Dataset(tmp_path / name) for name in ("train", "test")]
    names = [{image["file_name"] for image in part} for part in parts]
    assert [len(n) for n in names] == [3, 2] and names[0] | names[1] == {f"f{i}.png" for i in range(5)}


def grouped(folder, groups):
    """Say of which group each image of a dataset is, as an import of people or videos does."""
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    for image, group in zip(content["images"], groups, strict=True):
        image["group"] = group
    path.write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_split_does_not_part_a_group(tmp_path, seed):
    folder = grouped(small_dataset(tmp_path / "all", 9), "abcabcabc")
    done = run("split", folder, tmp_path / "train", tmp_path / "test", "--test", 7, "--seed", seed)
    assert done.exit_code == 0 and "test: 6 images" in done.output, done.output
    train, test = ({image["group"] for image in dataset.Dataset(tmp_path / name)} for name in ("train", "test"))
    assert (len(train), len(test)) == (1, 2) and not train & test
    done = run("split", folder, tmp_path / "more", tmp_path / "less", "--test", 2)
    assert done.exit_code == 2 and "--test 2 is too few" in done.stderr and "3 images at least belong" in done.stderr


def test_split_refuses_what_it_cannot_do(tmp_path):
    folder = small_dataset(tmp_path / "all")
    done = run("split", folder, tmp_path / "train", tmp_path / "test", "--test", 5)
    assert done.exit_code == 2 and "leaves nothing to train on" in done.stderr
    for train, test in (("new", "new"), ("new", "new/test"), ("new/train", "new")):
        done = run("split", folder, tmp_path / train, tmp_path / test, "--test", 2)
        assert done.exit_code == 2 and "new cannot hold" in done.stderr and not (tmp_path / "new").exists()
    (tmp_path / "test").mkdir()
    (tmp_path / "test/notes.txt").write_text("mine")
    done = run("split", folder, tmp_path / "train", tmp_path / "test", "--test", 2)
    assert done.exit_code == 2 and "test is there already" in done.stderr
    assert not (tmp_path / "train").exists()


def test_a_split_that_was_stopped_continues(tmp_path):
    folder = small_dataset(tmp_path / "all")
    words = ("split", folder, tmp_path / "train", tmp_path / "test", "--test", 2)
    assert run(*words).exit_code == 0
    shutil.rmtree(tmp_path / "test")
    done = run(*words)
    assert done.exit_code == 0 and done.stderr == f"{tmp_path / 'train'} is complete already\n"
    assert len(dataset.Dataset(tmp_path / "test")) == 2
    done = run(*words, "--seed", 1)
    assert done.exit_code == 2 and "train is there already" in done.stderr, "other images"
