"""Which session's network made predictions."""

from __future__ import annotations

from pathlib import Path

from evaluation.records import ResultsError
from handforge.run_records import PredictionRecord, RunRecord


def session_number(record: RunRecord, session: int | str, folder: Path) -> int:
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


def made_by(record: RunRecord, prediction: PredictionRecord) -> int | None:
    """The number of the session whose network predicted; None where that is not known.

    :param prediction: what ``predict.json`` says. Those made before it said the number say which one was asked for.
    """
    if "session" in prediction:
        return prediction["session"]
    stated = prediction.get("settings", {}).get("session", "best")
    sessions = record["sessions"]
    known = {"best": record.get("best_session"), "last": sessions[-1].get("session") if sessions else None}
    return stated if isinstance(stated, int) else known.get(str(stated))
