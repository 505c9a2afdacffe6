"""External rigged hands: which of their bones is which of the built-in hand's, and how they rotate for a pose.

A map is a TOML file with a table ``bones``: the built-in hand's bone = "the rig's bone". The forearm and the
metacarpals of the long fingers may be missing; what rotates the forearm then rotates the hand. Bones at the tips
(``thumb_tip`` ...) may be named where the armature has them; they go with the last phalanx. Whether a hand is a right
or a left one, its thumb and the bend of its fingers tell; a left one is taken as the mirror image of a right one.

A pose means the same on every hand: at zero the fingers are straight and open as the built-in hand's, however the
armature's own bind pose has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

import numpy as np

from generator.hand import kinematics
from generator.hand.anatomy import BONES, skeleton
from generator.hand.pose import FINGERS
from handforge.errors import HandforgeError
from handforge.parse import parse_toml

_HAND = skeleton()

OPTIONAL = ("forearm", *(f"{finger}_metacarpal" for finger in ("little", "ring", "middle", "index")))
"""The bones that a map may leave out."""

TIPS = tuple(f"{finger}_tip" for finger in FINGERS)
"""The bones that a map may add."""


class RigMapError(HandforgeError):
    """A map that cannot be used; the text names the file, the bone and what would do."""


def load(path: Path) -> dict[str, str]:
    """Read a map: the rig's bones by the built-in hand's.

    :returns: in the order of :data:`generator.hand.anatomy.BONES`, then the tips.
    :raises RigMapError: if it is not a bone map, or as :func:`checked`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RigMapError(f"{path} cannot be read ({error.strerror})") from None
    bones = parse_toml(content, path, RigMapError).get("bones")
    if not isinstance(bones, dict):
        raise RigMapError(f"{path} has no table [bones]")
    return checked(bones, str(path))


def checked(bones: dict[str, str], source: str) -> dict[str, str]:
    """A map in the order of :func:`load`.

    :param source: where it is from, for messages.
    :raises RigMapError: if it names an unknown bone, leaves out one that is needed, or has one of the rig's twice.
    """
    if unknown := [name for name in bones if name not in (*BONES, *TIPS)]:
        raise RigMapError(f"{source}: there is no bone {unknown[0]!r}; the bones are {', '.join(BONES)}")
    if missing := [name for name in BONES if name not in bones and name not in OPTIONAL]:
        raise RigMapError(f"{source}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    if wrong := [name for name, theirs in bones.items() if not isinstance(theirs, str)]:
        raise RigMapError(f"{source}: {wrong[0]} is a bone's name, not {bones[wrong[0]]!r}")
    for one, other in pairwise(sorted(bones, key=bones.__getitem__)):
        if bones[one] == bones[other]:
            raise RigMapError(f"{source}: {one} and {other} are both {bones[one]!r}; each is a bone of its own")
    return {name: bones[name] for name in (*BONES, *TIPS) if name in bones}


def no_bone(source: str, name: str, there: Iterable[str]) -> RigMapError:
    """What to raise where a rig has not the bone that a map names.

    :param source: the rig, for the message.
    :param there: its bones, of which the message names those of similar names.
    """
    similar = get_close_matches(name, list(there), n=3, cutoff=0.3)
    hint = f"; there are {', '.join(map(repr, similar))}" if similar else ""
    return RigMapError(f"{source} has no bone {name!r}, which the map names{hint}")


@dataclass(frozen=True)
class Fit:
    """How an armature lies beside the built-in hand in the bind pose, and how its digits are straightened for that.

    :param names: the B mapped bones by the built-in hand's names, a bone before those that go with it.
    :param above: (B,) int, the mapped bone that each goes with; -1 for the first.
    :param heads: (B, 3), where the rig's bones begin before anything is moved, armature axes.
    :param straight: (B, 3, 3), how each is then rotated to point where the built-in one does; phalanges and thumb only.
    :param whole: (3, 3), the whole hand: from scene axes to the armature's; of a left hand with a reflection.
    """

    names: tuple[str, ...]
    above: np.ndarray
    heads: np.ndarray
    straight: np.ndarray
    whole: np.ndarray

    @property
    def side(self) -> str:
        """``right`` or ``left``."""
        return "right" if np.linalg.det(self.whole) > 0 else "left"

    def transforms(self, pose: np.ndarray) -> np.ndarray:
        """How each of the rig's bones moves for a pose (28,), (B, 4, 4) in the armature's axes."""
        moved = kinematics.transforms(pose, _HAND)[:, :3, :3]
        result = np.tile(np.eye(4), (len(self.names), 1, 1))
        for index, (name, above) in enumerate(zip(self.names, self.above.tolist(), strict=True)):
            head = self.heads[index]
            to = result[above, :3, :3] @ head + result[above, :3, 3] if above >= 0 else head + self.whole @ pose[:3]
            if name in BONES:
                rotation = self.whole @ moved[BONES.index(name)] @ self.whole.T @ self.straight[index]
            else:
                rotation = result[above, :3, :3]
            result[index, :3, :3], result[index, :3, 3] = rotation, to - rotation @ head
        return result

    def joints(self, moved: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The built-in hand's 21 rotations and the wrist's shift for bones that have moved, as
        :func:`generator.hand.inverse_kinematics.pose` takes them.

        :param moved: (B, 4, 4) as :meth:`transforms` gives.
        :param near: the pose whose wrist the hand keeps where there is no forearm to tell it from.
        """
        result = np.tile(np.eye(3), (len(BONES), 1, 1))
        turns = self.whole.T @ moved[:, :3, :3] @ self.straight.transpose(0, 2, 1) @ self.whole
        for index, (name, above) in enumerate(zip(self.names, self.above.tolist(), strict=True)):
            if name in BONES:
                result[BONES.index(name)] = turns[above].T @ turns[index] if above >= 0 else turns[index]
        if "forearm" not in self.names:
            arm = kinematics.transforms(near, _HAND)[:2, :3, :3]
            wrist = arm[0].T @ arm[1]
            result[0], result[1] = result[1] @ wrist.T, wrist
        first = self.heads[0]
        return result, self.whole.T @ (moved[0, :3, :3] @ first + moved[0, :3, 3] - first)


def fit(heads: dict[str, np.ndarray]) -> Fit:
    """Lay the built-in hand beside an armature.

    :param heads: where its bones begin, (3,) in its axes, by the built-in hand's names in the order of :func:`load`;
        of the forearm, where it ends.
    :raises RigMapError: if the knuckles lie on one line, so that the palm has no direction, or a phalanx begins
        where the one before it does.
    """
    names = list(heads)
    own = dict(zip(BONES, _HAND.heads, strict=True)) | {"forearm": _HAND.tails[0]}
    own |= {f"{finger}_tip": _HAND.tails[BONES.index(f"{finger}_distal")] for finger in FINGERS}
    for name in names:
        before = _above(name, names)
        if before is not None and _bends(before) and np.linalg.norm(heads[name] - heads[before]) < 1e-9:
            raise RigMapError(f"the bones for {before} and {name} begin in one place; is the map right?")
    whole = _palm(heads) @ _palm(own).T
    above = np.array([names.index(found) if (found := _above(name, names)) else -1 for name in names])
    straight = np.tile(np.eye(3), (len(names), 1, 1))
    for index, name in enumerate(names):
        after = next((other for other in names[index + 1 :] if _above(other, names) == name), None)
        if not _bends(name):
            continue
        if after is None:
            straight[index] = straight[above[index]]
        else:
            straight[index] = _shortest_rotation(heads[after] - heads[name], whole @ (own[after] - own[name]))
    return Fit(tuple(names), above, np.array(list(heads.values())), straight, whole)


def _bends(name: str) -> bool:
    """Whether a bone is a phalanx or the thumb's metacarpal: what lies otherwise in another's bind pose."""
    return name.endswith(("proximal", "middle", "distal")) or name == "thumb_metacarpal"


def _above(name: str, names: list[str]) -> str | None:
    """The mapped bone that a bone goes with."""
    if name in TIPS:
        return name.replace("_tip", "_distal")
    bone = int(_HAND.parents[BONES.index(name)])
    while bone >= 0 and BONES[bone] not in names:
        bone = int(_HAND.parents[bone])
    return BONES[bone] if bone >= 0 else None


def _palm(heads: dict[str, np.ndarray]) -> np.ndarray:
    """Columns radial, dorsal, distal of a palm; a left hand's are left-handed."""
    distal = heads["middle_proximal"] - heads["hand"]
    radial = heads["index_proximal"] - heads["little_proximal"]
    dorsal = np.cross(distal, radial)
    if np.linalg.norm(dorsal) < 1e-9:
        raise RigMapError("wrist and knuckles of the armature lie on one line; is its map right?")
    distal, dorsal = distal / np.linalg.norm(distal), dorsal / np.linalg.norm(dorsal)
    radial = np.cross(dorsal, distal)
    return np.stack([radial, dorsal if _palmar(heads) @ dorsal <= 0 else -dorsal, distal], axis=1)


def _palmar(heads: dict[str, np.ndarray]) -> np.ndarray:
    """A direction to the palm's side: the thumb lies there, and fingers bend there."""
    thumb = [heads[f"thumb_{part}"] - heads["thumb_metacarpal"] for part in ("proximal", "distal")]
    bend = [np.zeros(3)]
    for finger in FINGERS[:4]:
        proximal, middle, distal = (heads[f"{finger}_{part}"] for part in ("proximal", "middle", "distal"))
        along = (middle - proximal) / np.linalg.norm(middle - proximal)
        bend.append(2 * (distal - middle - (distal - middle) @ along * along))
    return np.sum(thumb, axis=0) + np.sum(bend, axis=0)


def _shortest_rotation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The rotation that takes one direction to another by the shortest way; not for opposite ones."""
    a, b = one / np.linalg.norm(one), other / np.linalg.norm(other)
    axis = np.cross(a, b)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + max(float(a @ b), -0.999))
