"""Meshes of the package as files of arrays, since meshing takes some seconds and scikit-image."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from handforge.errors import HandforgeError


class MeshFileError(HandforgeError):
    """A mesh of the package is missing or damaged."""


def read(path: Path) -> dict[str, np.ndarray]:
    """Read a mesh's arrays, by name.

    :raises MeshFileError: if the file is missing or damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            return dict(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise MeshFileError(f"{path} cannot be read ({error}); install handforge again") from None


def dump(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a mesh's file: the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
