"""People's own files: what cannot be read is skipped and said, names stay apart, several sources are one job."""

import json
import os
import struct
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from fake_detector import FakeDetector
from PIL import Image
from trainer_samples import refused, write_blobs

from handforge.cli import main
from handforge.dataset import read_image
from trainer.inference import predict
from trainer.inference.inputs import open_source, output_names


def invoke(*words):
    return CliRunner().invoke(main, [os.fsdecode(word) for word in map(os.fsencode, map(str, words))])


@pytest.fixture(autouse=True)
def weights(monkeypatch):
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    return "shipped"


def photo(path, size=(80, 60), color="white", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path, **options)
    return path


def read(path):
    return json.loads(path.read_text())


def test_bad_files_do_not_cost_the_job(weights, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    for name in ("a.jpg", "e.png", "h.jpg"):
        photo(photos / name)
    (photos / "b.jpg").write_bytes(b"")
    (photos / "c.png").write_bytes(photo(tmp_path / "whole.png", (400, 300)).read_bytes()[:90])
    (photos / "d.jpg").write_text("%!PS no image")
    photo(photos / "f.jpg", (4000, 10))
    os.mkfifo(photos / "g.png")
    (photos / "._a.jpg").write_bytes(b"of a Mac")
    (photos / "Thumbs.db").write_bytes(b"of Windows")
    (photos / "notes.txt").write_text("x")
    (photos / "deeper").mkdir()
    done = invoke("predict", "--weights", weights, photos, "--out", out, "--masks", "--batch", 2)
    assert done.exit_code == 1, done.output
    images = read(out / "images.json")
    assert [(image["id"], image["file_name"]) for image in images] == [(1, "a.jpg"), (5, "e.png"), (8, "h.jpg")]
    assert sorted(path.name for path in (out / "masks").iterdir()) == ["a.png", "e.png", "h.png"]
    record = read(out / "predict.json")
    assert [entry["file"] for entry in record["skipped"]] == ["b.jpg", "c.png", "d.jpg", "f.jpg", "g.png"]
    for text in (
        *("3 images, ", "b.jpg is empty", "c.png is damaged or cut short", "d.jpg is not an image that can be read"),
        *("f.jpg is 4000x10; an image so narrow", "g.png is not a regular file", "to their end: 5"),
        *("left out: 1 .txt", "1 folder within not searched (--recursive)", str(out / "results.json")),
    ):
        assert text in done.stdout, done.stdout
    strict = invoke("predict", "--weights", weights, photos, "--out", tmp_path / "strict", "--strict")
    refused(strict, "b.jpg is empty")
    assert not (tmp_path / "strict").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_skipped(weights, tmp_path):
    photo(tmp_path / "photos/a.png")
    photo(tmp_path / "photos/b.png").chmod(0)
    done = invoke("predict", "--weights", weights, tmp_path / "photos", "--out", tmp_path / "out")
    assert done.exit_code == 1 and "b.png may not be read" in done.stdout


@pytest.mark.parametrize("tag, value", [(0x8769, b"7"), (0x0112, "6"), (0x010F, 5), (0x0132, (1, 2))])
def test_odd_exif_costs_no_photograph(weights, tmp_path, tag, value):
    """Cameras and editors write what the standard does not know; the photograph is whole all the same."""
    written = Image.Exif()
    written[0x0112] = 6
    photo(tmp_path / "photos/a.jpg", color="red", exif=written)
    entry = struct.pack("<HHI", tag, 2 if isinstance(value, str) else 12, 1) + b"\0\0\0\0"
    rotated = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    entries = sorted([entry] if tag == 0x0112 else [entry, rotated], key=lambda one: one[:2])
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + b"\0" * 24
    photo(tmp_path / "photos/b.jpg", color="red", exif=exif)
    done = invoke("predict", "--weights", weights, tmp_path / "photos", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    sizes = [(image["width"], image["height"]) for image in read(tmp_path / "out/images.json")]
    assert sizes == [(60, 80), (80, 60) if tag == 0x0112 else (60, 80)]


@pytest.mark.parametrize(
    "name, mode, message",
    [
        ("a.png", None, "a.png has 16320x12240 pixels, more than 100,000,000"),
        ("a.tif", "I", "32 bits"),
        ("a.tif", "F", "32 bits"),
    ],
)
def test_images_that_would_be_misread_are_skipped_and_named(weights, tmp_path, name, mode, message):
    photos = tmp_path / "photos"
    photo(photos / "b.png", color="red")
    if mode:
        Image.new(mode, (80, 60), 1).save(photos / name)
    else:  # of 200 million pixels, by its header
        whole = bytearray(photo(photos / name).read_bytes())
        whole[16:24] = struct.pack(">II", 16320, 12240)
        whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
        (photos / name).write_bytes(whole)
    done = invoke("predict", "--weights", weights, photos, "--out", tmp_path / "out")
    assert done.exit_code == 1 and "1 image, " in done.stdout and message in done.stdout, done.output
    assert "damaged" not in done.stdout


def test_where_nothing_can_be_read_nothing_is_written(weights, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"")
    out = tmp_path / "out"
    refused(invoke("predict", "--weights", weights, tmp_path, "--out", out), "no file can be read; the first:", "a.jpg")
    refused(invoke("predict", "--weights", weights, tmp_path / "b.jpg", "--out", out), "b.jpg is empty")
    assert not out.exists()


def test_ids_of_a_dataset_that_counts_from_0_are_kept(weights, tmp_path):
    data = write_blobs(tmp_path / "data", 3)
    path = data / "annotations.json"
    content = read(path)
    for record in content["images"]:
        record["id"] -= 1
        photo(data / "images" / record["file_name"], (record["width"], record["height"]), "red")
    for annotation in content["annotations"]:
        annotation["image_id"] -= 1
    path.write_text(json.dumps(content))
    assert invoke("predict", "--weights", weights, data, "--out", tmp_path / "out").exit_code == 0
    assert [entry["image_id"] for entry in read(tmp_path / "out/results.json")] == [0, 1, 2]


def test_counts_are_of_what_is_drawn(weights, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    for name, color in (("a", "red"), ("b", "blue"), ("c", "lime"), ("d", "white")):
        photo(photos / f"{name}.png", color=color)
    done = invoke("predict", "--weights", weights, photos, "--out", out, "--masks")
    assert done.exit_code == 0, done.output
    assert [(r["image_id"], r["score"]) for r in read(out / "results.json")] == [(1, 0.9), (2, 0.8), (3, 0.3)]
    record = read(out / "predict.json")
    assert record["detections"] == {"hand": 2} and record["images_without"] == 2
    assert "detections of score 0.5 and more: hand 2; images without any: 2" in done.stdout
    assert [np.asarray(read_image(out / f"masks/{name}.png")).max() for name in "abcd"] == [255, 255, 0, 0]
    done = invoke("predict", "--weights", weights, photos, "--out", out, "--masks", "--min-score", 0.2)
    assert [np.asarray(read_image(out / f"masks/{name}.png")).max() for name in "abcd"] == [255, 255, 255, 0]
    assert "detections of score 0.2 and more: hand 3; images without any: 1" in done.stdout
    done = invoke("predict", "--weights", weights, photos, "--out", out, "--min-score", 0.85)
    assert [r["image_id"] for r in read(out / "results.json")] == [1]


def test_names_stay_apart(weights, tmp_path):
    photos = tmp_path / "photos"
    for name in ("same.jpg", "same.png", "same_jpg.png", "one/hand.jpg", "two/hand.jpg", "two/.hidden/no.jpg"):
        photo(photos / name)
    out = photos / "found"  # within what is searched
    for _ in range(2):
        words = ("predict", "--weights", weights, photos, "--recursive", "--out", out)
        done = invoke(*words, "--masks", "--overlays")
        assert done.exit_code == 0, done.output
        names = ["one/hand.jpg", "same.jpg", "same.png", "same_jpg.png", "two/hand.jpg"]
        assert [image["file_name"] for image in read(out / "images.json")] == names
        for kind, suffix in (("masks", ".png"), ("overlays", ".jpg")):
            written = sorted(str(path.relative_to(out / kind)) for path in (out / kind).rglob("*.*"))
            stems = ("one/hand", "same_jpg", "same_jpg_2", "same_png", "two/hand")
            assert written == [f"{stem}{suffix}" for stem in stems]


@pytest.mark.parametrize(
    "names, videos, outputs",
    [
        (["a.jpg", "A.png"], [0, 0], ["a_jpg", "A_png"]),
        (["x/a.jpg", "a.jpg"], [0, 0], ["x/a", "a"]),
        (["clip.mp4", "clip_000000.jpg"], [1, 0], ["clip_mp4", "clip_000000"]),
        (["clip.mp4", "clip.avi"], [1, 1], ["clip_mp4", "clip_avi"]),
        (["../../etc/a.jpg", "/a.png"], [0, 0], ["etc/a", "a"]),
    ],
)
def test_output_names(names, videos, outputs):
    assert output_names(names, videos) == outputs


def test_several_sources_are_one_job(weights, tmp_path):
    for name in ("first/a.jpg", "second/a.jpg", "third.png"):
        photo(tmp_path / name)
    sources = [tmp_path / "second", tmp_path / "first", tmp_path / "first/a.jpg", tmp_path / "third.png"]
    done = invoke("predict", "--weights", weights, *sources, "--out", tmp_path / "out", "--masks")
    assert done.exit_code == 0, done.output
    images = read(tmp_path / "out/images.json")
    expected = [(1, "second/a.jpg"), (2, "first/a.jpg"), (3, "third.png")]  # each once
    assert [(image["id"], image["file_name"]) for image in images] == expected
    source = read(tmp_path / "out/predict.json")["source"]
    assert all((tmp_path / source / image["file_name"]).is_file() for image in images)
    data = write_blobs(tmp_path / "data", count=1)
    refused(invoke("predict", "--weights", weights, data, tmp_path / "first", "--out", "x"), "data is a dataset")


def test_names_that_are_not_utf8(weights, tmp_path):
    photo(tmp_path / "photos/plain.png")
    broken = tmp_path / "photos" / os.fsdecode(b"caf\xe9.png")
    photo(tmp_path / "photos/other.png").rename(broken)
    (tmp_path / "photos" / os.fsdecode(b"n\xe9ant.png")).write_bytes(b"")
    done = invoke("predict", "--weights", weights, tmp_path / "photos", "--out", tmp_path / "out", "--masks")
    assert done.exit_code == 1, done.output
    assert [image["file_name"] for image in read(tmp_path / "out/images.json")] == ["caf%E9.png", "plain.png"]
    assert sorted(path.name for path in (tmp_path / "out/masks").iterdir()) == ["caf%E9.png", "plain.png"]
    assert read(tmp_path / "out/predict.json")["skipped"][0]["file"] == "n%E9ant.png"
    done = invoke("predict", "--weights", weights, broken, "--out", tmp_path / "one")
    assert done.exit_code == 0, done.output
    assert read(tmp_path / "one/predict.json")["source"].endswith("caf%E9.png")


def test_names_do_not_command_the_terminal(weights, tmp_path):
    (tmp_path / "\x1b[31mred.png").write_bytes(b"")
    photo(tmp_path / "a.png")
    done = invoke("predict", "--weights", weights, tmp_path, "--out", tmp_path / "out")
    assert "\x1b" not in done.stdout and "\\x1b[31mred.png is empty" in done.stdout
    done = invoke("predict", "--weights", weights, tmp_path / "\x1b[31mred.png", "--out", tmp_path / "other")
    refused(done, "\\x1b[31mred.png is empty")
    assert "\x1b" not in done.stderr


def test_a_gif_of_several_images_is_a_video(weights, tmp_path):
    frames = [Image.new("RGB", (64, 48), color) for color in ("white", "black", "red")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:], duration=100)
    frames[2].save(tmp_path / "still.gif")
    words = ("predict", "--weights", weights, tmp_path, "--out", tmp_path / "out", "--overlays", "--min-score", 1)
    done = invoke(*words)
    assert done.exit_code == 0, done.output
    images = read(tmp_path / "out/images.json")
    names = [f"moving_{number:06d}.png" for number in range(3)] + ["still.gif"]
    assert [(image["id"], image["file_name"]) for image in images] == list(enumerate(names, 1))
    assert {path.name for path in (tmp_path / "out/overlays").iterdir()} == {"moving.mp4", "still.jpg"}
    drawn = list(open_source([tmp_path / "out/overlays/moving.mp4"]).read())
    assert [np.round(frame.image[-1, -1] / 255).tolist() for frame in drawn] == [[1, 1, 1], [0, 0, 0], [1, 0, 0]]


def test_results_are_of_upright_images(weights, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a phone held upright
    photo(tmp_path / "a.jpg", exif=exif)
    photo(tmp_path / "b.jpg")
    done = invoke("predict", "--weights", weights, tmp_path, "--out", tmp_path / "out", "--masks")
    one, other = read(tmp_path / "out/images.json")
    assert (one["width"], one["height"], one["exif_orientation"]) == (60, 80, 6)
    assert (other["width"], other["height"]) == (80, 60) and "exif_orientation" not in other
    assert read_image(tmp_path / "out/masks/a.png").shape == (80, 60, 3)
    assert "1 image stored rotated (EXIF); all results refer to the upright images" in done.stdout


@pytest.mark.parametrize("name, is_video", [("n" * 251 + ".jpg", 0), ("%E9" * 90 + ".png", 0), ("v" * 251 + ".mp4", 1)])
def test_names_that_are_too_long_for_a_file_are_cut(name, is_video):
    outputs = output_names([f"shots/{name}", f"shots/{name[:-5]}x.jpg"], [is_video, False])
    longest = f"{outputs[0]}{'_000000' * is_video}.json"
    assert (
        len(set(outputs)) == 2 and outputs[0].startswith(f"shots/{name[:200]}") and len(longest) <= 255 + len("shots/")
    )
