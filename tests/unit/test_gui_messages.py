"""What the processes that render for a window say of what has ended a task."""

import errno
import io
import json

import pytest

from generator.errors import RunError
from generator.pipeline import gui_preview
from generator.pipeline.gui_messages import MARK

TASK = {"settings": "paper", "overrides": {}, "defaults": {}, "out": "out", "pose": [0.0] * 28, "number": 0}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ModuleNotFoundError("No module named 'trimesh'", name="trimesh"),
            "trimesh is not installed here; render from",
        ),
        (OSError(errno.ENOSPC, "No space left on device", "out"), "out: No space left on device"),
        (RunError("out is a file"), "out is a file"),
    ],
)
def test_what_ends_a_task_is_told_and_the_next_is_waited_for(monkeypatch, capsys, error, words):
    def fail(*_):
        raise error

    monkeypatch.setattr(gui_preview.Previews, "render", fail)
    monkeypatch.setattr("sys.stdin", io.StringIO(2 * (json.dumps(TASK) + "\n")))
    assert gui_preview.main() == 0
    told = [json.loads(line.removeprefix(MARK)) for line in capsys.readouterr().out.splitlines()]
    assert len(told) == 2 and all(one["error"].startswith(words) for one in told)
