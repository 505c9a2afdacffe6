"""Which session's network made predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evaluation.metrics.results import ResultsError


def session_number(record: dict[str, Any], session: int | str, folder: Path) -> int:
    """The number of the session that is meant.

    :param record: what the run's ``run.json`` says.
    :param session: a number, ``best`` (by average loss) or ``last``.
    :param folder: the run's, for the error's text.
    :raises ResultsError: if the run has no such session.
    """
    numbers = [entry.get("session") for entry in record["sessions"]]
    wanted = {"best": record.get("best_session"), "last": numbers[-1] if numbers else None}.get(str(session), session)
    if not isinstance(wanted, int) or wanted not in numbers:
        raise ResultsError(f"{folder} has no session {session}; it has finished {len(numbers)}")
    return wanted


def made_by(record: dict[str, Any], prediction: dict[str, Any]) -> int | None:
    """The number of the session whose network predicted; None where that is not known.

    :param prediction: what ``predict.json`` says. Those made before it said the number say which one was asked for.
    """
    stated = prediction.get("session")
    if stated is None:
        settings = prediction.get("settings")
        stated = settings.get("session", "best") if isinstance(settings, dict) else "best"
    sessions = record["sessions"]
    known = {"best": record.get("best_session"), "last": sessions[-1].get("session") if sessions else None}
    return stated if isinstance(stated, int) else known.get(str(stated))
