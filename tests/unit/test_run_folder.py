"""A run's folder that somebody has edited: refused in one line, and nothing outside it is read or replaced."""

import json

import pytest
from click.testing import CliRunner
from run_samples import frame

from generator.cli import main
from generator.errors import RunError
from generator.frame.settings import load
from generator.pipeline import records, run_folder, shards
from generator.pipeline.records import PARTIAL, Records
from handforge.dataset import Dataset

FRAMES = 4


def begin(out, seed=0):
    """A run of four frames that has just taken its folder."""
    run = {
        "settings": run_folder.named(load(None, {"seed": seed, "count": FRAMES})),
        "poses_sha256": "0",
        "versions": {"handforge": "0.1.0", "blender": "5.2.0"},
        "frames": FRAMES,
        "counts": {"l2": {}},
    }
    run_folder.claim(out, run)
    return run


def add_frames(out, numbers):
    written = Records(out)
    for number in numbers:
        written.add(number, *frame(number))
    written.close()


@pytest.fixture
def out(tmp_path):
    begin(tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize(
    "change",
    [
        *(lambda run, value=value: value for value in (5, None, [], "x", {})),
        lambda run: {**run, "settings": 3},
        lambda run: {**run, "settings": {**run["settings"], "ground_truth": 4}},
        lambda run: {**run, "frames": 10**30},
        lambda run: {**run, "frames": "4"},
        lambda run: {**run, "frames": -1},
        lambda run: {**run, "versions": []},
        lambda run: {**run, "versions": {"handforge": []}},
        lambda run: {**run, "poses_sha256": {}},
        lambda run: {**run, "counts": 3},
        lambda run: {key: value for key, value in run.items() if key != "poses_sha256"},
    ],
)
def test_an_edited_state_is_refused_naming_the_file(out, change):
    path = out / PARTIAL / "run.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    for command in (["render", "--count", "4", "--out", out], ["merge", out]):
        done = CliRunner().invoke(main, [*map(str, command)])
        assert done.exit_code == 2 and done.stderr.count("\n") == 1, done.output
        assert f"{path} is damaged" in done.stderr or f"{path} does not describe a run" in done.stderr


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": ' + "1" * 5000 + "}"])
def test_a_state_that_is_not_json_is_refused(out, text):
    (out / PARTIAL / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"run.json is not valid JSON"):
        run_folder.state(out)


@pytest.mark.parametrize("name", ["/{there}", "../there", "images/../../there", "masks//x", "images/..", "else/x"])
def test_a_record_that_names_a_file_elsewhere_is_refused(tmp_path, name):
    part, there = tmp_path / "part", tmp_path / "there"
    there.write_bytes(b"mine")
    begin(part)
    record, files = frame(0)
    name = name.replace("{there}", str(there)[1:])
    entry = {"number": 0, "record": record, "files": {path: len(data) for path, data in files.items()} | {name: 4}}
    (part / PARTIAL / "records-x.jsonl").write_text(json.dumps(entry))
    with pytest.raises(RunError, match="which is not in the run's folders; somebody has edited it"):
        shards.merge(tmp_path / "out", [part])
    assert there.read_bytes() == b"mine" and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry | {"number": "0"},
        lambda entry: entry | {"number": -1},
        lambda entry: entry | {"files": []},
        lambda entry: entry | {"files": {}},
        lambda entry: entry | {"record": None},
        lambda entry: entry | {"record": entry["record"] | {"annotations": [3]}},
        lambda entry: entry | {"record": entry["record"] | {"image": {"file_name": "000000.png"}}},
        lambda entry: 5,
    ],
)
def test_a_record_of_another_form_is_a_frame_not_done(out, change):
    add_frames(out, [0])
    (path,) = (out / PARTIAL).glob("records-*")
    assert list(records.read_records(out)) == [0]
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert records.read_records(out) == {}


def test_merge_names_the_shards_that_are_missing(tmp_path):
    parts = [tmp_path / "one", tmp_path / "two"]
    for number, part in enumerate(parts, start=1):
        begin(part)
        records.mark_shard(part, (number, 3))
        add_frames(part, range(number - 1, FRAMES, 3))
    with pytest.raises(RunError, match=r"1 of 4 frames are missing, the first is 2; shard 3/3 is not complete: render"):
        shards.merge(tmp_path / "out", parts)
    add_frames(parts[1], [2])
    shards.merge(tmp_path / "out", parts)
    assert len(Dataset(tmp_path / "out")) == FRAMES


def test_merge_names_the_part_that_is_of_another_run(tmp_path):
    parts = [tmp_path / "one", tmp_path / "two"]
    for seed, part in enumerate(parts):
        begin(part, seed)
    told = r"two holds a shard of another run than .*one: seed is 0 there and 1 here; render it again"
    with pytest.raises(RunError, match=told):
        shards.merge(tmp_path / "out", parts)
    assert not (tmp_path / "out").exists()
