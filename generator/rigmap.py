"""Other people's rigged hands: which of their bones is which of ours, and how theirs turn for a pose of ours.

A map is a TOML file with a table ``bones``: our bone's name = "their bone's name". Forearm and metacarpals of the long
fingers may be missing; what turns the forearm then turns the hand. Bones at the tips (``thumb_tip`` ...) may be named
where the armature has them; they go with the last phalanx. Right hands only.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator import kinematics
from generator.anatomy import BONES, skeleton
from generator.pose import FINGERS

_HAND = skeleton()

OPTIONAL = ("forearm", *(f"{finger}_metacarpal" for finger in ("little", "ring", "middle", "index")))
"""The bones that a map may leave out."""

TIPS = tuple(f"{finger}_tip" for finger in FINGERS)
"""The bones that a map may add."""


class RigMapError(ValueError):
    """A map that cannot be used; the text names the file, the bone and what would do."""


def load(path: Path) -> dict[str, str]:
    """Their bones' names by ours, in the order of :data:`generator.anatomy.BONES`, then the tips.

    :raises RigMapError: if it is no such file, names a bone we have not, or leaves out one that is needed.
    """
    try:
        bones = tomllib.loads(path.read_text("utf-8"))["bones"]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise RigMapError(f"{path} is no TOML file with a table [bones] ({error})") from None
    if unknown := [name for name in bones if name not in (*BONES, *TIPS)]:
        raise RigMapError(f"{path}: there is no bone {unknown[0]!r}; the bones are {', '.join(BONES)}")
    if missing := [name for name in BONES if name not in bones and name not in OPTIONAL]:
        raise RigMapError(f"{path}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    return {name: str(bones[name]) for name in (*BONES, *TIPS) if name in bones}


@dataclass(frozen=True)
class Fit:
    """How somebody's armature lies beside our hand, both in their bind poses.

    :param names: the mapped bones, ours, B of them, a bone before those that go with it.
    :param above: (B,) int, the mapped bone that each goes with; -1 for the first.
    :param heads: (B, 3), where theirs begin, armature axes.
    :param frames: (B, 3, 3), from our scene axes to the armature's: of the whole hand, tilted to each bone's direction.
    :param whole: (3, 3), of the whole hand.
    """

    names: tuple[str, ...]
    above: np.ndarray
    heads: np.ndarray
    frames: np.ndarray
    whole: np.ndarray

    def transforms(self, pose: np.ndarray) -> np.ndarray:
        """How each of their bones moves from its bind pose for a pose of ours, (B, 4, 4) in the armature's axes."""
        moved = kinematics.transforms(pose, _HAND)[:, :3, :3]
        result = np.tile(np.eye(4), (len(self.names), 1, 1))
        for index, (name, above) in enumerate(zip(self.names, self.above.tolist(), strict=True)):
            own = np.eye(3)
            if name in BONES:
                own = (moved[BONES.index(self.names[above])].T if above >= 0 else own) @ moved[BONES.index(name)]
            turn = self.frames[index] @ own @ self.frames[index].T
            result[index, :3, :3], result[index, :3, 3] = turn, self.heads[index] - turn @ self.heads[index]
            result[index] = (result[above] if above >= 0 else _shift(self.whole @ pose[:3])) @ result[index]
        return result

    def joints(self, moved: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The reverse: our 21 bones' own rotations and the wrist's shift, as :func:`generator.inverse.pose` takes them.

        :param moved: (B, 4, 4) as :meth:`transforms` gives.
        :param near: the pose whose wrist the hand keeps where there is no forearm to tell it from.
        """
        result = np.tile(np.eye(3), (len(BONES), 1, 1))
        turns = moved[:, :3, :3]
        for index, (name, above) in enumerate(zip(self.names, self.above.tolist(), strict=True)):
            if name in BONES:
                own = turns[above].T @ turns[index] if above >= 0 else turns[index]
                result[BONES.index(name)] = self.frames[index].T @ own @ self.frames[index]
        if "forearm" not in self.names:
            arm = kinematics.transforms(near, _HAND)[:2, :3, :3]
            wrist = arm[0].T @ arm[1]
            result[0], result[1] = result[1] @ wrist.T, wrist
        first = self.heads[0]
        return result, self.whole.T @ (turns[0] @ first + moved[0, :3, 3] - first)


def _shift(by: np.ndarray) -> np.ndarray:
    result = np.eye(4)
    result[:3, 3] = by
    return result


def fit(heads: dict[str, np.ndarray]) -> Fit:
    """Lay our hand beside an armature.

    :param heads: where their bones begin in their bind pose, (3,) in the armature's axes, by our names in the order of
        :func:`load`; of the forearm, where it ends.
    :raises RigMapError: if the knuckles lie on one line, so that the palm has no direction.
    """
    names = list(heads)
    ours = dict(zip(BONES, _HAND.heads, strict=True)) | {"forearm": _HAND.tails[0]}
    whole = _palm(heads) @ _palm(ours).T
    above = np.array([names.index(found) if (found := _above(name, names)) else -1 for name in names])
    tilts = [np.eye(3)] * len(names)
    for index, name in enumerate(names):
        after = next((n for n in names[index + 1 :] if _above(n, names) == name and n in BONES), None)
        if after is None and above[index] >= 0:
            tilts[index] = tilts[above[index]]
        elif after is not None and name not in ("forearm", "hand"):
            tilts[index] = _smallest_turn(whole @ (ours[after] - ours[name]), heads[after] - heads[name])
    frames = np.array([tilt @ whole for tilt in tilts])
    return Fit(tuple(names), above, np.array(list(heads.values())), frames, whole)


def _above(name: str, names: list[str]) -> str | None:
    """The mapped bone that a bone goes with."""
    if name in TIPS:
        return name.replace("_tip", "_distal")
    bone = int(_HAND.parents[BONES.index(name)])
    while bone >= 0 and BONES[bone] not in names:
        bone = int(_HAND.parents[bone])
    return BONES[bone] if bone >= 0 else None


def _palm(heads: dict[str, np.ndarray]) -> np.ndarray:
    """Columns radial, dorsal, distal of a right hand's palm."""
    distal = heads["middle_proximal"] - heads["hand"]
    radial = heads["index_proximal"] - heads["little_proximal"]
    dorsal = np.cross(distal, radial)
    if np.linalg.norm(dorsal) < 1e-9:
        raise RigMapError("wrist and knuckles of the armature lie on one line; is its map right?")
    distal, dorsal = distal / np.linalg.norm(distal), dorsal / np.linalg.norm(dorsal)
    return np.stack([np.cross(dorsal, distal), dorsal, distal], axis=1)


def _smallest_turn(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The rotation that takes one direction to another by the shortest way; not for opposite ones."""
    a, b = one / np.linalg.norm(one), other / np.linalg.norm(other)
    axis = np.cross(a, b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + max(float(a @ b), -0.999))
