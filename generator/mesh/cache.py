"""Meshes that take seconds to make: made once and kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import platformdirs

from handforge.files import write_atomic

Arrays = dict[str, np.ndarray]


def load(name: str, shipped: Path, sources: Iterable[Path], make: Callable[[], Arrays]) -> Arrays:
    """A mesh's arrays by name: from the file ``shipped`` where there is one, from the cache, or made and cached.

    :param sources: the files whose text decides what is made.
    """
    path = _path(name, sources)
    for stored in (shipped, path):
        try:
            with np.load(io.BytesIO(stored.read_bytes())) as arrays:
                return dict(arrays)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass  # not there, or damaged: make it
    made = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, dump(made))
    except OSError:
        pass  # a machine without a writable cache folder meshes each time
    return made


def dump(arrays: Arrays) -> bytes:
    """The file of a mesh's arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _path(name: str, sources: Iterable[Path]) -> Path:
    parts = [np.__version__, *(source.read_text("utf-8") for source in sources)]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return Path(platformdirs.user_cache_dir("handforge", appauthor=False)) / f"{name}-{digest}.npz"
