"""Bone maps guessed from the names that rigs use."""

import tomllib
from pathlib import Path

import pytest

import blender_addon
from generator.hand.anatomy import BONES
from generator.hand.pose import FINGERS
from generator.rigs import bone_map
from generator.rigs.guess import guess

MAPS = Path(blender_addon.__file__).parent / "maps"
THEIRS = {"little": "Pinky", "ring": "Ring", "middle": "Middle", "index": "Index", "thumb": "Thumb"}


def chain(parents, first, names):
    """Bones that hang on each other."""
    for name in names:
        parents[name], first = first, name


def mixamo():
    parents = {"mixamorig:Spine": None}
    for side in ("Left", "Right"):
        chain(
            parents, "mixamorig:Spine", [f"mixamorig:{side}{part}" for part in ("Shoulder", "Arm", "ForeArm", "Hand")]
        )
        for word in THEIRS.values():
            chain(parents, f"mixamorig:{side}Hand", [f"mixamorig:{side}Hand{word}{n}" for n in range(1, 5)])
    wanted = {"forearm": "mixamorig:{}ForeArm", "hand": "mixamorig:{}Hand"}
    for finger, word in THEIRS.items():
        parts = (
            ("metacarpal", "proximal", "distal", "tip")
            if finger == "thumb"
            else ("proximal", "middle", "distal", "tip")
        )
        wanted |= {f"{finger}_{part}": f"mixamorig:{{}}Hand{word}{n}" for n, part in enumerate(parts, 1)}
    return parents, {side: {o: t.format(side.title()) for o, t in wanted.items()} for side in ("left", "right")}


def rigify():
    parents = {"spine": None}
    for side in "LR":
        chain(parents, "spine", [f"upper_arm.{side}", f"forearm.{side}", f"hand.{side}"])
        for number, word in enumerate(("index", "middle", "ring", "pinky"), 1):
            chain(parents, f"hand.{side}", [f"palm.{number:02}.{side}"])
            chain(parents, f"palm.{number:02}.{side}", [f"f_{word}.{n:02}.{side}" for n in (1, 2, 3)])
        chain(parents, f"palm.01.{side}", [f"thumb.{n:02}.{side}" for n in (1, 2, 3)])
        parents[f"hand_ik.{side}"] = None
    wanted = {"forearm": "forearm.{}", "hand": "hand.{}", "ring_metacarpal": "palm.03.{}"}
    for finger, word in (("little", "pinky"), ("ring", "ring"), ("middle", "middle"), ("index", "index")):
        wanted |= {f"{finger}_{p}": f"f_{word}.{n:02}.{{}}" for n, p in enumerate(("proximal", "middle", "distal"), 1)}
    wanted |= {f"thumb_{p}": f"thumb.{n:02}.{{}}" for n, p in enumerate(("metacarpal", "proximal", "distal"), 1)}
    return parents, {side: {o: t.format(side[0].upper()) for o, t in wanted.items()} for side in ("left", "right")}


def unreal():
    parents = {"root": None}
    wanted = {}
    for side in ("left", "right"):
        s = side[0]
        chain(parents, "root", [f"upperarm_{s}", f"lowerarm_{s}", f"hand_{s}"])
        wanted[side] = {"forearm": f"lowerarm_{s}", "hand": f"hand_{s}"}
        for finger, word in THEIRS.items():
            word = word.lower()
            names = [f"{word}_{n:02}_{s}" for n in (1, 2, 3)]
            parts = ["proximal", "middle", "distal"]
            if finger == "thumb":
                parts = ["metacarpal", "proximal", "distal"]
            else:
                names, parts = [f"{word}_metacarpal_{s}", *names], ["metacarpal", *parts]
            chain(parents, f"hand_{s}", names)
            wanted[side] |= {f"{finger}_{part}": name for part, name in zip(parts, names, strict=True)}
    return parents, wanted


@pytest.mark.parametrize("rig", [mixamo, rigify, unreal])
@pytest.mark.parametrize("side", ["left", "right"])
def test_names_of_well_known_rigs(rig, side):
    parents, wanted = rig()
    found = guess(parents, side)
    assert {name: found.get(name) for name in wanted[side]} == wanted[side]
    assert rig is rigify or found == wanted[side], "and no others"


@pytest.mark.parametrize("rig", [mixamo, rigify, unreal])
@pytest.mark.parametrize("side", ["left", "right"])
def test_their_maps_come_along(rig, side):
    parents, wanted = rig()
    found = bone_map.load(MAPS / f"{rig.__name__}_{side}.toml")
    assert {name: found.get(name) for name in wanted[side]} == wanted[side]
    assert set(found.values()) <= set(parents) and len(set(found.values())) == len(found)


def test_the_webxr_hand_is_guessed_as_its_map_says():
    path = MAPS / "webxr_right.toml"
    known = tomllib.loads(path.read_text("utf-8"))["bones"]
    parents = {known["hand"]: None}
    for finger in FINGERS:
        names = [known[name] for name in (*BONES, f"{finger}_tip") if name.startswith(finger) and name in known]
        chain(parents, known["hand"], names)
    assert guess(parents) == bone_map.load(path)


def test_an_armature_of_something_else_gives_little():
    assert guess({"root": None, "leg": "root", "string": "leg", "armchair": None}) == {}
