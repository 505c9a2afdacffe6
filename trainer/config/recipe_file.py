"""A :class:`~trainer.config.recipe.Recipe` from a TOML file.

A recipe file::

    description = "one line"
    subsets = 10                # S: the set is shuffled into so many equal parts
    validation = 0.0            # fraction of the images held out to measure a loss on after each session
    [network]                   # see Network
    [images]                    # see ImageSettings
    [session]                   # what all sessions share, see Session
    [[sessions]]                # one entry a session; what differs from [session]
    trainable_layers = ["all", "3+"]      # a list of words stands for as many sessions

``sessions = 10`` in place of the list: so many sessions that are alike.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any

from trainer.config import named_toml
from trainer.config.old_names import OldNameWarning, with_new_names
from trainer.config.recipe import LARGEST, ImageSettings, Network, Recipe, Session, recipe_problems
from trainer.errors import RecipeError

MOST_SESSIONS = 1000


def shipped() -> list[str]:
    """The names of the recipes that come with handforge."""
    return named_toml.names("recipes")


def load(name_or_file: str) -> Recipe:
    """A recipe by its name among the shipped ones, or from a TOML file.

    :raises RecipeError: if there is none, it is no TOML, or anything in it is wrong; all problems are named.
    """
    return from_table(
        Path(name_or_file).stem if name_or_file.endswith(".toml") else name_or_file, read_table(name_or_file)
    )


def read_table(name_or_file: str) -> dict[str, Any]:
    """What a recipe's TOML file holds. Errors as :func:`load`."""
    return named_toml.read("recipe", "recipes", name_or_file, RecipeError)


def from_table(name: str, table: dict[str, Any]) -> Recipe:
    """A recipe from what its TOML file holds. Errors as :func:`load`."""
    problems: dict[str, str] = {}
    table, old = with_new_names(table)
    if old:
        warnings.warn(
            f"recipe {name}: {', '.join(f'{a} is now {b}' for a, b in old.items())}", OldNameWarning, stacklevel=2
        )
    top = {key: value for key, value in table.items() if key not in ("network", "images", "session", "sessions")}
    values = typed_fields(Recipe, top, "", problems, skip=("name", "sessions", "network", "images"))
    network = Network(**typed_fields(Network, table.get("network", {}), "network", problems))
    images = ImageSettings(**typed_fields(ImageSettings, table.get("images", {}), "images", problems))
    sessions = _sessions(table, problems)
    if not any(part in table for part in ("network", "images", "session", "sessions")):
        raise RecipeError(f"recipe {name} does not say what to train; give it a [session] or [[sessions]]")
    recipe = Recipe(name=name, sessions=tuple(sessions), network=network, images=images, **values)
    wrong = set(problems.values())  # what has a wrong type is at its default, of which nothing is said
    texts = [*problems, *(text for text in recipe_problems(recipe) if wrong.isdisjoint(re.findall(r"\w+", text)))]
    if texts:
        raise RecipeError(f"recipe {name}: {'; '.join(texts)}")
    return recipe


def _sessions(table: dict[str, Any], problems: dict[str, str]) -> list[Session]:
    shared = table.get("session", {})
    entries = table.get("sessions", [{}])
    if type(entries) is int and 1 <= entries <= MOST_SESSIONS:
        entries = [{}] * entries
    if not isinstance(shared, dict) or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        problems[f"[session] is one table, and [[sessions]] a list of tables or a number from 1 to {MOST_SESSIONS}"] = (
            "session"
        )
        return []
    sessions = []
    for number, entry in enumerate(entries, start=1):
        merged = {**shared, **entry}
        words = merged.pop("trainable_layers", Session.trainable_layers)
        for word in words if isinstance(words, list) else [words]:
            sessions.append(
                Session(**typed_fields(Session, {**merged, "trainable_layers": word}, f"sessions {number}", problems))
            )
    return sessions


_ACCEPTED: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "int | str": (int, str),
    "tuple[str, ...]": (list,),
}
_NAMES = {"tuple[str, ...]": "a list of names"}


def typed_fields(
    cls: type, table: Any, where: str, problems: dict[str, str], skip: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The entries of a table that the dataclass knows and that have its type.

    :param problems: gets a text on each of the others, and its name.
    """
    prefix = f"[{where}] " if where else ""
    if not isinstance(table, dict):
        problems[f"{prefix}is no table"] = where
        return {}
    known = {f.name: str(f.type) for f in dataclasses.fields(cls) if f.name not in skip}
    good: dict[str, Any] = {}
    for key, value in table.items():
        fits = isinstance(value, _ACCEPTED[known.get(key, "str")]) and not isinstance(value, bool)
        if key not in known:
            problems[f"{prefix}{key} is not known (there are {', '.join(known)})"] = key
        elif not fits:
            problems[f"{prefix}{key} is {value!r}, it must be {_NAMES.get(known[key], known[key])}"] = key
        elif isinstance(value, int) and abs(value) > LARGEST:
            problems[f"{prefix}{key} is {value}, more than {LARGEST:,} cannot be done"] = key
        else:
            good[key] = float(value) if known[key] == "float" else tuple(value) if isinstance(value, list) else value
    return good
