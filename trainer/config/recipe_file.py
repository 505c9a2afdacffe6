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

import warnings
from pathlib import Path
from typing import Any

from trainer.config import named_toml
from trainer.config.old_names import OldNameWarning, with_new_names
from trainer.config.recipe import Recipe, Session, from_values
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
    table, old = with_new_names(table)
    if old:
        warnings.warn(
            f"recipe {name}: {', '.join(f'{a} is now {b}' for a, b in old.items())}", OldNameWarning, stacklevel=2
        )
    if "name" in table:
        raise RecipeError(f"recipe {name}: its file names it; leave name out")
    if not any(part in table for part in ("network", "images", "session", "sessions")):
        raise RecipeError(f"recipe {name} does not say what to train; give it a [session] or [[sessions]]")
    values = {key: value for key, value in table.items() if key != "session"}
    return from_values({**values, "name": name, "sessions": _sessions(name, table)})


def _sessions(name: str, table: dict[str, Any]) -> list[dict[str, Any]]:
    shared = table.get("session", {})
    entries = table.get("sessions", [{}])
    if type(entries) is int and 1 <= entries <= MOST_SESSIONS:
        entries = [{}] * entries
    if not isinstance(shared, dict) or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise RecipeError(
            f"recipe {name}: [session] is one table, and [[sessions]] a list of tables or a number from 1 to "
            f"{MOST_SESSIONS}"
        )
    sessions = []
    for entry in entries:
        merged = {**shared, **entry}
        words = merged.get("trainable_layers", Session.trainable_layers)
        sessions += [merged | {"trainable_layers": word} for word in (words if isinstance(words, list) else [words])]
    return sessions
