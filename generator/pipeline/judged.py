"""Which poses of a set are plausible, remembered: judging ``varied``'s 129,600 poses takes ten seconds of a core."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import fields
from pathlib import Path

import numpy as np

from generator.hand import plausibility
from generator.hand.anatomy import Skeleton
from generator.hand.camera import Camera
from handforge import __version__
from handforge.files import write_atomic

LEAST = 10_000
"""Fewer poses are judged each time, within a second."""
_DIGEST = hashlib.sha256().digest_size


def judge(poses: np.ndarray, hand: Skeleton, seen_by: Camera) -> np.ndarray:
    """As :func:`generator.hand.plausibility.judge`; of many poses the verdicts are kept in the user's cache folder.

    A file there is of these very poses, hand, camera and rules. One that is damaged is made anew, and where none can be
    written the poses are judged each time.
    """
    if len(poses) < LEAST:
        return plausibility.judge(poses, hand, seen_by)
    path = cache_folder() / f"{_key(poses, hand, seen_by)}.verdicts"
    words = np.array(("", *plausibility.RULES))
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        digest, codes = content[:_DIGEST], content[_DIGEST:]
        if len(codes) == len(poses) and hashlib.sha256(codes).digest() == digest:
            return words[np.frombuffer(codes, np.uint8)]
    reasons = plausibility.judge(poses, hand, seen_by)
    codes = (reasons[:, None] == words).argmax(axis=1).astype(np.uint8).tobytes()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, hashlib.sha256(codes).digest() + codes)
    return reasons


def cache_folder() -> Path:
    """Where verdicts are kept: ``handforge/verdicts`` in the user's cache folder. It may be removed at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")  # the latter: Windows
    return (Path(base) if base else Path("~/.cache").expanduser()) / "handforge" / "verdicts"


def _key(poses: np.ndarray, hand: Skeleton, seen_by: Camera) -> str:
    """A digest of all that verdicts depend on."""
    parts = [
        f"{__version__} {plausibility.RULES_VERSION}".encode(),
        np.ascontiguousarray(poses, float).tobytes(),
        repr(seen_by).encode(),
    ]
    for field in fields(hand):
        value = getattr(hand, field.name)
        parts.append(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:32]
