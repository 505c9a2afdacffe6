"""What is wrong with settings, in words: which setting, what it may be, what it is."""

from __future__ import annotations

import difflib
import types
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Interval
from pydantic import ValidationError

from generator.frame.old_settings import NAMES


def expected(hint: Any) -> str:
    """Describe the values of a type: ``a number from 0 to 1 or random``."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Annotated:
        bounds = next((part for part in parts[1:] if isinstance(part, Interval)), None)
        return expected(parts[0]) + ("" if bounds is None else f" from {bounds.ge:,} to {bounds.le:,}")
    if kind is Literal:
        return " or ".join(str(part) for part in parts)
    if kind in (Union, types.UnionType):
        return " or ".join(expected(part) for part in parts if part is not type(None))
    return {int: "a whole number", float: "a number", str: "text"}.get(hint, "something else")


def describe(error: ValidationError, hints: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """One sentence for each setting that cannot be used, in the order of ``values``.

    :param hints: each setting's type, with its annotations.
    """
    wrong: dict[str, str] = {}
    for problem in error.errors():
        name = str(problem["loc"][0])
        if name not in hints:
            wrong[name] = unknown(name, hints)
        elif problem["type"] == "value_error":
            wrong[name] = f"{name} {problem['ctx']['error']}"
        else:
            wrong[name] = f"{name} is {expected(hints[name])}, not {values[name]!r}"
    return [wrong[name] for name in values if name in wrong]


def unknown(name: str, known: Collection[str]) -> str:
    """Say that a setting does not exist, and which one may be meant."""
    near = difflib.get_close_matches(name, [*known, *NAMES], 1)
    meant = f"; did you mean {NAMES.get(near[0], near[0])}?" if near else ""
    return f"there is no setting {name!r}{meant} (known: {', '.join(known)})"
