"""Records of trainings and predictions: those of the first version are read as today's."""

import json

import pytest

from evaluation.records import ResultsError
from evaluation.runs.run_folder import Run, read_record
from evaluation.runs.sessions import made_by, session_number

FIRST = {
    "format": "handforge-run-1",
    "handforge": "0.1.0",
    "command": ["hand-trainer", "repeat"],
    "seed": 0,
    "recipe": {"name": "c1", "network": {"category": "hand", "backbone": "resnet101"}, "sessions": [{"steps": 80}]},
    "data": {"path": "/rooms", "id": "20873725200a", "images": 300},
    "real": None,
    "replicate": None,
    "versions": {"torch": "2.5.0"},
    "git": None,
    "sessions": [
        {
            "session": 1,
            "subset": 1,
            "images": 30,
            "steps": 80,
            "layers": "4+",
            "average_loss": 0.5,
            "validation_loss": None,
        }
        | {"saturation_step": None}
    ],
    "best_session": 1,
}
"""As the first version wrote it."""


def write(folder, record):
    (folder / "run.json").write_text(json.dumps(record))
    return folder / "run.json"


def test_a_record_of_the_first_version_is_read_to_the_letter(tmp_path):
    record = read_record(write(tmp_path, FIRST))
    assert record == FIRST
    run = Run("first", tmp_path, record, {}, [])
    assert run.data == [FIRST["data"]] and run.real == []
    assert session_number(record, "best", tmp_path) == session_number(record, "last", tmp_path) == 1
    assert made_by(record, {"source": "photos"}) == made_by(record, {"source": "photos", "settings": {}}) == 1


def test_predictions_by_a_network_of_no_known_session_are_of_none():
    record = {**FIRST, "best_session": 1}
    assert made_by(record, {"source": "photos", "session": None, "settings": {"session": "best"}}) is None


def test_what_a_later_version_adds_goes_through(tmp_path):
    later = FIRST | {"weather": "fine", "sessions": [FIRST["sessions"][0] | {"mood": [1]}]}
    assert read_record(write(tmp_path, later)) == later


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"data": [{"images": 3}, {"images": "3"}]}, "data 2: images is a text"),
        ({"data": 3}, "data is a number"),
        ({"sessions": [{"average_loss": None}]}, "sessions 1: average_loss is null"),
        ({"finished": 1}, "finished is a number"),
    ],
)
def test_a_value_of_another_type_is_named(wrong, words, tmp_path):
    with pytest.raises(ResultsError, match=f"run.json is not a record of a run: {words}"):
        read_record(write(tmp_path, FIRST | wrong))
