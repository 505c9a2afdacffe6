"""Guess which bone of an armature is which of a hand: from the names that rigs use, and from what hangs on what.

Fingers are known by their names, their bones from the palm outwards by who is whose parent; the hand is what all
fingers hang on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from generator.hand.anatomy import BONES
from generator.hand.pose import FINGERS

_WORDS = {
    "thumb": ("thumb", "pollex"),
    "index": ("index", "forefinger", "pointer"),
    "middle": ("middle", "mid"),
    "ring": ("ring", "annular"),
    "little": ("little", "pinky", "pinkie", "small"),
}
_ROOT, _TIP = re.compile(r"meta|carpal|palm|(?<!\d)0*0(?!\d)"), re.compile(r"tip|end|nub|(?<!\d)0*4(?!\d)")
"""Words of a finger's first bone that lies in the palm, and of one that only marks its tip."""
_ARM = re.compile(r"fore.?arm|lower.?arm|arm.?lower|radius|ulna|arm")
_ASIDE = re.compile(r"mch|org|ctrl|control|ik|pole|target|twist|master|drv")
"""Words of bones that rigs have for their own use."""
_SIDES = {"left": r"left|(?:^|[._\-\s:])l(?:$|[._\-\s\d])", "right": r"right|(?:^|[._\-\s:])r(?:$|[._\-\s\d])"}


def guess(parents: Mapping[str, str | None], side: str = "right") -> dict[str, str]:
    """An armature's bones' names by the built-in hand's, as far as they can be guessed, in the order of a bone map.

    :param parents: the name of each bone's parent by its own, None for the first ones.
    :param side: of a body, which hand.
    """
    other = re.compile(_SIDES["left" if side == "right" else "right"])
    names = [name for name in parents if not other.search(name.lower()) and not _ASIDE.search(_plain(name))]
    found: dict[str, str] = {}
    for finger in FINGERS:
        chain = sorted((name for name in names if _is_of(finger, name)), key=lambda name: len(_above(name, parents)))
        found |= _finger(finger, chain)
    firsts = {built_in.partition("_")[0]: name for built_in, name in reversed(found.items())}
    hand = _common([_above(name, parents) for name in firsts.values()])
    if len(firsts) > 1 and hand is not None:
        found["hand"] = hand
        for finger, name in firsts.items():
            palm = parents[name]
            if palm not in (None, hand) and finger != "thumb" and f"{finger}_metacarpal" not in found:
                found[f"{finger}_metacarpal"] = str(palm)
        arm = parents[hand]
        if arm is not None and _ARM.search(arm.lower()):
            found["forearm"] = arm
    return {name: found[name] for name in (*BONES, *(f"{finger}_tip" for finger in FINGERS)) if name in found}


def _plain(name: str) -> str:
    return re.sub(r"index|middle|ring|thumb", "", name.lower())


def _is_of(finger: str, name: str) -> bool:
    """Whether a bone is named after a finger; "ring" is also in "string", "mid" in "middle"."""
    return any(re.search(rf"(?<![a-z]){word}|{word.capitalize()}", name) for word in _WORDS[finger]) or any(
        word in name.lower() for word in _WORDS[finger] if len(word) > 4
    )


def _above(name: str, parents: Mapping[str, str | None]) -> list[str]:
    """The bones that a bone hangs on, the nearest first."""
    found, above = [], parents[name]
    while above is not None:
        found.append(above)
        above = parents[above]
    return found


def _common(lines: list[list[str]]) -> str | None:
    """The nearest bone that all hang on."""
    return next((name for name in lines[0] if all(name in line for line in lines)), None) if lines else None


def _finger(finger: str, chain: list[str]) -> dict[str, str]:
    """A finger's bones, from the palm outwards, by the built-in hand's."""
    parts = ["metacarpal", "proximal", "middle", "distal", "tip"]
    if finger == "thumb":
        parts.remove("middle")
    bones = len(parts) - 1  # without its tip
    if len(chain) > bones + 1:
        chain = chain[: bones + 1]
    rooted = bool(chain and _ROOT.search(chain[0].lower()))
    tipped = bool(chain and _TIP.search(chain[-1].lower()))
    if finger == "thumb" or len(chain) == bones + 1:
        names = parts
    elif len(chain) == bones and (rooted or not tipped):
        names = parts[:-1]
    else:
        names = parts[1:]
    return {f"{finger}_{part}": name for part, name in zip(names, chain, strict=False)}
