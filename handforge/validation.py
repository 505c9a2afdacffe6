"""Values from files against the types of dataclasses and pydantic's models: all that is wrong, in words.

What is said of a value is its type: ``steps is a whole number from 1 to 10,000,000, not 'ten'``. Where a type does not
say it, ``Annotated[..., DocInfo("a multiple of 16")]`` does; a validator's ``ValueError`` is the rest of the sentence.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import DocInfo, Interval
from pydantic import BaseModel, TypeAdapter, ValidationError

T = TypeVar("T")
Place = tuple[str | int, ...]
"""Where a value is: keys of tables, and places in lists from 0."""
Problems = dict[Place, str]
"""What is wrong with each value, as the rest of a sentence that begins with its name."""
Conflict = tuple[Place, tuple[Place, ...], str]
"""A table, the values that exclude each other, and what is to be said of it."""


def expected(hint: Any, word: str = "{}") -> str:
    """Describe the values of a type: ``a number from 0 to 1 or random``.

    :param word: how a word that is a value is written.
    """
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Annotated:
        if said := next((part.documentation for part in parts[1:] if isinstance(part, DocInfo)), None):
            return said
        bounds = next((part for part in parts[1:] if isinstance(part, Interval)), None)
        return expected(parts[0], word) + (_bounds(bounds) if bounds else "")
    if kind is Literal:
        return " or ".join(word.format(part) for part in parts)
    if kind in (Union, types.UnionType):
        return " or ".join(expected(part, word) for part in parts if part is not type(None))
    if kind in (list, tuple):
        return "a list"
    if kind is dict or _is_table(hint):
        return "a table"
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(hint, "something else")


def _bounds(bounds: Interval) -> str:
    low = f" from {bounds.ge:,}" if bounds.ge is not None else f" above {bounds.gt:,}" if bounds.gt is not None else ""
    if bounds.le is not None:
        return f"{low} to {bounds.le:,}"
    return f"{low} to below {bounds.lt:,}" if bounds.lt is not None else low


def problems(error: ValidationError, cls: type, old_names: Mapping[str, str] | None = None) -> Problems:
    """What is wrong, once for each value.

    :param cls: what the values were to be: a dataclass or a model.
    :param old_names: today's name of each name that is meant, too, where a key is not known.
    """
    found: Problems = {}
    for problem in error.errors():
        path, hint, known = _place(cls, problem["loc"])
        if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            said = _unknown(str(path[-1]), known, old_names or {}, _tables_with(cls, str(path[-1])))
        elif problem["type"] == "missing":
            said = "is missing"
        elif problem["type"] == "value_error":
            said = str(problem["ctx"]["error"])
        else:
            said = f"is {expected(hint)}, not {problem['input']!r:.80}"
        found.setdefault(path, said)
    return found


def sentence(path: Place, said: str) -> str:
    """What is wrong with one value, with its place: ``sessions 2: steps is ...``."""
    cut = len(path) - 1 if path and isinstance(path[-1], str) else len(path) - 2
    table, name = path[: max(cut, 0)], path[max(cut, 0) :]
    return f"{words(table)}{' '.join(_counted(name))} {said}"


def words(table: Place) -> str:
    """A table's place before what is said of it, ``sessions 2: ``; nothing for the file as a whole."""
    return f"{' '.join(_counted(table))}: " if table else ""


def validated(
    cls: type[T],
    values: Mapping[str, Any],
    conflicts: Callable[[T], Iterable[Conflict]],
    old_names: Mapping[str, str] | None = None,
) -> tuple[T, Problems, list[Conflict]]:
    """What a table holds, with values that are wrong at their defaults, and all that is wrong.

    :param conflicts: what excludes each other; nothing is said of values that are wrong by themselves.
    :param old_names: as :func:`problems`.
    """
    adapter = TypeAdapter[T](cls)
    wrong: Problems = {}
    try:
        made = adapter.validate_python(values)
    except ValidationError as error:
        wrong = problems(error, cls, old_names)
        made = adapter.validate_python(_without(values, wrong))
    return made, wrong, [one for one in conflicts(made) if wrong.keys().isdisjoint(one[1])]


def _counted(path: Place) -> list[str]:
    return [str(part + 1) if isinstance(part, int) else part for part in path]


def _is_table(hint: Any) -> bool:
    return isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, BaseModel))


def _place(cls: type, loc: Place) -> tuple[Place, Any, list[str]]:
    """Of a place that pydantic names: the value's own, its type, and the keys of the table that it is in."""
    hint: Any = cls
    known: list[str] = []
    for depth, part in enumerate(loc):
        inner = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        kind, parts = get_origin(inner), get_args(inner)
        if _is_table(inner):
            fields = get_type_hints(inner, include_extras=True)
            known = list(getattr(inner, "model_fields", ())) or [field.name for field in dataclasses.fields(inner)]
            hint = fields.get(str(part))
        elif kind in (list, tuple) and isinstance(part, int):
            hint = parts[0]
        elif kind is dict and depth + 1 < len(loc):
            hint = parts[1]
        else:  # which of a union's types
            return loc[:depth], hint, known
    return loc, hint, known


def _tables_with(cls: type, name: str) -> list[str]:
    """The tables of a file, by their names, that have a key of this name."""
    found = []
    for table, hint in get_type_hints(cls).items():
        parts = (hint, *get_args(hint))
        if any(_is_table(part) and name in get_type_hints(part) for part in parts):
            found.append(table)
    return found


def _unknown(name: str, known: list[str], old_names: Mapping[str, str], tables: list[str]) -> str:
    near = difflib.get_close_matches(name, [*known, *old_names], 1)
    meant = f"did you mean {old_names.get(near[0], near[0])}?" if near else f"there are {', '.join(known)}"
    if tables:
        return f"is a key of the table {' and of '.join(tables)}, not of this one{f'; {meant}' if near else ''}"
    return f"is not known; {meant}"


def _without(values: Mapping[str, Any], wrong: Iterable[Place]) -> dict[str, Any]:
    """A copy of the values, without the innermost key of each of these places."""
    kept = copy.deepcopy(dict(values))
    for path in wrong:
        at: Any = kept
        table, key = kept, path[0]
        for part in path:
            if isinstance(at, dict):
                table, key = at, part
            if isinstance(at, dict) and part not in at:
                break
            at = at[part]
        table.pop(str(key), None)
    return kept
