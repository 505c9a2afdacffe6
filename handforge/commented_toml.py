"""Dataclasses as TOML, each key under its docstring; by hand: tomlkit would come for a few kinds of value."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import json
import re
import textwrap
from collections.abc import Mapping
from typing import Any

_WIDTH = 100


@functools.cache
def field_docs(cls: type) -> dict[str, str]:
    """The docstrings of a dataclass's fields by name, each as one line of plain text; read from its source."""
    (body,) = (node.body for node in ast.parse(textwrap.dedent(inspect.getsource(cls))).body if hasattr(node, "body"))
    found = {}
    for field, after in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            found[field.target.id] = _plain(ast.literal_eval(after.value))
    return found


def _plain(text: str) -> str:
    """Text without the marks of reStructuredText."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"\1", text)
    return " ".join(text.replace("``", "`").split())


def value(of: Any) -> str:
    """A value as TOML writes it: text, numbers, booleans, lists and tables in one line."""
    if isinstance(of, Mapping):
        return "{" + ", ".join(f"{key} = {value(part)}" for key, part in of.items()) + "}"
    if isinstance(of, list | tuple):
        return "[" + ", ".join(map(value, of)) + "]"
    return json.dumps(of, ensure_ascii=False) if isinstance(of, bool | str) else repr(of)


def comment(text: str) -> str:
    """Text as lines of comment."""
    return textwrap.fill(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False) + "\n"


def entries(values: Mapping[str, Any], docs: Mapping[str, str]) -> str:
    """Keys with their comments; one whose value is None is there as a comment, without a value."""
    lines = (f"# {key} =" if of is None else f"{key} = {value(of)}" for key, of in values.items())
    return "\n\n".join(comment(docs[key]) + line for key, line in zip(values, lines, strict=True)) + "\n"
