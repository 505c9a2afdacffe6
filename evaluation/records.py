"""Records in JSON, as of runs, predictions and studies: read, checked, and shown to people."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from handforge import validation
from handforge.errors import HandforgeError
from handforge.parse import parse_json
from handforge.run_records import (
    ArmPart,
    ClaimPart,
    DatasetPart,
    MeasurePart,
    PredictionRecord,
    RecipePart,
    RunRecord,
    SessionRecord,
    StudyRecord,
    TestPart,
)


class ResultsError(HandforgeError):
    """Something is wrong with a results file or a run folder; the text says what, where, and the remedy."""


def read_json(path: Path, remedy: str, lines: bool = False) -> Any:
    """Return what a JSON file holds.

    :param lines: a file of one JSON value to a line is read, too, as their list.
    :raises ResultsError: if it is missing (with the remedy) or not JSON.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ResultsError(f"{path} is missing; {remedy}") from None
    rows = [line for line in content.splitlines() if line.strip()] if lines else []
    if len(rows) > 1 and all(row[:1] == b"{" and row[-1:] == b"}" for row in rows[:2]):
        return [parse_json(row, path, ResultsError) for row in rows]
    return parse_json(content, path, ResultsError)


def read_objects(path: Path, keys: tuple[str, ...]) -> list[Any]:
    """Return the objects that a file of a predictions folder lists.

    :param keys: each has a number or a text at all of these.
    :raises ResultsError: if it is missing, not JSON, or does not list such objects.
    """
    content = read_json(path, "run handforge predict again")
    simple = (int, str, float)
    if not isinstance(content, list) or not all(
        isinstance(entry, dict) and all(isinstance(entry.get(key), simple) for key in keys) for entry in content
    ):
        raise ResultsError(f"{path} is damaged: it must list objects with {', '.join(keys)}; predict again")
    return content


def kind_of(value: Any) -> str:
    """Name the kind of a value out of a JSON file."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


_PARTS = (
    *(RunRecord, SessionRecord, RecipePart, DatasetPart, PredictionRecord),
    *(StudyRecord, ClaimPart, MeasurePart, TestPart, ArmPart),
)
_KEYS = {key for part in _PARTS for key in part.__annotations__}


def check_kinds(path: Path, kind: Any, record: Any, what: str) -> None:
    """Refuse a record that lacks a value, or has one of another type than its kind says.

    :param kind: one of :mod:`handforge.run_records`.
    :param what: what it is a record of, for the message.
    :raises ResultsError: naming the value.
    """
    try:
        TypeAdapter(kind).validate_python(record)
    except ValidationError as error:
        problem = max(error.errors(), key=lambda each: len(each["loc"]))  # of a union's types the one that fits best
        place = tuple(part for part in problem["loc"] if part in _KEYS or isinstance(part, int))  # others name types
        missing = problem["type"] == "missing"
        said = validation.sentence(place, "is missing" if missing else f"is {kind_of(problem['input'])}")
        raise ResultsError(f"{path} is not a record of a {what}: {said}") from None


def check_text(path: Path, record: Any) -> None:
    """Refuse what neither terminal nor page can show: names that are not UTF-8, and endless nesting.

    :raises ResultsError: naming the file.
    """
    try:
        plain([path.resolve().parent.name, record]).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise ResultsError(f"{str(path)!r}, its folder's name or what it holds, cannot be shown ({error})") from None


def plain(value: Any) -> str:
    """Show a value of a record as a person reads it."""
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    return "–" if value is None else str(value)
