"""TOML files by the names under which the package has them, or of one's own."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path
from typing import Any

from handforge.errors import HandforgeError
from handforge.parse import parse_toml


def names(folder: str) -> list[str]:
    """Names of the files in a folder of the package."""
    files = (resources.files("trainer") / folder).iterdir()
    return sorted(Path(file.name).stem for file in files if file.name.endswith(".toml"))


def read(kind: str, folder: str, name_or_file: str, error: type[HandforgeError]) -> dict[str, Any]:
    """What a file holds, by its name among those in ``folder`` or by its path.

    :param kind: what it is, for the message.
    :raises HandforgeError: the given ``error``: if there is none, with the nearest name, or it is no TOML.
    """
    known = names(folder)
    if name_or_file in known:
        text = (resources.files("trainer") / folder / f"{name_or_file}.toml").read_bytes()
    else:
        path = Path(name_or_file)
        if path.suffix == ".toml" and not path.exists():
            raise error(f"{path} is missing")
        if path.suffix != ".toml" or not path.is_file():
            near = difflib.get_close_matches(name_or_file, known, 1)
            meant = f"did you mean {near[0]}? There are" if near else "there are"
            raise error(f"no {kind} is called {name_or_file!r}; {meant} {', '.join(known)}, or give a .toml file")
        text = path.read_bytes()
    return parse_toml(text, Path(name_or_file), error)
