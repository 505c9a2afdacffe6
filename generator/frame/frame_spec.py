"""Everything that is decided of one frame, as numbers: drawn once, printed as JSON, edited, rendered.

Nothing of Blender. What an indoor scene has around the hands is drawn by :mod:`generator.frame.room.surroundings` once
they are posed, since nothing may touch them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Interval
from pydantic import ConfigDict, TypeAdapter, ValidationError

from generator.frame import (
    arm_reach,
    camera_effects,
    crowd,
    elbow,
    empty_scene,
    frame_look,
    framing,
    held_object,
    second_hand,
)
from generator.frame.backgrounds import Backdrop, Backgrounds
from generator.frame.camera_effects import Sensor
from generator.frame.crowd import Crowd
from generator.frame.elbow import Elbow
from generator.frame.empty_scene import EmptyScene
from generator.frame.frame_look import FrameLook, hand_shape
from generator.frame.hand_look import HandLook, draw_hand_look
from generator.frame.room.surroundings import Surroundings
from generator.frame.settings import SIZE_RANGE, RenderSettings
from generator.hand.anatomy import Skeleton, skeleton
from generator.hand.camera import Camera
from generator.hand.pose import SIZE
from generator.hand.vectors import Number, Side, Vector
from generator.mesh import hand_mesh
from generator.mesh.hand_mesh import HandMesh
from generator.objects.grasps import Grasp
from handforge.errors import HandforgeError
from handforge.rng import stream


class FrameError(HandforgeError):
    """A file that is not a frame; the text names every field that is missing or cannot be used."""


@dataclass(frozen=True)
class HandSpec:
    """One hand of a frame.

    :param side: a left hand is the mirror image (X to -X) of the right one of the same pose.
    :param pose: (28,), metres and radians, as the camera sees it.
    :param shape: number of its proportions among the run's, for :func:`generator.frame.frame_look.hand_shape`.
    """

    side: Side
    pose: Vector
    shape: Number | None
    look: HandLook
    elbow: Elbow

    def __post_init__(self) -> None:
        if self.pose.shape != (SIZE,):
            raise ValueError(f"pose is {SIZE} numbers, not {len(self.pose)}")


@dataclass(frozen=True)
class FrameSpec:
    """One frame, decided.

    :param number: the frame's number in the run, which keys what is drawn later, such as noise.
    :param hands: the hands, at most eight; none in an image without a hand.
    :param grasp: how the first hand holds an object; None where it holds nothing.
    :param crowd: whose hands they are; None where one or two are seen from near.
    :param empty: what an image without a hand shows; None in the others.
    :param backdrop: an image that is behind all; None without one.
    :param sensor: what a camera adds to a plain scene; None before clean backgrounds, and indoors, where ``around``
        says it.
    :param around: what else an indoor scene has, and its light; None until the hands are posed, and before plain
        backgrounds.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    number: Annotated[int, Interval(ge=0)]
    look: FrameLook
    camera: Camera
    hands: tuple[HandSpec, ...] = ()
    grasp: Grasp | None = None
    crowd: Crowd | None = None
    empty: EmptyScene | None = None
    backdrop: Backdrop | None = None
    sensor: Sensor | None = None
    around: Surroundings | None = None

    def __post_init__(self) -> None:
        if bool(self.hands) == (self.empty is not None):
            raise ValueError("a frame has hands, or empty says what it shows")
        if self.crowd is not None and self.around is None and len(self.crowd.hands) != len(self.hands):
            raise ValueError(f"crowd has {len(self.crowd.hands)} hands, the frame {len(self.hands)}")
        arm_wear = () if self.around is None else self.around.arm_wear
        if missing := [one.arm for one in arm_wear if not 0 <= one.arm < len(self.hands)]:
            raise ValueError(
                f"there is no arm {missing[0]} to wear anything; the {len(self.hands)} are numbered from 0"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, from which :func:`from_json` makes an equal one."""
        return _adapter().dump_python(self, mode="json")


def from_json(values: Any) -> FrameSpec:
    """Read what :meth:`FrameSpec.to_json` wrote, perhaps edited.

    :raises FrameError: naming every field that is missing or cannot be used.
    """
    match values:
        case {"look": {"elbow": _, **look}}:  # written by earlier versions, and never read: each hand has its own
            values = values | {"look": look}
    try:
        spec = _adapter().validate_python(values)
    except ValidationError as error:
        problems = ((".".join(map(str, problem["loc"])), problem["msg"]) for problem in error.errors())
        found = (f"{place or 'frame'}: {said[0].lower()}{said[1:]}" for place, said in problems)
        raise FrameError("this is not a frame: " + "; ".join(found)) from None
    except OverflowError as error:  # whole numbers of hundreds of digits
        raise FrameError(f"this is not a frame: {error}") from None
    low, high = SIZE_RANGE
    cameras = [spec.camera] if spec.empty is None else [spec.camera, spec.empty.camera]
    if not all(low <= side <= high for camera in cameras for side in (camera.width, camera.height)):
        raise FrameError(f"this is not a frame: camera: width and height are {low} to {high} pixels")
    return spec


@cache
def _adapter() -> TypeAdapter[FrameSpec]:
    return TypeAdapter(FrameSpec)


def most_hands(settings: RenderSettings) -> int:
    """The number of hands that a frame of these settings may have."""
    if settings.crowd or settings.egocentric:
        return 2 * crowd.MOST_PEOPLE
    return 1 if settings.num_hands == 1 else 2


def draw_frame(
    settings: RenderSettings,
    number: int,
    pose: np.ndarray,
    external: tuple[Skeleton, HandMesh] | None = None,
    behind: Backgrounds | None = None,
) -> FrameSpec:
    """Draw all that is random of a frame.

    :param number: the frame's number in the run.
    :param pose: (28,), metres and radians.
    :param external: skeleton and mesh of an external rig that takes the built-in hand's place.
    :param behind: the images of which each frame has one behind all.
    """
    look = frame_look.draw_frame_look(settings, number)
    spec = _draw_subject(settings, number, pose, external, look)
    if behind is not None:
        spec = replace(spec, look=replace(look, background=np.zeros(3)), backdrop=behind.draw(number))
    if settings.sensor == "random" and not settings.kind.photographed:
        rng = stream(settings.seed, number, "sensor")
        spec = replace(spec, sensor=camera_effects.draw_sensor(rng, settings.resolution))
    return spec


def _draw_subject(
    settings: RenderSettings,
    number: int,
    pose: np.ndarray,
    external: tuple[Skeleton, HandMesh] | None,
    look: FrameLook,
) -> FrameSpec:
    """Draw the hands, or what is seen in place of them, and the camera."""
    if empty_scene.is_empty(settings, number):
        scene = empty_scene.draw_empty_scene(settings, number)
        return FrameSpec(number, look, scene.camera, empty=scene)
    shape = hand_shape(settings, look.shape)
    bones = external[0] if external else skeleton(shape)
    first = draw_hand_look(settings, number, look.tone, shape)
    grasp = None
    if first.glove is None or first.glove.thickness <= held_object.GLOVE:
        grasp = held_object.draw_grasp(settings, number, external[1] if external else hand_mesh.build(shape), bones)
    pose = pose if grasp is None else grasp.in_pose(pose)
    if group := crowd.draw_crowd(settings, number, pose[6:], bones, look.tone):
        return FrameSpec(number, look, group.camera, _hands_of(group, settings, number, look), grasp, group)
    bent, bent_too = elbow.draw_elbow(settings, number), elbow.draw_elbow(settings, number, 1)
    camera, posed = framing.draw_framing(settings, number, pose, bones, bent)
    other = second_hand.draw_second_hand(settings, number, camera, posed, look.side, (bent, bent_too))
    if not settings.kind.bent_arms and settings.num_hands == 1 and external is None:
        bent = arm_reach.reach_out(camera, posed)
    hands = [HandSpec(look.side, posed.pose, look.shape, first, bent)]
    if other:
        tone = look.tone if other.tone is None else other.tone
        other_look = draw_hand_look(settings, number, tone, shape, 1, 0 if other.tone is None else 1)
        hands.append(HandSpec(other.side, other.posed.pose, look.shape, other_look, bent_too))
    return FrameSpec(number, look, camera, tuple(hands), grasp)


def _hands_of(group: Crowd, settings: RenderSettings, number: int, look: FrameLook) -> tuple[HandSpec, ...]:
    hands: list[HandSpec] = []
    for index, seen in enumerate(group.hands):
        first, person = seen.person == 0, 2 * seen.person
        again = any(other.person == seen.person for other in group.hands[:index])
        shape = look.shape if first or look.shape is None else seen.person
        tone = look.tone if first else group.persons[seen.person - (group.kind == "egocentric")].tone
        hand_look = draw_hand_look(settings, number, tone, hand_shape(settings, shape), person + again, person)
        hands.append(HandSpec(seen.side, np.array(seen.pose), shape, hand_look, seen.elbow))
    return tuple(hands)
