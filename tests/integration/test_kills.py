"""Commands that are killed or interrupted while they write: nothing half-written, no process stays, and the same
command again makes what an undisturbed one makes.
"""

import json
import os
import shutil
import signal
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from evaluation_scenes import four_images, write_run
from killed_process import Runner
from run_samples import frame
from trainer_samples import TINY, blob, untrained, write_blobs, write_recipe

from generator.frame import settings
from generator.pipeline import frame_file, run_folder
from generator.pipeline.records import Records
from handforge.dataset import video

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")


@dataclass(frozen=True)
class Command:
    """A command that writes.

    :param words: with OUT where it writes.
    :param begins: what is copied to OUT before; None: it is made.
    :param steady: it keeps what it has done, as training does, instead of being done at once.
    :param slow: it takes long.
    """

    words: str
    begins: str | None = None
    steady: bool = False
    slow: bool = False


COMMANDS = (
    Command("dataset import masks data OUT"),
    Command("dataset import annotations data/annotations.json data/images OUT"),
    Command("dataset import classes classes OUT"),
    Command("dataset import video clip.mp4 OUT --truth data/masks"),
    Command("dataset split data OUT/train OUT/test --test 1", steady=True),
    Command("dataset sample data OUT --count 2"),
    Command("dataset zoom data OUT"),
    Command("dataset merge OUT data more"),
    Command("dataset merge OUT shards", steady=True),
    Command("dataset merge OUT", begins="shards", steady=True),
    Command("dataset export data OUT --format labelme"),
    Command("dataset export data OUT --format cvat"),
    Command("dataset export data OUT --format yolo", slow=True),
    Command("dataset preview OUT", begins="data"),
    Command("dataset describe OUT --background wall", begins="data"),
    Command("export net --format safetensors --image data/images/blob000.png --out OUT.safetensors"),
    Command("export net --format torchscript --image data/images/blob000.png --out OUT.pt", slow=True),
    Command("export net --format onnx --image data/images/blob000.png --out OUT.onnx", slow=True),
    Command("score scene/data scene/results.json --json OUT.json"),
    Command("compare scene/data scene/results.json scene/results.json --json OUT.json", slow=True),
    Command("report run --out OUT.html"),
    Command("cases run --csv OUT.csv"),
    Command("ablation run run --csv OUT.csv", slow=True),
    Command("poses --set l2 --step 60 --out OUT.csv --json OUT.json --plot OUT.svg", steady=True),
    Command("frame show 0 --set poses.csv --out OUT.json"),
    Command("fine-tune --data data --init net --recipe short.toml --device cpu --resume --out OUT", steady=True),
    Command("study study.toml --device cpu --threads 1 --out OUT", steady=True, slow=True),
    Command("frame render frame.json --out OUT", slow=True),
)


def params():
    """The commands; those that take long are run with the slow tests."""
    marks = {True: (pytest.mark.slow,), False: ()}
    return [pytest.param(command, id=command.words.split(" OUT")[0], marks=marks[command.slow]) for command in COMMANDS]


SHORT = "[session]\nsteps = 3\nbatch = 1\nrois_per_image = 8\nlr = 0.001\n"
STUDY = """
question = "Is a higher rate better?"
data = "data"
recipe = "tiny.toml"
seeds = [0]
claim = { arm = "b", against = "a" }
[[primary]]
test = "held-out"
measure = "ap"
[tests.held-out]
data = "data"
masks = "hand"
[[arms]]
name = "a"
[[arms]]
name = "b"
session = { lr = 0.02 }
"""


@pytest.fixture(scope="module")
def runner():
    made = Runner()
    yield made
    made.close()


@pytest.fixture(scope="module")
def given(tmp_path_factory, poses_file):
    """What the commands read."""
    place = tmp_path_factory.mktemp("given")
    write_blobs(place / "data", 3)
    write_blobs(place / "more", 2)
    shutil.copyfile(poses_file, place / "poses.csv")
    for name in "ab":
        shutil.copytree(place / "data/images", place / "classes" / name)
    with video.Writer(place / "clip.mp4", Fraction(10)) as writer:
        for center in (40, 60, 80):
            image = np.full((120, 160, 3), 255, np.uint8)
            image[blob((160, 120), (center, 60), 20)] = (200, 150, 120)
            writer.write(image)
    untrained(place / "net")
    write_recipe(place / "short.toml", SHORT)
    write_recipe(place / "tiny.toml", TINY.replace("steps = 4", "steps = 1").replace("warmup_steps = 2", ""))
    (place / "study.toml").write_text(STUDY)
    dataset, results = four_images(place / "scene")
    write_run(place / "run", dataset, results)
    chosen = settings.load(None, {"count": 4, "pose_set": str(poses_file), "resolution": "160x120"})
    (place / "frame.json").write_text(json.dumps(frame_file.draw(chosen, 0)))
    record = {"settings": run_folder.named(chosen), "poses_sha256": "0", "versions": {}, "frames": 4, "counts": {}}
    run_folder.claim(place / "shards", record)
    written = Records(place / "shards")
    for number in range(4):
        written.add(number, *frame(number))
    written.close()
    return place


def prepared(given, folder, command):
    """A folder in which the command can run; its input is linked."""
    for path in given.iterdir():
        (folder / path.name).symlink_to(path)
    if command.begins:
        shutil.copytree(given / command.begins, folder / "OUT")
    return folder


def made(folder):
    """All files beside the input, by name; of records not where, when and how long."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found[str(path.relative_to(folder))] = content(path)
    return found


def content(path):
    if path.name not in ("run.json", "predict.json") or not path.stat().st_size:
        return path.read_bytes()
    record = json.loads(path.read_text())
    apart = ("seconds", "command", "started", "timing", "source", "weights", "git")
    return {key: value for key, value in record.items() if key not in apart and not key.endswith("_seconds")}


def told_apart(files):
    """Those that a person sees, and the hidden ones, which are temporary; a dead process's lock holds nothing."""
    hidden = {name for name in files if any(part.startswith(".") for part in Path(name).parts)}
    seen = {name: content for name, content in files.items() if name not in hidden}
    return seen, {name for name in hidden if not name.endswith(".lock.tmp")}


def after_hours(folder):
    """Let what killed writes have left be old: only then it is known to be nobody's."""
    for path in folder.rglob(".*.tmp"):
        os.utime(path, (0, 0))


@pytest.fixture(scope="module")
def whole(runner, given, tmp_path_factory):
    """What an undisturbed command leaves, how many changes of files it takes, and the size of the largest."""
    known = {}

    def once(command):
        if command not in known:
            folder = prepared(given, tmp_path_factory.mktemp("whole"), command)
            before = made(folder)
            code, changes, said = runner(command.words.split(), folder)
            assert code == 0, said
            files = told_apart(made(folder))[0]
            sizes = [(folder / name).stat().st_size for name in files if files[name] != before.get(name)]
            known[command] = files, changes, max(sizes)
        return known[command]

    return once


def ended(command, code, said):
    """A command that keeps what it has done has not as much to do again, or nothing."""
    return command.steady and (code == 0 or "is complete already" in said)


def check_nothing_is_half_written(command, files, before, expected):
    """Each file is as it was before or as it is in the end; where a command works at once, all of them are."""
    if not command.steady:
        assert files in (before, expected)
    for name, content in files.items():
        if name.startswith("OUT/a/") or name.startswith("OUT/b/") or command.words.startswith("fine-tune"):
            continue  # a training's own records go on; in the end they are the same
        assert content in (before.get(name), expected.get(name)), name


@pytest.mark.parametrize("command", params())
def test_killed_again_and_again_and_then_left_alone(runner, given, whole, tmp_path, command):
    expected, changes, largest = whole(command)
    folder = prepared(given, tmp_path, command)
    before, _ = told_apart(made(folder))
    for at in sorted({1, changes // 3, 2 * changes // 3, changes} - {0}):
        code, _, said = runner(command.words.split(), folder, at)
        last = at == changes and code == 0  # what the kills before have left may save one change
        assert code == -signal.SIGKILL or last or (at > 1 and ended(command, code, said)), said
        check_nothing_is_half_written(command, told_apart(made(folder))[0], before, expected)
    code, _, said = runner(command.words.split(), folder, largest=largest // 2)
    assert code == -signal.SIGXFSZ or ended(command, code, said), said
    check_nothing_is_half_written(command, told_apart(made(folder))[0], before, expected)
    after_hours(folder)
    code, _, said = runner(command.words.split(), folder)
    assert code == 0 or ended(command, code, said), said
    files, hidden = told_apart(made(folder))
    assert files == expected and not hidden


@pytest.mark.parametrize("command", params())
def test_interrupted_it_leaves_nothing_half_written(runner, given, whole, tmp_path, command):
    expected, changes, _ = whole(command)
    folder = prepared(given, tmp_path, command)
    before, _ = told_apart(made(folder))
    code, _, said = runner(command.words.split(), folder, changes - changes // 3, signal.SIGINT)
    assert code == 130 and said.splitlines()[-1].startswith("Interrupted") and "Traceback" not in said
    files, hidden = told_apart(made(folder))
    assert {name for name in hidden if ".partial/" not in name} == set()
    check_nothing_is_half_written(command, files, before, expected)
    if not command.steady:
        assert files == before
