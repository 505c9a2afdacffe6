"""The pose sets: ``l2``, ``l11``, those drawn by :mod:`generator.hand.finger_sets`, and files of poses.

``l2`` and ``l11`` are the sweep's (:mod:`generator.hand.sweep`). ``fingers``, ``signs``, ``gestures`` and ``grasps``
sweep the forearm alike, with fingers and a wrist of their own in every frame. ``all`` is ``l2`` and ``l11``; several
sets are joined by commas. Another step than 2 degrees follows the name: ``l11@5`` is 72 x 72 poses.

A file of poses is CSV: a header, then one pose a line. Columns ``set`` and ``frame``, then the 28 names of
:data:`generator.hand.pose.NAMES`, centimetres for the first three and degrees for the rest.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.hand import finger_sets, pose, sweep
from handforge.errors import HandforgeError

SWEPT = ("l2", "l11")
"""What ``all`` stands for."""
SETS = (*SWEPT, *finger_sets.SETS)


@dataclass(frozen=True)
class PoseSet:
    """Poses and where they come from.

    :param names: the set of each pose, N strings.
    :param frames: its index in that set, (N,) int.
    :param poses: (N, 28) float64, metres and radians.
    """

    names: tuple[str, ...]
    frames: np.ndarray
    poses: np.ndarray

    def __len__(self) -> int:
        return len(self.poses)

    def take(self, index: np.ndarray) -> PoseSet:
        """The poses at these indices."""
        index = np.asarray(index)
        return PoseSet(tuple(self.names[i] for i in index.tolist()), self.frames[index], self.poses[index])


class PoseError(HandforgeError):
    """A pose set or file that cannot be used; the text says which, where, and what would do."""


def poses(name: str) -> np.ndarray:
    """All poses of a set, plausible or not, (32400, 28) float64 at the step of 2 degrees.

    :param name: one of :data:`SETS`, perhaps with a step, as ``l2@5``.
    :raises PoseError: if there is no such set, or the step does not divide the circle.
    """
    base, step = _parts(name)
    if base not in SETS:
        raise PoseError(f"there is no set {name!r}; the sets are {', '.join(SETS)} and all, or name a file of poses")
    angles = sweep.grid(step)
    result = np.zeros((len(angles), pose.SIZE))
    result[:, [pose.V4, pose.V5]] = angles
    if base == "l11":
        result[:, 8:] = sweep.finger_motion(len(angles))
    elif base in finger_sets.SETS:
        result[:, 6:] = finger_sets.draw(base, len(angles))
    return result


def _parts(name: str) -> tuple[str, int]:
    """A set's name without its step, and the step in degrees.

    :raises PoseError: if the step is not a whole number of degrees that divides the circle.
    """
    base, at, step = name.partition("@")
    if not at:
        return base, sweep.STEP_DEGREES
    if not step.isdecimal() or not 0 < int(step) <= 90 or 360 % int(step):
        raise PoseError(f"the step of {name} is not a whole number of degrees, up to 90, that divides 360")
    return base, int(step)


def with_step(name: str, step: int) -> str:
    """The name of the same sets at another step.

    :raises PoseError: if it is a file of poses, or names a step already.
    """
    sets = named(name)
    if not sets or "@" in name:
        raise PoseError(f"--step is for sets ({', '.join(SETS)}, all) without a step of their own, not for {name}")
    return ",".join(f"{one}@{step}" for one in sets)


def named(name: str) -> tuple[str, ...]:
    """The sets that ``all``, a set's name, or several with commas between stand for; none if it is none of these."""
    base, at, step = name.partition("@")
    sets = (
        tuple(f"{one}{at}{step}" for one in SWEPT) if base == "all" else tuple(part.strip() for part in name.split(","))
    )
    known = all(one.partition("@")[0] in SETS for one in sets)
    return sets if known and len(set(sets)) == len(sets) else ()


def select(name: str) -> PoseSet:
    """The poses of a set, of several joined by commas, of ``all`` (``l2`` and ``l11``), or of a file.

    :raises PoseError: if it is neither a set nor a file, or the file cannot be used.
    """
    if sets := named(name):
        found = [poses(one) for one in sets]
        return PoseSet(
            tuple(one for one, some in zip(sets, found, strict=True) for _ in some),
            np.concatenate([np.arange(len(some)) for some in found]),
            np.concatenate(found),
        )
    path = Path(name)
    if path.is_file():
        return load(path)
    raise PoseError(f"{name!r} is neither a set ({', '.join(SETS)}, all) nor a file of poses")


# ---------------------------------------------------------------- files of poses

_HEADER = ("set", "frame", *pose.NAMES)


def dump(some: PoseSet) -> bytes:
    """A file of poses as bytes; angles to a millionth of a degree."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for name, frame, values in zip(some.names, some.frames, pose.to_degrees(some.poses), strict=True):
        writer.writerow([name, int(frame), *(f"{v:.6f}".rstrip("0").rstrip(".") for v in values)])
    return text.getvalue().encode()


def load(path: Path) -> PoseSet:
    """Read a file of poses.

    :raises PoseError: naming the line and the column, if it is not in the form above or holds no pose.
    """
    try:
        reader = csv.reader(io.StringIO(path.read_text("utf-8-sig")))
        lines = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise PoseError(f"{path} is not a CSV file of poses ({error})") from None
    if not lines or tuple(lines[0][1]) != _HEADER:
        raise PoseError(f"{path} does not start with the header of a file of poses: set,frame,{pose.NAMES[0]},...")
    rows = [row for _, row in lines[1:]]
    if not rows:
        raise PoseError(f"{path} holds no pose")
    values = np.empty((len(rows), pose.SIZE))
    for place, (line, row) in enumerate(lines[1:]):
        if len(row) != len(_HEADER):
            raise PoseError(f"{path}, line {line}: {len(row)} columns, expected {len(_HEADER)}")
        for column, cell in enumerate(row[1:], start=1):
            try:
                number = float(cell)
            except ValueError:
                number = np.nan
            if not np.isfinite(number) or (column == 1 and number != int(number)):
                raise PoseError(f"{path}, line {line}, {_HEADER[column]}: {cell!r} is not a number that fits there")
            if column > 1:
                values[place, column - 2] = number
    names = tuple(row[0] for row in rows)
    frames = np.array([int(float(row[1])) for row in rows])
    return PoseSet(names, frames, pose.from_degrees(values))
