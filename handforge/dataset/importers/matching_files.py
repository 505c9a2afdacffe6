"""Which image file an annotation file means, by the names that tools write for it."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from handforge.dataset.records import DatasetError
from handforge.files import distinct_names, utf8_name

_UPLOAD = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts before the name of an uploaded file."""


def match_files(listed: Iterable[str], files: Sequence[Path], root: Path) -> dict[str, Path]:
    """Find each listed name among files; names that are not there are left out.

    Folders may be written with slashes or backslashes and begin anywhere: the file whose path has the most of them in
    common from its end is taken. Names are compared as composed Unicode; where none is the same, without the prefix
    of an upload, and then without the suffix.

    :raises DatasetError: naming the entry, if two files fit it equally well.
    """
    by_name: dict[str, list[Path]] = defaultdict(list)
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        by_name[_normal(path.name)].append(path)
        by_stem[_normal(path.stem)].append(path)
    found = {}
    for name in listed:
        parts = [part for part in _path(_normal(name)).replace("\\", "/").split("/") if part]
        if not parts:
            continue
        plain = _UPLOAD.sub("", parts[-1])
        stems = [parts[-1], Path(parts[-1]).stem, Path(plain).stem]
        groups = (by_name[parts[-1]], by_name[plain], *(by_stem[stem] for stem in stems))
        candidates = next((group for group in groups if group), [])
        if candidates:
            found[name] = _best(name, parts, candidates, root)
    return found


def _best(name: str, parts: list[str], candidates: list[Path], root: Path) -> Path:
    def common(path: Path) -> int:
        folders = [_normal(part) for part in path.relative_to(root).parts[:-1]]
        pairs = zip(reversed(parts[:-1]), reversed(folders), strict=False)
        return next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(parts) - 1, len(folders)))

    ranked = sorted(candidates, key=lambda path: (-common(path), len(path.relative_to(root).parts)))
    if len(ranked) > 1:
        one, other = ranked[:2]
        same_depth = len(one.relative_to(root).parts) == len(other.relative_to(root).parts)
        if common(one) == common(other) and same_depth:
            raise DatasetError(f"{name} may be {one} or {other}; write its folder into the annotations, or rename one")
    return ranked[0]


def _path(name: str) -> str:
    """The path that a name holds: Label Studio writes local files as ``/data/local-files/?d=shots%2Fa.jpg``."""
    return unquote(name.split("?d=", 1)[1]) if "?d=" in name else name


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def sample_names(files: Sequence[Path], root: Path) -> dict[Path, str]:
    """A name for each file in a flat folder: its stem; with its folders or suffix where two would be the same, and with
    a number where these are, as of ``x/a.jpg``, ``y/a.jpg`` and ``x_a.jpg``.
    """
    names: dict[Path, str] = {}
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        by_stem[_normal(path.stem)].append(path)
    for stem, same in by_stem.items():
        for path in same:
            folders = [_normal(part) for part in path.relative_to(root).parts[:-1]]
            name = stem if len(same) == 1 else "_".join([*folders, stem])
            twin = sum(other.parent == path.parent for other in same) > 1
            names[path] = utf8_name(f"{name}_{path.suffix[1:].lower()}" if twin else name)
    return dict(zip(names, distinct_names(names.values()), strict=True))


def frame_numbers(stems: Sequence[str], source: Path) -> list[int]:
    """The numbers of the frames that files are named after.

    :param source: the files' folder, for messages.
    :raises DatasetError: if one has no number, or all have the same one and others that differ.
    """
    numbers = [frame_number(stem) for stem in stems]
    digits = {tuple(re.findall(r"\d+", stem)) for stem in stems if not re.search("frame", stem, re.IGNORECASE)}
    if len(set(numbers)) == 1 and len(digits) > 1:
        raise DatasetError(
            f"all {len(stems)} names in {source} would be of frame {numbers[0]}, {stems[0]} for one; name them like "
            "frame_000012"
        )
    return numbers


def frame_number(stem: str) -> int:
    """The number of the frame that a file is named after: ``frame_000012``, ``clip-0012_jpg.rf.0a1b2c3d``.

    It follows the word "frame" where that is there; else it is the one with the most digits, and of those the last.

    :raises DatasetError: if there is no number.
    """
    stem = re.sub(r"[._-](jpe?g|png|bmp|webp)\.rf\.[0-9a-zA-Z]+$", "", stem)
    named = re.findall(r"frame[^0-9a-z]*(\d+)", stem, re.IGNORECASE)
    digits = named or re.findall(r"\d+", stem)
    if not digits:
        raise DatasetError(f"{stem!r} names no frame; name it like frame_000012")
    longest = max(map(len, digits))
    return int([run for run in digits if len(run) == longest][-1])
