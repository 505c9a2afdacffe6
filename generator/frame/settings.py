"""Settings of a rendering run: one dataclass, read from a preset or a TOML file, overridden by the command line.

They hold everything that changes a byte of the finished folder, and nothing else: the number of workers is not among
them. Types are checked with pydantic; each field's docstring says what it means, its unit, range and default.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from annotated_types import Interval
from pydantic import BeforeValidator, ConfigDict, Strict

from generator.frame import old_settings
from generator.frame.scene_kind import KINDS, EngineName, SceneKind
from generator.hand import pose_sets
from generator.hand.anatomy import HandShape
from generator.objects import categories
from handforge import validation
from handforge.dataset import GROUND_TRUTH_MAPS
from handforge.errors import HandforgeError
from handforge.parse import parse_toml
from handforge.validation import Conflict

RIGS = (".glb", ".fbx", ".blend")
READY_RIG = ".npz"
"""A rigged hand as the add-on hands it over (:mod:`generator.rigs.external_rig`), which needs no bone map."""
KEYPOINTS_3D = "keypoints3d"
SIZE_RANGE = (64, 4096)
"""Smallest and largest width and height of an image, pixels."""

Format = Literal["png", "jpg", "webp"]
Mask = Literal["hand", "hand+forearm", "both"]
GloveChoice = Literal[
    "none", "some", "random", "nitrile", "latex", "vinyl", "surgical", "household", "dipped", "leather", "welding",
    "knitted", "cotton", "ski", "motorcycle", "gardening", "fingerless",
]  # fmt: skip
FORMATS: tuple[str, ...] = get_args(Format)
ENGINES: tuple[str, ...] = get_args(EngineName)
MASKS: tuple[str, ...] = get_args(Mask)


class SettingsError(HandforgeError):
    """Settings that cannot be used; the text names every problem, what was expected, and where it was read."""


def _resolution(value: Any) -> tuple[int, int]:
    parts = value.split("x") if isinstance(value, str) else value
    low, high = SIZE_RANGE
    if isinstance(parts, list | tuple) and len(parts) == 2 and all(str(p).isdecimal() for p in parts):
        width, height = int(parts[0]), int(parts[1])
        if low <= min(width, height) and max(width, height) <= high:
            return width, height
    raise ValueError(f"is WIDTHxHEIGHT, each {low} to {high}, not {value!r}")


def _pose_set(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is all, some of {','.join(pose_sets.SETS)}, or a file of poses, not {value!r}")
    sets = pose_sets.named(value)
    return ",".join(sets) if sets and "," in value else value


def _folder_of(what: str) -> BeforeValidator:
    def folder(value: Any) -> str | None:
        if value is not None and (not isinstance(value, str) or not value):
            raise ValueError(f"is a folder of {what}, not {value!r}")
        return value

    return BeforeValidator(folder)


def _num_hands(value: Any) -> Any:
    if isinstance(value, bool | float):  # which equal 1
        raise ValueError(f"is 1 or 2 or random, not {value!r}")
    return value


def _some_of(known: Iterable[str], other: str) -> BeforeValidator:
    """``other``, or some of the known words, each once, with commas between and perhaps blanks beside them."""
    known = tuple(known)

    def some(value: Any) -> str:
        words = [word.strip() for word in value.split(",")] if isinstance(value, str) else []
        if words == [other] or (words and len({*words}) == len(words) and set(words) <= set(known)):
            return ",".join(words)
        raise ValueError(f"is {other} or some of {','.join(known)} with commas between, not {value!r}")

    return BeforeValidator(some)


def _shape(value: Any) -> Any:
    if value in ("average", "random") or isinstance(value, HandShape):
        return value
    factors = tuple(HandShape.__dataclass_fields__)
    if not isinstance(value, dict):
        raise ValueError(f"is average, random or a table of factors, not {value!r}")
    if new := [name for name in value if name not in factors]:
        raise ValueError(f"has no factor {new[0]!r} (known: {', '.join(factors)})")
    wrong = [f"{n} = {v!r}" for n, v in value.items() if type(v) not in (int, float) or not 0.5 <= v <= 2]
    if wrong:
        raise ValueError(f"is a table of factors from 0.5 to 2, not {', '.join(wrong)}")
    return HandShape(**value)


Fraction = Annotated[float, Strict(), Interval(ge=0, le=1)]


@dataclass(frozen=True)
class RenderSettings:
    """A rendering run. A setting that is ``"random"`` is drawn for each frame from (seed, frame)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    pose_set: Annotated[str, BeforeValidator(_pose_set)] = "all"
    """Poses to render: ``all`` (``l2`` and ``l11``), ``fingers``, ``signs``, ``gestures``, ``grasps``, several
    separated by commas, or a CSV file of poses. Default ``all``."""
    count: Annotated[int, Strict(), Interval(ge=1, le=10_000_000)] | None = None
    """Number of images, 1 to 10,000,000, spread evenly over the plausible poses. Default: all plausible poses."""
    seed: Annotated[int, Strict(), Interval(ge=0, le=2**63 - 1)] = 0
    """Seed of all random draws, 0 or more. Default 0. With the same seed, frame i is the same image with any number of
    workers, on any machine with the same Blender and, for ``raster``, the same graphics driver; an indoor scene on
    machines with the same kind of processor, as Cycles rounds differently with other instructions."""
    resolution: Annotated[tuple[int, int], BeforeValidator(_resolution)] = (1280, 720)
    """Width and height of the images, 64 to 4096 pixels each; ``"1280x720"`` in a file. Default 1280x720."""
    format: Format = "png"
    """File format of the images: ``png`` (default), ``jpg`` or ``webp``. Masks are always png."""
    scene: Literal["plain", "indoor"] = "plain"
    """``plain`` (default): the hand alone. ``indoor``: lit by HDR environments, with table or wall, objects, a sleeve,
    shadows, and the camera's blur and noise, all drawn from (seed, frame)."""
    engine: EngineName = "auto"
    """``raster`` (fastest; needs Blender 5.2), ``cycles`` (runs everywhere), ``eevee``, ``workbench`` (need
    Blender 5.2 and a GPU), or ``auto`` (default): the faster of the first two that runs."""
    mask: Mask = "hand"
    """``hand`` (default) ends at the wrist crease; ``hand+forearm`` includes the forearm; ``both`` annotates each hand
    twice, once each way. An annotation's category says which it is."""
    ground_truth: Annotated[str, _some_of((*GROUND_TRUTH_MAPS, KEYPOINTS_3D), "none")] = "none"
    """Ground truth beyond masks and keypoints, separated by commas: ``depth``, ``normals``, ``parts``,
    ``keypoints3d``; see :mod:`handforge.dataset.ground_truth_maps`. Default ``none``."""
    samples: Annotated[int, Strict(), Interval(ge=1, le=4096)] = 4
    """Samples per pixel, 1 to 4096, of the engines that take samples (cycles, eevee; workbench takes 5, 8, 11, 16 or
    32). Default 4. Before a plain background, cycles takes one sample where smooth skin fills a larger area."""
    focal_mm: Annotated[float, Strict(), Interval(ge=10, le=300)] | Literal["random"] = 45.0
    """Focal length in millimetres for a sensor 36 mm wide, 10 to 300. Default 45. Random: 26 to 75; with
    ``framing = "close"`` the camera moves back with it."""
    framing: Literal["fixed", "random", "close"] = "fixed"
    """Where the camera is. ``fixed`` (default): ``distance`` metres before the wrist, the pose unchanged. ``random``:
    0.45 to 1.1 m, the hand moved and rotated about the viewing axis (v1, v3, v6) so that its joints are inside the
    image. ``close``: as people photograph hands, filling 0.2 to 1.1 of the image's shorter side, with an arm that comes
    from outside the image and hardly from the camera (v4 is moved towards the image plane)."""
    distance: Annotated[float, Strict(), Interval(ge=0.3, le=10)] = 1.0
    """Metres from the camera to the wrist, 0.3 to 10, where the framing is fixed; a file or command that sets it and no
    framing sets the framing to fixed. Default 1."""
    skin_tone: Fraction | Literal["random"] = 0.5
    """Skin tone from 0 (lightest) to 1 (darkest). Default 0.5. Random: uniform over that range."""
    shape: Annotated[Literal["average", "random"] | HandShape, BeforeValidator(_shape)] = "average"
    """Proportions of the hand: ``average`` (default); ``random``: one of 16 hands drawn from the seed, in indoor scenes
    also one of four children's; or a table of factors, 0.5 to 2 each, as :class:`generator.hand.anatomy.HandShape`
    names them: ``shape = {length = 1.05, index = 0.9}``."""
    rig: str | None = None
    """External rigged hand to render in place of the built-in one: a .glb, .fbx or .blend file, together with
    ``bone_map``. It is scaled to the mean hand's size and keeps its shape; its skin is coloured like the built-in
    hand's. A left one is mirrored: ``handedness`` says which is shown. Plausibility is judged with the mean hand.
    Machines that share no disk each need both files at the same path. Default: the built-in hand."""
    bone_map: str | None = None
    """TOML file that says which of the rig's bones is which, as described in :mod:`generator.rigs.bone_map`."""
    handedness: Literal["right", "left", "random"] = "right"
    """Which hand: ``right`` (default), ``left`` or ``random``. A left hand is the mirror image (X to -X) of the right
    one of the same 28 numbers, so it is equally plausible."""
    elbow: Literal["straight", "random"] = "straight"
    """Of indoor scenes. Random: 60 % of the arms are bent at the elbow, with bare upper arms or short sleeves."""
    glove: GloveChoice = "none"
    """Gloves: ``none`` (default); one of the kinds of :mod:`generator.mesh.gloves`; ``random``, any of them; ``some``:
    any of them on one hand in eight. Some disposable ones are worn over another, whose cuff is seen beyond theirs. A
    glove is part of the hand up to the wrist crease and of the forearm beyond it; the annotation's ``glove`` names its
    kind."""
    adornments: Literal["none", "random"] = "none"
    """Of indoor scenes. Random: some hands have rings, painted nails, tattoos, henna, dirt, paint, plasters, tape or
    markers, all of them part of the hand. Default ``none``."""
    num_hands: Annotated[Literal[1, 2, "random"], BeforeValidator(_num_hands)] = 1
    """Hands per image: 1 (default), 2 or ``random`` (2 in half of the images). The second hand is of the other side, in
    a pose of its own, in indoor scenes often beside the first, and has its own annotation. If no collision-free
    placement is found, only one hand is rendered."""
    light: Literal["front", "random", "mixed"] = "front"
    """``front`` (default): from above the camera, as in the paper. ``random``: from anywhere on the camera's side,
    harder or softer, warmer or cooler. ``mixed``: random, and a flash beside the camera in part of the indoor
    scenes."""
    background: Literal["white", "random"] = "white"
    """Of plain scenes: ``white`` (default, exactly 255) or ``random``: one near-white tone per image."""
    backgrounds: Annotated[str | None, _folder_of("images")] = None
    """Folder of images, on other machines at the same path: one of them, cropped and scaled, is put behind each hand;
    an indoor scene keeps its light, sleeve, people and occluders. Default: none."""
    objects: Annotated[str | None, _folder_of(".glb or .obj files")] = None
    """Of indoor scenes: folder of objects, .glb or .obj files in metres, on other machines at the same path. They are
    every second object that is held (``held``) or that an image without a hand shows (``empty``), so one of these
    is above 0. Default: none."""
    sleeve: Literal["none", "random"] = "none"
    """Of plain scenes. Random: most arms wear a sleeve of any color and length. It belongs to neither hand nor forearm.
    Indoor scenes have their own."""
    sensor: Literal["clean", "random"] = "clean"
    """Of plain scenes: ``clean`` (default), or ``random``: blur, noise and JPEG compression, which indoor scenes always
    have."""
    environment: Literal["objects", "random"] = "objects"
    """Of indoor scenes. ``objects`` (default): a table or wall with objects on it. Random: also furnished interiors,
    people in their clothes, plain and dark walls, surfaces in strong or skin-like colors, mirrors, pockets that the
    hand is in, and the HDR environment alone. A hand that is seen in a mirror is annotated there, too, as a hand of the
    other side, which it looks like; poses and ground-truth maps are of the hands themselves."""
    distractors: Literal["none", "random"] = "none"
    """Of indoor scenes. Random: heads, limbs and objects in the colors of skin in part of the images, never masked."""
    occluders: Literal["none", "random"] = "none"
    """Of indoor scenes. Random: pencils, cords, cups and cards before the hand, or an object in it, in part of the
    images; the mask is what is still seen of the hand. In some a pane or a drinking glass is before it: through clear
    glass it counts as seen."""
    held: Fraction = 0.0
    """Of indoor scenes: fraction of the images with hands, 0 to 1, whose first hand holds an object made by code
    (phone, pen, cup, bottle, tool, syringe, ball, book, bag, cutlery, fruit ...) in a grasp that closes its fingers
    around it. The mask is what is seen of the hand; the image's ``held`` says what it holds and how. Default 0."""
    crowd: Fraction = 0.0
    """Of indoor scenes: fraction of the images with hands, 0 to 1, that show one to four people as a whole, with up to
    eight hands from 4 % of the image's longer side up; ``num_hands`` and ``framing`` have no effect there. Default
    0."""
    egocentric: Fraction = 0.0
    """Of indoor scenes: fraction of the images with hands, 0 to 1, that show one's own hands as a camera at the head
    with a lens of 70 to 120 degrees or a fisheye of 90 to 140 does, in part of them with somebody opposite. Default
    0."""
    empty: Fraction = 0.0
    """Of indoor scenes: fraction of the images, 0 to 1, that show no hand but what is easily taken for one: bare feet
    and arms, faces, food, leather, dolls, empty gloves. They have no annotation; the image's ``empty`` names what they
    show. Default 0."""
    empty_kind: Literal["any", "feet", "arms", "people", "food", "objects", "interior"] = "any"
    """What the images without a hand show, of which ``empty`` says how many; any of these by default."""
    object_kinds: Annotated[str, _some_of(categories.NAMES, "all")] = "all"
    """Kinds of built-in objects that lie on the tables of images without a hand, separated by commas: ``cup``,
    ``bottle``, ``ball``, ``banana``, ``shoe``, ``bear`` ... Only what ``empty_kind`` calls ``objects`` shows them.
    Default ``all``."""
    object_annotations: bool = False
    """Of indoor scenes: annotate the objects that are held or that images without a hand show, too, each with its kind
    (cup, fork, shoe, dish ...) as its category; ``held`` or ``empty`` is above 0. Default false."""
    exposure: Literal["metered", "random"] = "metered"
    """Of indoor scenes. Random: also darker and brighter than metered, with stronger color casts, and one image
    in eight blurred by a moving camera."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of all settings."""
        return tuple(field.name for field in fields(cls))

    @property
    def kind(self) -> SceneKind:
        """What the scene has, by its kind."""
        return KINDS[self.scene]

    @property
    def may_hide_hands(self) -> bool:
        """Whether anything but its own skin can hide a part of a hand."""
        alone = self.occluders == "none" and self.num_hands == 1 and self.sleeve == "none"
        return not alone or self.kind.one_space

    @property
    def chosen_objects(self) -> tuple[str, ...]:
        """The kinds that ``object_kinds`` lists; all of them: none."""
        return () if self.object_kinds == "all" else tuple(self.object_kinds.split(","))

    @property
    def ground_truth_kinds(self) -> tuple[str, ...]:
        """The kinds that ``ground_truth`` lists."""
        return () if self.ground_truth == "none" else tuple(self.ground_truth.split(","))

    @property
    def ground_truth_maps(self) -> tuple[str, ...]:
        """Those of them that are an image, each in a folder of its name."""
        return tuple(name for name in GROUND_TRUTH_MAPS if name in self.ground_truth_kinds)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON as dataset.json has it, the resolution as ``"1280x720"``."""
        return {**asdict(self), "resolution": f"{self.resolution[0]}x{self.resolution[1]}"}


PATHS = ("pose_set", "backgrounds", "objects", "rig", "bone_map")
"""Settings that may name a file or folder."""


@cache
def _hints() -> dict[str, Any]:
    hints = get_type_hints(RenderSettings, include_extras=True)
    return {name: hints[name] for name in RenderSettings.names()}


def _literals(hint: Any) -> tuple[Any, ...]:
    """All words that a type names, also within unions."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(word for part in get_args(hint) for word in _literals(part))


def _is_literal(hint: Any) -> bool:
    return get_origin(hint) is Literal or (get_origin(hint) is Annotated and _is_literal(get_args(hint)[0]))


CHOICES = {name: tuple(map(str, _literals(hint))) for name, hint in _hints().items() if _is_literal(hint)}
"""The words of each setting that is one of a few words; ``num_hands`` among them."""

RANDOMIZED = frozenset(name for name, hint in _hints().items() if "random" in _literals(hint))
"""Settings that may be ``"random"``."""

_PRESETS = Path(__file__).with_name("presets")
PRESETS = tuple(sorted((path.stem for path in _PRESETS.glob("*.toml")), key=lambda name: (name != "paper", name)))
"""Names of the presets, the files of ``presets/``; ``paper``, the default, is the first."""


def upgrade(values: Mapping[str, Any], where: str | None = None) -> dict[str, Any]:
    """Settings by their present names and values; see :func:`generator.frame.old_settings.upgrade`."""
    return old_settings.upgrade(values, RANDOMIZED, where)


def preset(name: str) -> dict[str, Any]:
    """The values that one of :data:`PRESETS` sets."""
    return tomllib.loads(_preset_text(name))


def preset_description(name: str) -> str:
    """What a preset is for: the comment that its file begins with."""
    lines = itertools.takewhile(lambda line: line.startswith("# "), _preset_text(name).splitlines())
    return " ".join(line.removeprefix("# ") for line in lines)


def _preset_text(name: str) -> str:
    return (_PRESETS / f"{name}.toml").read_text("utf-8")


def load(
    path: Path | None, overrides: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] | None = None
) -> RenderSettings:
    """Read the settings of a preset or a TOML file, overridden by those values of ``overrides`` that are not None.

    :param path: the name of one of :data:`PRESETS`, or a file; paths in it are relative to its folder.
    :param defaults: values of what neither names.
    :raises SettingsError: naming all problems at once.
    """
    values = _read(path)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    values = _layer(defaults or {}, "settings") | values | _layer(given, "settings")
    settings, wrong, conflicts = validation.validated(RenderSettings, values, _conflicts, old_settings.NAMES)
    problems = [validation.sentence((name,), wrong[(name,)]) for name in values if (name,) in wrong]
    problems += [said for _, _, said in conflicts]
    if problems:
        raise SettingsError(f"{path or 'settings'}: " + "; ".join(problems))
    return settings


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    if str(path) in PRESETS:
        return preset(str(path))
    try:
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise SettingsError(f"{path} is neither a preset ({', '.join(PRESETS)}) nor a TOML file of settings") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror})") from None
    values = _layer(parse_toml(content, path, SettingsError), str(path))
    for name in PATHS:
        is_set = name == "pose_set" and pose_sets.named(str(values.get(name)))
        if isinstance(values.get(name), str) and values[name] and not is_set:
            values[name] = str(path.parent / values[name])
    return values


def _layer(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Values of one source by their present names; a distance alone means a fixed framing."""
    values = upgrade(values, where)
    return {"framing": "fixed", **values} if "distance" in values else values


_OF_INDOOR_SCENES = {
    **dict.fromkeys(("empty", "held", "crowd", "egocentric"), "is a fraction of the images"),
    **dict.fromkeys(("elbow", "environment", "exposure", "object_annotations", "empty_kind"), "is"),
    **dict.fromkeys(("adornments", "distractors", "occluders", "objects", "object_kinds"), "are"),
}
"""Settings that have no effect in plain scenes, and what a message calls them."""

_OF_PLAIN_SCENES = ("background", "sleeve", "sensor")
"""Settings that have no effect in indoor scenes, where each image has its own."""


def _conflicts(settings: RenderSettings) -> Iterator[Conflict]:
    """Settings that exclude or need each other."""

    def conflict(said: str, *names: str) -> Conflict:
        return (), tuple((name,) for name in names), said

    if settings.scene != "indoor":
        for name, what in _OF_INDOOR_SCENES.items():
            if getattr(settings, name) != getattr(RenderSettings, name):
                yield conflict(f"{name} {what} of indoor scenes; set scene to indoor", name, "scene")
    else:
        for name in _OF_PLAIN_SCENES:
            if getattr(settings, name) != (default := getattr(RenderSettings, name)):
                said = f"{name} is of plain scenes, and indoor scenes have their own; set {name} to {default}"
                yield conflict(f"{said}, or scene to plain", name, "scene")
    empty_objects = settings.empty > 0 and settings.empty_kind in ("any", "objects")
    if settings.empty_kind != "any" and not settings.empty:
        said = "empty_kind is what images without a hand show, and there are none; set empty above 0"
        yield conflict(said, "empty_kind", "empty")
    if settings.chosen_objects and not empty_objects:
        said = "object_kinds are shown by images without a hand; set empty above 0, and empty_kind to any or objects"
        yield conflict(said, "object_kinds", "empty", "empty_kind")
    if settings.objects and not (settings.held or empty_objects):
        said = (
            "objects are shown where a hand holds one or there is no hand; set held above 0, or empty above 0 with "
            "empty_kind any or objects"
        )
        yield conflict(said, "objects", "held", "empty", "empty_kind")
    if settings.object_annotations and not (settings.held or settings.empty):
        said = "object_annotations is of objects that are held or seen without a hand; set held or empty above 0"
        yield conflict(said, "object_annotations", "held", "empty")
    if settings.objects and settings.object_annotations:
        said = "objects and object_annotations exclude each other: only built-in objects have categories"
        yield conflict(said, "objects", "object_annotations")
    if settings.object_annotations and settings.ground_truth_kinds:
        said = "object_annotations and ground_truth exclude each other: maps are of hands alone"
        yield conflict(said, "object_annotations", "ground_truth")
    if settings.crowd + settings.egocentric > 1:
        yield conflict("crowd and egocentric are fractions that add up to 1 at most", "crowd", "egocentric")
    rig, bones = settings.rig, settings.bone_map
    if rig is None or not rig.endswith(READY_RIG) or bones is not None:
        if (rig is None) != (bones is None):
            yield conflict("rig and bone_map are files that need each other", "rig", "bone_map")
        elif rig is not None and not rig.lower().endswith(RIGS):
            yield conflict(f"rig is a file of the kind {', '.join(RIGS)}, not {rig!r}", "rig", "bone_map")
    if rig is not None and isinstance(settings.shape, HandShape):
        said = "shape is of the built-in hand; an external rig keeps its own"
        yield conflict(said, "rig", "shape")
    if rig is not None and settings.glove != "none":
        said = "glove is of the built-in hand; an external rig is rendered with what it wears"
        yield conflict(said, "rig", "glove")
