"""A decided frame whose hands are posed: what engines render."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from generator.blender.rig import PosedSurface, Rig
from generator.frame.elbow import Elbow
from generator.frame.frame_spec import FrameSpec
from generator.frame.hand_look import HandLook
from generator.frame.held_object import HeldObject
from generator.hand.kinematics import PosedSkeleton
from generator.mesh.hand_mesh import HandMesh


@dataclass(frozen=True)
class Arm:
    """A hand of a frame: its rig and mesh, its look, its side, its bones and its surface as posed."""

    look: HandLook
    rig: Rig
    mesh: HandMesh
    side: str
    bones: PosedSkeleton
    surface: PosedSurface
    elbow: Elbow


@dataclass(frozen=True)
class PosedFrame:
    """A frame with its hands.

    :param arms: those that are shown, the frame's first hand first; none in an image without a hand.
    :param held: what the first holds; None where it holds nothing.
    """

    spec: FrameSpec
    arms: tuple[Arm, ...] = ()
    held: HeldObject | None = None


class Stage:
    """Which hands are in Blender's scene, so that it evaluates no other."""

    def __init__(self) -> None:
        self._shown: list[bpy.types.Object] | None = None

    def add(self) -> None:
        """Some hand was built, and is in the scene."""
        self._shown = None

    def show(self, *hands: Rig) -> None:
        """Leave only these hands in the scene."""
        objs = [obj for hand in hands for obj in (hand.surface, hand.armature)]
        if objs == self._shown:
            return
        collection = bpy.context.scene.collection
        for obj in objs:
            if obj.name not in collection.objects:
                collection.objects.link(obj)
        for other in [o for o in collection.objects if o.type in ("MESH", "ARMATURE")]:
            if other not in objs:
                collection.objects.unlink(other)
        self._shown = objs
