"""Files that attack or mislead: links, pipes, other formats under an image's name, records no tool should write."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from dataset_samples import edit, make
from PIL import Image

from handforge import dataset as ds
from handforge.cli import main
from handforge.dataset import image_io, reader
from handforge.dataset.validate import check
from handforge.files import STALE, _begin, remove_stale, write_atomic


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "set")


def problems(folder):
    return check(folder, 1, lambda done, total: None)


def test_a_program_under_an_images_name_is_not_run(tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", "EPS")
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was started"))
    with pytest.raises(ds.DatasetError, match=r"a\.png is not an image that can be read"):
        ds.read_image(tmp_path / "a.png")


def test_a_pipe_is_refused_not_waited_for(folder):
    path = folder / "images" / "f0.png"
    path.unlink()
    os.mkfifo(path)
    assert problems(folder) == [f"{path} is not a regular file"]
    data = ds.Dataset(folder)
    with pytest.raises(ds.DatasetError, match=r"f0\.png is not a regular file"):
        ds.copy_subset(data, data.images, folder.parent / "part")


@pytest.mark.parametrize("name", ["images/f0.png", "masks/f0.png", "images"])
def test_links_out_of_a_dataset_are_refused(folder, name):
    secret = folder.parent / "secret"
    (folder / name).rename(secret)
    (folder / name).symlink_to(secret)
    data = ds.Dataset(folder)
    message = "is a link to .*secret.*, outside the dataset; copy the file into it"
    with pytest.raises(ds.DatasetError, match=message):
        ds.copy_subset(data, data.images, folder.parent / "part")
    assert not (folder.parent / "part").exists()
    assert any("outside the dataset" in problem for problem in problems(folder))


def test_links_within_a_dataset_and_to_one_are_followed(folder):
    (folder / "images" / "f1.png").unlink()
    (folder / "images" / "f1.png").symlink_to("f0.png")
    (folder.parent / "link").symlink_to(folder)
    data = ds.Dataset(folder.parent / "link")
    assert (data.read_image(data.images[1]) == data.read_image(data.images[0])).all()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("iscrowd", 10**9, "iscrowd is 1000000000, it must be 0 or 1"),
        ("iscrowd", "1", "iscrowd is '1', it must be 0 or 1"),
        ("side", "both", "side is 'both', it must be left or right"),
        ("num_keypoints", "many", "num_keypoints says 'many'"),
        ("keypoints", [1.0, 1.0, -1] * 21, "the visibility of a keypoint is not 0, 1 or 2"),
        ("keypoints", [1e308, 1.0, 2] * 21, "a keypoint lies outside the image; its visibility must be 0"),
        ("keypoints", [float("1e999"), 1.0, 2] * 21, "keypoints must be 21 times 3 numbers"),
        ("keypoints", [1.0], "keypoints must be 21 times 3 numbers"),
        ("category_id", 7, "category 7 is not listed; there are 1"),
    ],
)
def test_check_and_split_refuse_the_same(folder, key, value, message):
    assert problems(folder) == []
    edit(folder, lambda content: content["annotations"][0].update({key: value}))
    path = folder / "annotations.json"
    path.write_text(path.read_text().replace("Infinity", "1e999"))
    assert any(message in problem for problem in problems(folder))
    data = ds.Dataset(folder)
    with pytest.raises(ds.DatasetError, match="annotation 1"):
        ds.copy_subset(data, data.images, folder.parent / "part")


def test_a_mask_annotated_twice_is_a_problem(folder):
    edit(folder, lambda content: content["annotations"].append({**content["annotations"][0], "id": 9}))
    assert any("annotation 9 has the same mask as annotation 1" in problem for problem in problems(folder))


def test_masks_that_would_fill_the_memory_are_refused(folder, monkeypatch):
    data = ds.Dataset(folder)
    monkeypatch.setattr(reader, "MAX_MASK_BYTES", 40 * 60 - 1)
    with pytest.raises(ds.DatasetError, match=r"the 1 masks of f0\.png take .* GB, more than"):
        data.masks(data.images[0])
    assert len(list(data.each_mask(data.images[0]))) == 1, "one at a time they are no burden"


def test_a_large_text_in_a_png_is_read(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("profile", "a" * 3_000_000, zip=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=info)
    assert ds.read_image(tmp_path / "a.png").shape == (4, 4, 3)


@pytest.mark.parametrize("suffix", [".gif", ".avif", ".heic"])
def test_other_formats_of_cameras_and_screens(tmp_path, suffix):
    if suffix == ".heic":
        pytest.importorskip("pillow_heif", reason="the extra heif").register_heif_opener()
    elif suffix not in image_io.IMAGE_SUFFIXES:
        pytest.skip("this Pillow has no AVIF")
    Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / f"a{suffix}")
    assert np.abs(ds.read_image(tmp_path / f"a{suffix}").astype(int) - (200, 30, 30)).max() < 12


def test_heic_without_its_library_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "a.heic").write_bytes(b"x")
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(ds.DatasetError, match=r"a\.heic needs .*pip install 'handforge\[heif\]'"):
        ds.read_image(tmp_path / "a.heic")


def test_a_planted_link_gets_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda size: "known")
    (tmp_path / "victim").write_text("mine")
    (tmp_path / ".a.json.known.tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "a.json", b"new")
    assert (tmp_path / "victim").read_text() == "mine" and not (tmp_path / "a.json").exists()


def test_a_rewritten_file_keeps_its_mode(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    path.chmod(0o640)
    write_atomic(path, b"new")
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_file_that_the_output_is_added_to_keeps_what_it_holds(folder, tmp_path, name):
    """As by ``handforge dataset check data --json /dev/stdout >> log.txt``."""
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    command = [sys.executable, "-m", "handforge", "dataset", "check", str(folder), "--json", name]
    with log.open("a") as file:
        subprocess.run(command, stdout=file, check=True)
    first, *result, last = log.read_text().splitlines()
    assert (first, last) == ("before", "3 images with 3 hands, nothing wrong")
    assert json.loads("".join(result))["images"] == 3
    assert list(tmp_path.glob(".*")) == []


def test_a_dash_is_the_standard_output_and_text_for_people_goes_elsewhere(folder, tmp_path):
    command = [sys.executable, "-m", "handforge", "dataset", "check", str(folder), "--quiet", "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["images"] == 3
    assert done.stderr == "3 images with 3 hands, nothing wrong\n"
    assert list(tmp_path.iterdir()) == [folder]


def test_an_open_file_that_is_not_there_is_refused(folder):
    done = CliRunner().invoke(main, ["dataset", "check", str(folder), "--json", "/dev/fd/99"])
    assert done.exit_code == 2 and "nothing can be written into" in done.stderr


@pytest.mark.parametrize("letter", ["a", "é", "手"])
def test_names_may_be_as_long_as_the_disk_takes(tmp_path, letter):
    path = tmp_path / f"{letter * (251 // len(letter.encode()))}.png"
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]
    left = tmp_path / f"{_begin(path)}01234567.tmp"
    left.write_text("of a kill")
    os.utime(left, (0, 0))
    remove_stale(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_writes_left_is_removed_and_others_stay(tmp_path):
    old, young, others = (tmp_path / name for name in (".a.json.1.tmp", ".a.json.2.tmp", ".b.json.1.tmp"))
    for path in (old, young, others):
        path.write_text(json.dumps(1))
    before = time.time() - 2 * STALE
    os.utime(old, (before, before))
    os.utime(others, (before, before))
    remove_stale(tmp_path / "a.json")
    assert not old.exists() and young.exists() and others.exists()
