"""The folder of one run: what is in it, when it may be written to, and how it is continued.

::

    run.json                 command, recipe, seed, data, versions, and one entry a finished session
    losses.csv               one row a step
    subsets.json             the images' file names of each subset, and of the validation part
    network.safetensors      the best session's network, with network.json beside it
    sessions/NN.safetensors  every session's network, or the last ones', each with its .json
    state.safetensors        while it runs: where it stands
    tensorboard/             with --tensorboard
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO, cast

from handforge.files import dump_json, write_atomic
from handforge.run_records import RecipePart, RunHeader, RunRecord, SessionRecord
from trainer.config.old_names import with_new_names
from trainer.config.recipe import ImageSettings, Network, Recipe, Session
from trainer.config.tasks import TASKS
from trainer.errors import RunFolderError

FORMAT = "handforge-run-1"
IDENTITY = ("command", "recipe", "seed", "data", "real", "categories", "replicate", "precision", "processes")
"""What must be the same for a run to be continued."""
GROWING = ("seconds", "sessions", "best_session")
"""What of a record is written anew after every session."""


class RunFolder:
    """An output folder that is new, or a run of ours that is continued.

    Constructing one only looks; :meth:`create` writes.

    :param header: what ``run.json`` starts with; of it, :data:`IDENTITY` must agree when continuing.
    :raises RunFolderError: if the folder is not ours, holds a run and ``resume`` is not set, or holds another run.
    """

    def __init__(self, path: Path, header: RunHeader, resume: bool) -> None:
        self.path = path
        self.header: RunHeader = json.loads(json.dumps({"format": FORMAT, **header}))
        losses = TASKS[header["recipe"]["network"]["task"]].losses
        self.columns = ("session", "step", "loss", *losses, "lr")
        self.continued = False
        self._losses: TextIO | None = None
        self._begin = time.monotonic()
        self._seconds = 0.0
        if path.exists() and not path.is_dir():
            raise RunFolderError(f"{path} is a file; give a folder for the run")
        if not path.exists() or not [entry for entry in path.iterdir() if not is_leftover(entry)]:
            return
        found = _read(path)
        if not resume:
            raise RunFolderError(f"{path} holds a run already; continue it with --resume, or give another folder")
        try:
            theirs = {key: _comparable(found, key) for key in IDENTITY}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise RunFolderError(f"{path / 'run.json'} is damaged ({error!r}); give another folder") from None
        ours = {key: _comparable(self.header, key) for key in IDENTITY}
        texts = [difference(key, theirs[key], ours[key]) for key in IDENTITY if theirs[key] != ours[key]]
        if texts:
            raise RunFolderError(f"{path} holds another run: {'; '.join(texts)}; give another folder")
        self.header = cast("RunHeader", {key: value for key, value in found.items() if key not in GROWING})
        self._seconds = _seconds(found)
        self.continued = True

    def create(self) -> None:
        """Make the folder with a first ``run.json``, or leave a continued one as it is."""
        if not self.continued:
            self.path.mkdir(parents=True, exist_ok=True)
            self.write([], None)

    def write(self, sessions: list[SessionRecord], best: int | None) -> None:
        """Write ``run.json`` anew.

        Its ``seconds`` are those of all processes that have trained here, each up to the last session that it finished.
        """
        seconds = round(self._seconds + time.monotonic() - self._begin, 1)
        record: RunRecord = {**self.header, "seconds": seconds, "sessions": sessions, "best_session": best}
        write_atomic(self.path / "run.json", dump_json(record))

    def rows_until(self, session: int, step: int, cut: bool = True) -> list[dict[str, float]]:
        """The loss rows of all steps up to a position (steps done of a session); ``cut`` takes later ones off."""
        path = self.path / "losses.csv"
        rows: list[dict[str, float]] = []
        if path.exists():
            with path.open(newline="") as file:
                try:
                    for row in csv.DictReader(file):
                        if None in row.values() or (int(row["session"]), int(row["step"])) > (session, step):
                            break
                        rows.append({key: float(row[key]) for key in self.columns})
                except (ValueError, KeyError) as error:
                    raise RunFolderError(f"{path} is damaged ({error!r}); start the run anew elsewhere") from None
        if not cut:
            return rows
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *(self._cells(row) for row in rows)])
        write_atomic(path, text.getvalue().encode())
        return rows

    def _cells(self, row: dict[str, float]) -> list[str]:
        return [str(int(row[n])) if n in ("session", "step") else repr(float(row[n])) for n in self.columns]

    def add_row(self, row: dict[str, float]) -> None:
        """Append one step to ``losses.csv``."""
        if self._losses is None:
            self._losses = (self.path / "losses.csv").open("a", newline="")
        csv.writer(self._losses, lineterminator="\n").writerow(self._cells(row))
        self._losses.flush()

    def sync(self) -> None:
        """Make sure that the rows so far outlive a crash; called before the state that counts on them is written."""
        if self._losses is not None:
            os.fsync(self._losses.fileno())

    def close(self) -> None:
        """Close ``losses.csv``."""
        if self._losses is not None:
            self._losses.close()
            self._losses = None


def _seconds(record: RunRecord) -> float:
    found: Any = record.get("seconds")
    return float(found) if isinstance(found, int | float) and 0 <= found < 1e9 else 0.0


def is_leftover(entry: Path) -> bool:
    """A temporary file that a kill left while the folder was being made."""
    return entry.name.startswith(".") and entry.name.endswith(".tmp")


def _read(path: Path) -> RunRecord:
    try:
        found: RunRecord = json.loads((path / "run.json").read_bytes())
        if found["format"] == FORMAT:
            return found
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise RunFolderError(f"{path} is not empty and holds no run of ours; give a new folder")


def _comparable(header: RunHeader | RunRecord, key: str) -> Any:
    value: Any = header.get(key)
    if key == "command":
        return value[0] if value else None  # train or repeat; the options are compared by what they resolve to
    if key == "recipe" and value:
        return _completed(value)
    if key == "categories":  # older runs have one, which their recipe names
        return [category["name"] for category in value] if value else [header["recipe"]["network"]["category"]]
    if key in ("data", "real") and value:  # a dataset may have been moved
        records = [
            {name: part for name, part in record.items() if name != "path"}
            for record in (value if isinstance(value, list) else [value])
        ]
        return records if isinstance(value, list) else records[0]
    return value


def _completed(recipe: RecipePart) -> dict[str, Any]:
    """A recorded recipe with the settings that are newer than it, at the values that mean what was done before.

    What is only said about it does not count.
    """
    values, _ = with_new_names({**recipe})
    parts: dict[str, Any] = {"network": Network(), "images": ImageSettings()}
    return {
        "patience": Recipe.patience,
        "real_sets": Recipe.real_sets,
        "categories": [],
        **values,
        "description": "",
        "init_from": "",  # what it starts from is init; older runs do not say it here
        **{name: {**asdict(defaults), **values[name]} for name, defaults in parts.items()},
        "sessions": [{**asdict(Session()), **session} for session in values["sessions"]],
    }


def difference(key: str, theirs: Any, ours: Any) -> str:
    """Where two nested settings differ, as ``recipe.network.channels was 256, is now 128``."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
        return ", ".join(difference(f"{key}.{name}", theirs.get(name), ours.get(name)) for name in names)
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours, strict=True), start=1)
        return ", ".join(difference(f"{key} {number}", a, b) for number, (a, b) in pairs if a != b)
    return f"{key} was {theirs!r}, is now {ours!r}" if not isinstance(ours, list) else f"{key} has another length"
