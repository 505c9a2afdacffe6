"""A recipe as a TOML file in which every key has a comment: what ``handforge recipes show`` prints."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from handforge import commented_toml
from trainer.config.recipe import ImageSettings, Network, Recipe, Session

_PARTS = ("name", "sessions", "network", "images")


def as_toml(recipe: Recipe) -> str:
    """All keys, also those at their defaults; :func:`trainer.config.recipe_file.load` reads back the same recipe."""
    values = {name: value for name, value in asdict(recipe).items() if name not in _PARTS}
    parts = [_table("", {**values, **({} if recipe.sessions else {"sessions": []})}, Recipe)]
    parts += [
        _table("[network]", asdict(recipe.network), Network),
        _table("[images]", asdict(recipe.images), ImageSettings),
    ]
    if recipe.sessions:
        shared, differing = _shared([asdict(session) for session in recipe.sessions])
        parts.append(_table("[session]", shared, Session))
        parts.append("# The sessions, each with what differs from [session].\n" + _listed(differing))
    return "\n".join(parts)


def _table(heading: str, values: dict[str, Any], cls: type) -> str:
    return f"{heading}\n\n".lstrip() + commented_toml.entries(values, commented_toml.field_docs(cls))


def _shared(sessions: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Each key's most frequent value, and of each session what differs from these."""
    shared = {name: Counter(session[name] for session in sessions).most_common(1)[0][0] for name in sessions[0]}
    return shared, [{n: value for n, value in session.items() if value != shared[n]} for session in sessions]


def _listed(sessions: list[dict[str, Any]]) -> str:
    texts = ("".join(f"{name} = {commented_toml.value(of)}\n" for name, of in entry.items()) for entry in sessions)
    return "\n".join(f"[[sessions]]\n{text}" for text in texts)
