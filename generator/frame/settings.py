"""What a rendering run can be told: one dataclass, read from TOML, overridden by the command line.

Everything that changes a byte of the finished folder is here, and nothing else: the number of workers is not.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from generator.hand import pose_sets
from generator.hand.anatomy import HandShape
from generator.mesh.gloves import KINDS
from handforge.dataset import GROUND_TRUTH_MAPS
from handforge.errors import HandforgeError

FORMATS = ("png", "jpg", "webp")
ENGINES = ("auto", "raster", "cycles", "eevee", "workbench")
MASKS = ("hand", "hand+forearm", "both")
RIGS = (".glb", ".fbx", ".blend")
READY = ".npz"
"""A rigged hand as the add-on hands it over (:mod:`generator.rigs.external_rig`), which needs no map."""
SIDES = ("right", "left", "varied")
KEYPOINTS_3D = "keypoints3d"
SIZE_RANGE = (64, 4096)


_CHOICES: dict[str, tuple[str, ...]] = {
    "format": FORMATS,
    "engine": ENGINES,
    "scene": ("plain", "room"),
    "mask": MASKS,
    "side": SIDES,
    "light": ("front", "varied", "mixed"),
    "background": ("white", "varied"),
    "sleeve": ("none", "varied"),
    "surroundings": ("things", "varied"),
    "distractors": ("none", "varied"),
    "occluders": ("none", "varied"),
    "exposure": ("metered", "varied"),
    "camera": ("clean", "varied"),
    "elbow": ("straight", "varied"),
    "glove": ("none", "some", "random", *KINDS),
    "adornments": ("none", "random"),
}
"""The settings that are one of a few words."""

_PEOPLE = {"skin": "varied", "shape": "varied", "light": "varied"}
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "people": {**_PEOPLE, "background": "varied"},
    "studio": {**_PEOPLE, "background": "varied", "distance": "close"},
    "varied": {
        **{"set": "l11,fingers,gestures,signs", "scene": "room", "samples": 2, "format": "jpg", "size": "640x360"},
        **{"distance": "close", "focal_mm": "varied", **_PEOPLE, "light": "mixed"},
        **{"surroundings": "varied", "distractors": "varied", "occluders": "varied"},
        **{"exposure": "varied", "side": "varied", "hands": "varied", "elbow": "varied"},
        **{"empty": 0.15, "held": 0.25, "crowd": 0.12, "egocentric": 0.1},
        **{"glove": "some", "adornments": "random"},
    },
}
PRESETS["gloves"] = {**PRESETS["varied"], "glove": "random", "empty": 0.0}
"""Settings by name: ``paper`` is the default; ``people`` varies hand, skin, light and the tone of white in the paper's
framing; ``studio`` shows the same as people photograph hands, near and with an arm from outside the image; ``varied``
does so in rooms, on tables, before other people; ``gloves`` is the same with a glove on every hand."""


class SettingsError(HandforgeError):
    """Settings that cannot be used; the text names every one, what was expected, and where it was read."""


@dataclass(frozen=True)
class RenderSettings:
    """A rendering run. Where a setting may be ``"varied"``, each frame draws its own from (seed, frame)."""

    set: str = "all"
    """``all`` (``l2`` and ``l11``), ``fingers``, ``signs``, ``gestures``, ``grasps``, several by commas, or a file."""
    count: int | None = None
    """How many images, spread evenly over the kept poses; None renders every one."""
    seed: int = 0
    """0 or more. With the same seed, frame i is the same image with any number of workers, on any machine with the
    same Blender and, for ``raster``, the same graphics driver; a room's on those with the same kind of processor, as
    Cycles computes a little otherwise with other instructions."""
    size: tuple[int, int] = (1280, 720)
    """Width and height in pixels; ``"1280x720"`` in a file."""
    format: str = "png"
    """Of the images: png, jpg or webp. Masks are always png."""
    scene: str = "plain"
    """``plain``: the hand alone. ``room``: lit by HDR environments, with table or wall, things, a sleeve, shadows, and
    the camera's blur and noise; all drawn from (seed, frame)."""
    engine: str = "auto"
    """``raster`` (fastest; needs Blender 5.2), ``cycles`` (runs everywhere), ``eevee``, ``workbench`` (need
    Blender 5.2 and a GPU), or ``auto``: the faster of the first two that runs."""
    mask: str = "hand"
    """``hand`` ends at the wrist crease; ``hand+forearm`` does not; ``both`` annotates each hand twice, in either
    way. An annotation's category says which it is."""
    truth: str = "none"
    """More truths, with commas between: ``depth``, ``normals``, ``parts``, ``keypoints3d``; see
    :mod:`handforge.dataset.ground_truth_maps`."""
    samples: int = 4
    """Samples a pixel of the engines that take samples (cycles, eevee; workbench takes 5, 8, 11, 16 or 32). Before a
    plain background, cycles takes one in larger parts that show smooth skin only, away from all outlines."""
    focal_mm: float | str = 45.0
    """Focal length for a sensor 36 mm wide. Varied: 26 to 75, which moves the camera of a ``close`` distance."""
    distance: float | str = 1.0
    """Metres from the camera to the wrist. Varied: 0.45 to 1.1, the hand moved and turned about the viewing axis (v1,
    v3, v6) so that its joints are inside the image. Close: as people take hands, filling 0.2 to 1.1 of the image,
    with an arm that comes from outside it and hardly from the camera (v4 is drawn nearer to the image's plane)."""
    skin: float | str = 0.5
    """Skin tone from 0 (lightest) to 1 (darkest). Varied: evenly over that range."""
    shape: str | HandShape = "average"
    """``average``; varied: one of 16 hands whose proportions are drawn from the seed; or a table of factors as
    :class:`generator.hand.anatomy.HandShape` names them, ``shape = {length = 1.05, index = 0.9}``."""
    rig: str | None = None
    """A rigged hand that takes our own's place: a .glb, .fbx or .blend file, with ``map``. It is scaled to the mean
    hand's size and keeps its shape; its skin is coloured as ours is. A left one is mirrored: ``side`` says which is
    shown. Poses are judged as our mean hand's. Machines that share no disk each need both files at the same path."""
    map: str | None = None
    """Which of the rig's bones is which: a TOML file as :mod:`generator.rigs.bone_map` describes it."""
    side: str = "right"
    """Which hand: ``right``, ``left`` or varied. A left hand is the mirror image (X to -X) of the right one of the same
    28 numbers, so it is as plausible."""
    elbow: str = "straight"
    """Of a room. Varied: six arms in ten are bent at the elbow, with bare upper arms or short sleeves."""
    glove: str = "none"
    """What the hands wear: ``none``; one of the kinds of :mod:`generator.mesh.gloves` (nitrile, latex, vinyl, surgical,
    household, dipped, leather, welding, knitted, cotton, ski, motorcycle, gardening, fingerless); ``random``, any of
    them; ``some``: any of them on one hand in eight. A glove is part of the hand up to the wrist crease and of the
    forearm beyond it; the annotation's ``glove`` names its kind."""
    adornments: str = "none"
    """Of a room. ``random``: some hands have rings, painted nails, tattoos, henna, dirt, paint, plasters, tape or
    markers; all of it is part of the hand."""
    hands: int | str = 1
    """1, 2 or varied, which is 2 in half of the images: the second is of the other side and in a pose of its own, in
    rooms often beside the first, and has its own annotation. Where there is no place for it, there is one."""
    light: str = "front"
    """``front``: from above the camera, as in the paper. Varied: from anywhere on the camera's side, harder or softer,
    warmer or cooler. Mixed: varied, and in part of the rooms a flash beside the camera."""
    background: str = "white"
    """``white`` (exactly 255) or ``varied``: one near-white tone an image."""
    backgrounds: str | None = None
    """A folder of images, on other machines at the same path: one of them, cropped and scaled, is behind each hand,
    also in a room, whose light, sleeve, people and occluders stay."""
    sleeve: str = "none"
    """``varied``: most arms before a plain background wear one, of any colour and length; rooms have their own. It is
    neither hand nor forearm."""
    camera: str = "clean"
    """``clean``, or varied: blur, noise and JPEG, which a room has always."""
    surroundings: str = "things"
    """Of a room. ``things``: a table or wall with things on it. Varied: also rooms full of furniture, people in their
    clothes, plain and dark walls, surfaces in strong or skin-like colours, and nothing but the environment."""
    distractors: str = "none"
    """Of a room. Varied: in part of the images heads, limbs and other things in the colours of skin, never masked."""
    occluders: str = "none"
    """Of a room. Varied: in part of the images pencils, cords, cups and cards before the hand, or a thing in it; the
    mask is what is still seen of it."""
    held: float = 0.0
    """Of a room: the fraction of the images with hands, 0 to 1, whose first hand holds an object made by code (phone,
    pen, cup, bottle, tool, syringe, ball, book, bag, cutlery, fruit ...) in a grasp that closes its fingers around it.
    The mask is what is seen of the hand; the image's ``held`` says what it holds and how."""
    crowd: float = 0.0
    """Of a room: the fraction of the images with hands, 0 to 1, that show one to four people as a whole, with up to
    eight hands from 4 % of the image's longer side up; ``hands`` and ``distance`` mean nothing there."""
    egocentric: float = 0.0
    """Of a room: the fraction of the images with hands, 0 to 1, that show one's own hands as a camera at the head with
    a lens of 70 to 120 degrees does, in part of them with somebody opposite."""
    empty: float = 0.0
    """Of a room: the fraction of the images, 0 to 1, that show no hand but what is easily taken for one: bare feet and
    arms, faces, food, leather, wood, dolls. They have no annotation, and say in ``empty`` what they show."""
    exposure: str = "metered"
    """Of a room. Varied: also darker and brighter than metered, with stronger casts of colour."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The settings' names."""
        return tuple(f.name for f in fields(cls))

    @property
    def truths(self) -> tuple[str, ...]:
        """The words of ``truth``."""
        return () if self.truth == "none" else tuple(self.truth.split(","))

    def to_json(self) -> dict[str, Any]:
        """As dataset.json has them: plain JSON, the size as ``"1280x720"``."""
        return {**asdict(self), "size": f"{self.size[0]}x{self.size[1]}"}


def load(
    path: Path | None, overrides: dict[str, Any] | None = None, defaults: dict[str, Any] | None = None
) -> RenderSettings:
    """The settings of a preset or a TOML file, overridden by those values of ``overrides`` that are not None.

    :param path: the name of one of :data:`PRESETS`, or a file, from whose folder on the paths in it are read.
    :param defaults: values of what neither names.
    :raises SettingsError: naming all problems at once.
    """
    values: dict[str, Any] = {}
    if str(path) in PRESETS:
        values = dict(PRESETS[str(path)])
    elif path is not None:
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise SettingsError(
                f"{path} is neither a preset ({', '.join(PRESETS)}) nor a TOML file of settings"
            ) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{path} is no TOML file ({error})") from None
        values |= {
            name: str(path.parent / values[name])
            for name in ("set", "backgrounds", "rig", "map")
            if isinstance(values.get(name), str) and values[name] and not pose_sets.named(values[name])
        }
    values = (defaults or {}) | values | {name: value for name, value in (overrides or {}).items() if value is not None}
    problems = _problems(values)
    if problems:
        raise SettingsError(f"{path or 'settings'}: " + "; ".join(problems))
    if "size" in values:
        values["size"] = parse_size(values["size"])
    if isinstance(values.get("shape"), dict):
        values["shape"] = HandShape(**values["shape"])
    return replace(RenderSettings(), **values)


def parse_size(text: Any) -> tuple[int, int]:
    """``"1280x720"`` as (width, height).

    :raises SettingsError: if it is not of that form or outside :data:`SIZE_RANGE`.
    """
    parts = text.split("x") if isinstance(text, str) else text
    low, high = SIZE_RANGE
    if isinstance(parts, list | tuple) and len(parts) == 2 and all(str(p).isdecimal() for p in parts):
        width, height = int(parts[0]), int(parts[1])
        if low <= min(width, height) and max(width, height) <= high:
            return width, height
    raise SettingsError(f"size is WIDTHxHEIGHT, each {low} to {high}, not {text!r}")


def _problems(values: dict[str, Any]) -> list[str]:
    found = [
        f"there is no setting {name!r} (known: {', '.join(RenderSettings.names())})"
        for name in values
        if name not in RenderSettings.names()
    ]
    for name, choices in _CHOICES.items():
        found += _choice(values, name, choices)
    if values.get("hands", 1) not in (1, 2, "varied") or isinstance(values.get("hands"), bool | float):
        found.append(f"hands is 1 or 2 or varied, not {values['hands']!r}")
    found += _truth(values.get("truth", "none")) + _shape(values.get("shape"))
    found += _number(values, "count", int, 1, 10_000_000) + _number(values, "seed", int, 0, 2**63 - 1)
    found += _number(values, "samples", int, 1, 4096) + _number(values, "focal_mm", float, 10, 300, "varied")
    found += _number(values, "distance", float, 0.3, 10, "varied", "close")
    found += _number(values, "skin", float, 0, 1, "varied")
    for name in ("empty", "held", "crowd", "egocentric"):
        found += _number(values, name, float, 0, 1)
        if values.get(name) and values.get("scene", "plain") != "room":
            found.append(f"{name} is a fraction of rooms; set scene to room")
    both = [values.get(name, 0.0) for name in ("crowd", "egocentric")]
    if all(type(value) in (int, float) for value in both) and sum(both) > 1:
        found.append("crowd and egocentric are fractions that add up to 1 at most")
    found += _rig(values.get("rig"), values.get("map"))
    if values.get("rig") is not None and values.get("glove", "none") != "none":
        found.append("glove is of the built-in hand; a rig comes with whatever it wears")
    if not isinstance(values.get("set", ""), str):
        found.append(f"set is all, some of {','.join(pose_sets.SETS)}, or a file of poses, not {values['set']!r}")
    if not isinstance(values.get("backgrounds", "."), str | None) or values.get("backgrounds") == "":
        found.append(f"backgrounds is a folder of images, not {values['backgrounds']!r}")
    try:
        parse_size(values.get("size", "1280x720"))
    except SettingsError as error:
        found.append(str(error))
    return found


def _choice(values: dict[str, Any], name: str, choices: tuple[str, ...]) -> list[str]:
    if name not in values or values[name] in choices:
        return []
    return [f"{name} is {' or '.join(choices)}, not {values[name]!r}"]


def _rig(rig: Any, map_: Any) -> list[str]:
    if rig is None and map_ is None:
        return []
    if isinstance(rig, str) and rig.endswith(READY) and map_ is None:
        return []
    if not isinstance(rig, str) or not isinstance(map_, str):
        return ["rig and map are files that need each other"]
    return [] if rig.endswith(RIGS) else [f"rig is a file of the kind {', '.join(RIGS)}, not {rig!r}"]


def _truth(value: Any) -> list[str]:
    words = value.split(",") if isinstance(value, str) else []
    if value == "none" or (words and len({*words}) == len(words) and set(words) <= {*GROUND_TRUTH_MAPS, KEYPOINTS_3D}):
        return []
    return [
        f"truth is none or some of {','.join((*GROUND_TRUTH_MAPS, KEYPOINTS_3D))} with commas between, not {value!r}"
    ]


def _shape(value: Any) -> list[str]:
    if value in (None, "average", "varied"):
        return []
    factors = HandShape.__dataclass_fields__
    if not isinstance(value, dict):
        return [f"shape is average, varied or a table of factors, not {value!r}"]
    if unknown := [name for name in value if name not in factors]:
        return [f"shape has no factor {unknown[0]!r} (known: {', '.join(factors)})"]
    wrong = [name for name in value if type(value[name]) not in (int, float) or not 0.5 <= value[name] <= 2]
    return [f"shape's {name} is a factor from 0.5 to 2, not {value[name]!r}" for name in wrong]


def _number(values: dict[str, Any], name: str, kind: type, low: float, high: float, *words: str) -> list[str]:
    value = values.get(name, low)
    kinds = (int,) if kind is int else (int, float)
    if value in words or (type(value) in kinds and low <= value <= high):
        return []
    what = "a whole number" if kind is int else "a number"
    return [f"{name} is {' or '.join([f'{what} from {low:,} to {high:,}', *words])}, not {value!r}"]
