"""predict is killed while it works or writes: nothing half-written passes for results, and the next run is whole."""

import json
import os
import shutil
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from trainer_samples import blob

from handforge.dataset import encode_png, video

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


@pytest.fixture(scope="module")
def run():
    """Run predict in a process of its own, which may be killed when a function is called for the n-th time."""
    support = ROOT / "tests/support"
    process = subprocess.Popen(
        [sys.executable, support / "predict_process.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, support)))},
    )

    def once(arguments, name="", after=0):
        process.stdin.write(json.dumps({"arguments": arguments, "name": name, "after": after}) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield once
    process.stdin.close()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    images = []
    for number in range(3):
        image = np.full((60, 80, 3), 255, np.uint8)
        image[blob((80, 60), (20 + 15 * number, 30), 12)] = (255, 0, 0)
        (folder / f"{number}.png").write_bytes(encode_png(image))
        images.append(image)
    with video.Writer(folder / "clip.mp4", Fraction(10)) as writer:
        for image in images:
            writer.write(image)
    return folder


def words(photos, out, *more):
    formats = ("--format", "csv", "--format", "cutout")
    return ["predict", "--weights", "shipped", str(photos), "--out", str(out), "--overlays", "--masks", *formats, *more]


def content(out):
    """All files by name, but for temporary ones; of the record all but how long it took."""
    paths = [path for path in out.rglob("*") if path.is_file()]
    named = {str(path.relative_to(out)): path for path in paths}
    files = {name: path.read_bytes() for name, path in named.items() if not name.startswith(".")}
    record = json.loads(files.pop("predict.json"))
    return files, {key: value for key, value in record.items() if key != "seconds"}


@pytest.fixture(scope="module")
def whole(run, photos, tmp_path_factory):
    """What an unbroken run writes."""
    out = tmp_path_factory.mktemp("whole") / "out"
    assert run(words(photos, out)) == 0
    return content(out)


@pytest.fixture(scope="module")
def earlier(run, photos, tmp_path_factory):
    """A folder of other results."""
    out = tmp_path_factory.mktemp("earlier") / "out"
    assert run(words(photos, out, "--min-score", "0.95")) == 0
    return out


POINTS = [("add", 2), ("add", 5), ("dump_json", 1), ("dump_json", 3), ("replace", 1)]
MOVES = [("replace", number) for number in (2, 4, 7)]
"""Of files into a folder that is there; a new one is moved as a whole."""


@pytest.mark.parametrize("name, after", POINTS)
def test_killed_in_a_new_folder(run, photos, whole, tmp_path, name, after):
    out = tmp_path / "out"
    assert run(words(photos, out), name, after) == -signal.SIGKILL
    assert not out.exists()
    assert run(words(photos, out)) == 0
    assert content(out) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name, after", [*POINTS, *MOVES])
def test_killed_while_earlier_results_are_there(run, photos, whole, earlier, tmp_path, name, after):
    out = shutil.copytree(earlier, tmp_path / "out")
    before = content(out)
    assert run(words(photos, out), name, after) == -signal.SIGKILL
    if (out / "predict.json").read_bytes():  # empty, it says that the files beside it are being replaced
        assert content(out) == before
    else:
        assert name == "replace"
    assert run(words(photos, out)) == 0
    assert content(out) == whole
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
