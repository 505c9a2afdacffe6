"""One frame: settings, a pose and the frame's number in; the image and its truth out."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from generator.blender import hand_surface, rig, rig_file
from generator.blender.engines import registry
from generator.blender.engines.render_layers import RenderLayers
from generator.blender.redirect_output import redirect_output
from generator.blender.rig import Posed, Rig
from generator.blender.scene.indoor import IndoorScene
from generator.frame import (
    arm_reach,
    backgrounds,
    camera_effects,
    crowd,
    elbow,
    empty_scene,
    frame_spec,
    gbuffer,
    held_object,
    second_hand,
)
from generator.frame.camera_effects import srgb
from generator.frame.crowd import Crowd
from generator.frame.hand_look import HandLook, draw_hand_look
from generator.frame.held_object import HeldObject
from generator.frame.settings import KEYPOINTS_3D, RenderSettings
from generator.hand import anatomy, kinematics
from generator.hand.anatomy import HandShape, Skeleton
from generator.hand.camera import Camera
from generator.mesh import hand_mesh
from generator.objects.grasps import Grasp
from handforge.dataset import CATEGORIES, GROUND_TRUTH_MAPS, Instance, Sample
from handforge.rng import stream

OCCLUDED, VISIBLE = 1, 2


@dataclass(frozen=True)
class Arm:
    """A hand of a frame: its rig and mesh, its look, its side, its pose (28,) as rendered, its surface in that pose."""

    look: HandLook
    rig: Rig
    mesh: hand_mesh.HandMesh
    side: str
    pose: np.ndarray
    posed: Posed
    bent: elbow.Elbow


class FrameRenderer:
    """A Blender scene that renders the frames of one run, in any order.

    :param settings: with the engine's name resolved (not ``auto``).
    """

    def __init__(self, settings: RenderSettings) -> None:
        self.settings = settings
        self._own = _rigged(settings)
        with redirect_output():
            # Not read_factory_settings: inside Blender that would take the user's extensions away, this one among them.
            bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
            self.engine = registry.start(settings)
        self.hand = functools.lru_cache(frame_spec.SHAPES)(self._build)
        self._others = functools.lru_cache(4 * frame_spec.SHAPES)(lambda index, shape: self._build(shape))
        self._gloved = functools.cache(self._build_gloved)
        self._backgrounds = backgrounds.chosen(settings)
        self._shown: list[bpy.types.Object] = []
        self._tones: dict[str, float] = {}

    def frame(self, number: int, pose: np.ndarray, meta: dict) -> Sample:
        """Render one frame.

        :param number: the frame's number in the run, which together with the seed decides its look.
        :param pose: (28,), metres and radians.
        :param meta: what is known of the pose; the frame's meta adds the pose as rendered, side, camera and look.
        """
        drawn = frame_spec.draw_frame_spec(self.settings, number)
        if empty_scene.is_empty(self.settings, number):
            return self._empty(number, drawn, meta)
        if self._backgrounds is not None:
            drawn = replace(drawn, background=np.zeros(3))
        shape = frame_spec.hand_shape(self.settings, drawn.shape)
        skeleton = self._own[0] if self._own else anatomy.skeleton(shape)
        look = draw_hand_look(self.settings, number, drawn.tone, shape)
        grasp = self._grasp(number, look, shape, skeleton)
        pose = pose if grasp is None else grasp.in_pose(pose)
        if group := crowd.draw_crowd(self.settings, number, pose[6:], skeleton, drawn.tone):
            return self._crowd(number, drawn, group, grasp, meta)
        camera, pose = frame_spec.framing(self.settings, number, pose, skeleton)
        held = None if grasp is None else held_object.place(grasp, pose, drawn.side, skeleton, camera)
        arms = [self._arm(0, drawn.shape, look, drawn.side, pose, camera, number)]
        if other := second_hand.second(self.settings, number, camera, pose, drawn.side, skeleton):
            own = other.tone is None
            tone = drawn.tone if other.tone is None else other.tone
            look = draw_hand_look(self.settings, number, tone, shape, 1, own)
            second = self._arm(1, drawn.shape, look, other.side, other.pose, camera, number)
            if held is None or held.distance(second.posed.vertices).min() > 0.003:
                arms.append(second)
        drawings = self._draw(arms, held, camera, drawn, number)
        return self._sample(number, arms, held, grasp, drawings, camera, drawn, meta)

    def _sample(
        self,
        number: int,
        arms: list[Arm],
        held: HeldObject | None,
        grasp: Grasp | None,
        drawings: list[RenderLayers],
        camera: Camera,
        drawn: frame_spec.FrameSpec,
        meta: dict,
    ) -> Sample:
        """What was drawn, as the dataset has it."""
        return Sample(
            name=f"{number:06d}",
            image=self._stored(self._picture(drawings, camera, drawn, number), number),
            instances=self._instances(arms, drawings, camera),
            meta=meta | self._meta(arms, camera, drawn) | ({"held": _told(grasp)} if held and grasp else {}),
            truths=self._truths(arms, drawings, camera),
        )

    def _empty(self, number: int, drawn: frame_spec.FrameSpec, meta: dict) -> Sample:
        """A frame without a hand."""
        assert isinstance(self.engine, IndoorScene)
        scene = empty_scene.draw_empty_scene(self.settings, number)
        self._show()
        width, height = self.settings.resolution
        maps = gbuffer.nothing(width, height)
        return Sample(
            name=f"{number:06d}",
            image=self.engine.draw_empty(scene, drawn, number),
            instances=(),
            meta=meta | {"empty": scene.kind, "camera": scene.camera.matrix.tolist()},
            truths={name: maps[name] for name in GROUND_TRUTH_MAPS if name in self.settings.ground_truth_kinds},
        )

    def _crowd(self, number: int, drawn: frame_spec.FrameSpec, group: Crowd, grasp: Grasp | None, meta: dict) -> Sample:
        """A frame with several people, or seen through one's own eyes."""
        arms, camera = [], group.camera
        for index, seen in enumerate(group.hands):
            first = seen.person == 0
            shape = drawn.shape if first or drawn.shape is None else seen.person
            tone = drawn.tone if first else group.persons[seen.person - (group.kind == "egocentric")].tone
            proportions = frame_spec.hand_shape(self.settings, shape)
            look = draw_hand_look(self.settings, number, tone, proportions, 2 * seen.person, first)
            pose = np.array(seen.pose)
            arms.append(self._arm(index, shape, look, seen.side, pose, camera, number, seen.elbow))
        held = None
        if grasp is not None:
            held = held_object.place(grasp, arms[0].pose, arms[0].side, arms[0].rig.skeleton, camera)
        drawings = self._draw(arms, held, camera, drawn, number, group)
        return self._sample(number, arms, held, grasp, drawings, camera, drawn, meta | {"view": group.kind})

    def _grasp(self, number: int, look: HandLook, shape: HandShape, skeleton: Skeleton) -> Grasp | None:
        """What the frame's first hand holds."""
        if look.glove is not None and look.glove.thickness > held_object.GLOVE:
            return None
        mesh = self._own[1] if self._own else hand_mesh.build(shape)
        return held_object.draw_grasp(self.settings, number, mesh, skeleton)

    def _arm(
        self,
        index: int,
        shape: int | None,
        look: HandLook,
        side: str,
        pose: np.ndarray,
        camera: Camera,
        number: int,
        bent: elbow.Elbow | None = None,
    ) -> Arm:
        """The frame's hand of this index as it looks, posed; how its arm is bent is drawn if it is not given."""
        if look.glove is None:
            hand, mesh = self._others(index, shape) if index else self.hand(shape)
        else:
            hand, mesh = self._gloved(index).wear(look)
        if self._own is None:
            hand_surface.shape_for(hand, mesh, look, pose)
        bent = bent or self._elbow(index, pose, hand.skeleton, camera, number)
        rig.bend(hand, bent)
        self._show(hand)
        if look.glove is None:
            self._paint(hand, mesh, look)
        rig.set_side(hand, side)
        rig.set_pose(hand, pose)
        return Arm(look, hand, mesh, side, pose, rig.posed(hand), bent)

    def _elbow(
        self, index: int, pose: np.ndarray, skeleton: anatomy.Skeleton, camera: Camera, number: int
    ) -> elbow.Elbow:
        """How the arm of this index is bent: one alone before a plain background never ends in the image."""
        if self.settings.scene == "indoor":
            return elbow.elbow(self.settings, number, index)
        alone = self.settings.num_hands == 1 and self._own is None
        return arm_reach.reach_out(camera, pose, skeleton) if alone else elbow.STRAIGHT

    def _draw(
        self,
        arms: list[Arm],
        held: HeldObject | None,
        camera: Camera,
        drawn: frame_spec.FrameSpec,
        number: int,
        group: Crowd | None = None,
    ) -> list[RenderLayers]:
        """A drawing of each; in a room, where they see each other, all of the same image."""
        if isinstance(self.engine, IndoorScene):
            self._show(*(arm.rig for arm in arms))
            looks, elbows = [arm.look for arm in arms], [arm.bent for arm in arms]
            rigs = [(arm.rig, arm.posed) for arm in arms]
            return self.engine.draw_all(rigs, looks, elbows, camera, drawn, number, held, group)
        drawings = []
        for arm in arms:
            self._show(arm.rig)
            drawings.append(self.engine.draw(arm.rig, arm.posed, camera, replace(drawn, elbow=arm.bent), number))
        return drawings

    def _instances(self, arms: list[Arm], drawings: list[RenderLayers], camera: Camera) -> tuple[Instance, ...]:
        masks = {category: _masks(drawings, camera, category) for category in self._categories}
        found = []
        for number, (arm, drawing) in enumerate(zip(arms, drawings, strict=True)):
            glove = arm.look.glove
            kind, worn = (None, 0.0) if glove is None else (glove.kind, glove.thickness + glove.wrinkle)
            points = keypoints(arm.rig, arm.posed, arm.mesh.faces, arm.pose, camera, worn)
            if self._covering:
                points = _behind_things(points, drawing)
            in_space = (
                camera.to_camera(joints(arm.rig, arm.pose))
                if KEYPOINTS_3D in self.settings.ground_truth_kinds
                else None
            )
            for category, of_arms in masks.items():
                found.append(Instance(of_arms[number], points, arm.side, category, in_space, glove=kind))
        return tuple(found)

    @property
    def _covering(self) -> bool:
        """Whether something else than its own skin may be before a hand."""
        chosen = self.settings
        return (
            chosen.occluders != "none" or chosen.num_hands != 1 or chosen.sleeve != "none" or chosen.scene == "indoor"
        )

    @property
    def _categories(self) -> tuple[str, ...]:
        return tuple(CATEGORIES.values()) if self.settings.mask == "both" else (self.settings.mask,)

    def _truths(self, arms: list[Arm], drawings: list[RenderLayers], camera: Camera) -> dict[str, np.ndarray]:
        """Those truths beyond the masks that the settings ask for and that are images."""
        asked = [name for name in GROUND_TRUTH_MAPS if name in self.settings.ground_truth_kinds]
        if not asked:
            return {}
        masks = [mask for category in self._categories for mask in _masks(drawings, camera, category)]
        hands = _masks(drawings, camera, "hand")
        first = np.cumsum([0, *(len(arm.posed.vertices) for arm in arms)])
        found = gbuffer.measure(
            np.concatenate([arm.posed.vertices for arm in arms]),
            np.concatenate([arm.posed.normals for arm in arms]),
            np.concatenate([arm.mesh.faces + start for arm, start in zip(arms, first, strict=False)]),
            np.concatenate([gbuffer.parts_of(arm.mesh.weights) for arm in arms]),
            camera,
            np.any(hands, axis=0),
            np.any(masks, axis=0),
        )
        return {name: found[name] for name in asked}

    def _picture(
        self, drawings: list[RenderLayers], camera: Camera, drawn: frame_spec.FrameSpec, number: int
    ) -> np.ndarray:
        """The whole image, (H, W, 3) uint8; a room's drawing is one already."""
        if self.settings.scene == "indoor":
            return drawings[0].image
        if self._backgrounds is None:
            return _compose(drawings, camera, drawn)
        behind = self._backgrounds.draw(number, camera.width, camera.height)
        picture = behind.copy()
        for drawing in drawings:
            x0, y0, x1, y1 = drawing.box
            alpha = np.minimum(drawing.hand + drawing.forearm + drawing.cloth, 1)
            picture[y0:y1, x0:x1] = srgb(
                camera_effects.before(camera_effects.linear(drawing.image), alpha, picture[y0:y1, x0:x1])
            )
        return picture

    def _stored(self, picture: np.ndarray, number: int) -> np.ndarray:
        """As a camera would have stored it; a room's image is so already."""
        if self.settings.sensor == "clean" or self.settings.scene == "indoor":
            return picture
        return camera_effects.stored(picture, stream(self.settings.seed, number, "sensor"))

    def _meta(self, arms: list[Arm], camera: Camera, drawn: frame_spec.FrameSpec) -> dict:
        poses = [{"pose": arm.pose.round(9).tolist(), "side": arm.side} for arm in arms]
        meta: dict = {**poses[0], "camera": camera.matrix.tolist()}
        if len(arms) == 2:
            meta["second"] = poses[1]
        elif len(arms) > 2:
            meta["others"] = poses[1:]
        if self.settings.skin_tone == "random":
            meta["tone"] = round(drawn.tone, 4)
        if drawn.shape is not None:
            meta["shape"] = drawn.shape
        if self.settings.framing != "fixed":
            meta["distance"] = camera.distance
        return meta

    def _paint(self, hand: rig.Rig, mesh: hand_mesh.HandMesh, look: HandLook) -> None:
        if look.skin is not None or self._tones.get(hand.surface.name) != look.tone:
            hand_surface.paint(hand, mesh, look)
            self._tones[hand.surface.name] = look.tone

    def _build(self, shape: int | None) -> tuple[rig.Rig, hand_mesh.HandMesh]:
        self._shown = []  # what is new is in the scene
        if self._own:
            return rig.build(*self._own), self._own[1]
        proportions = frame_spec.hand_shape(self.settings, shape)
        mesh = hand_mesh.build(proportions)
        return rig.build(anatomy.skeleton(proportions), mesh), mesh

    def _build_gloved(self, index: int) -> hand_surface.GlovedHand:
        self._shown = []
        return hand_surface.GlovedHand(f"gloved_{index}")

    def _show(self, *hands: rig.Rig) -> None:
        """Leave only these hands in the scene, so that Blender evaluates no other."""
        things = [thing for hand in hands for thing in (hand.surface, hand.armature)]
        if things == self._shown:
            return
        collection = bpy.context.scene.collection
        for thing in things:
            if thing.name not in collection.objects:
                collection.objects.link(thing)
        for other in [o for o in collection.objects if o.type in ("MESH", "ARMATURE")]:
            if other not in things:
                collection.objects.unlink(other)
        self._shown = things


def _rigged(settings: RenderSettings) -> tuple[anatomy.Skeleton, hand_mesh.HandMesh] | None:
    """Somebody's hand in place of ours, if the settings name one."""
    if settings.rig is None:
        return None
    return rig_file.load(Path(settings.rig), None if settings.bone_map is None else Path(settings.bone_map))


def _told(grasp: Grasp) -> dict:
    """What an image's record says of a grasp."""
    return {"object": grasp.kind, "grasp": grasp.type, "contacts": list(grasp.contacts)}


def _compose(drawings: list[RenderLayers], camera: Camera, drawn: frame_spec.FrameSpec) -> np.ndarray:
    """The whole image, (H, W, 3) uint8, of hands that do not overlap."""
    picture = _plain(camera.width, camera.height, *srgb(drawn.background).tolist()).copy()
    for number, drawing in enumerate(drawings):
        x0, y0, x1, y1 = drawing.box
        drawn_at = np.s_[:, :] if not number else drawing.hand + drawing.forearm + drawing.cloth > 0
        picture[y0:y1, x0:x1][drawn_at] = drawing.image[drawn_at]
    return picture


def _masks(drawings: list[RenderLayers], camera: Camera, category: str) -> list[np.ndarray]:
    """The masks, (H, W) bool each: where at least half of a pixel is covered.

    With few samples a pixel many are half covered, which makes an outline too wide: with four by 0.13 pixels where they
    lie in a grid (raster) and 0.05 where they are spread as Cycles' are (benchmarks/samples.py). A pixel that is half
    one hand's and half another's is the first's.
    """
    masks: list[np.ndarray] = []
    for drawing in drawings:
        covered = np.zeros((camera.height, camera.width), bool)
        x0, y0, x1, y1 = drawing.box
        coverage = drawing.hand if category == "hand" else drawing.hand + drawing.forearm
        covered[y0:y1, x0:x1] = coverage >= 0.5
        masks.append(covered & ~np.any(masks, axis=0) if masks else covered)
    return masks


@functools.lru_cache(1)
def _plain(width: int, height: int, *rgb: int) -> np.ndarray:
    return np.tile(np.array(rgb, np.uint8), (height, width, 1))


def joints(hand: rig.Rig, pose: np.ndarray) -> np.ndarray:
    """The 21 joints in scene axes, (21, 3) metres; those of a left hand where the rig shows one."""
    places = kinematics.keypoints(pose, hand.skeleton)
    return places * [-1, 1, 1] if hand.mirrored else places


def keypoints(
    hand: rig.Rig, posed: rig.Posed, faces: np.ndarray, pose: np.ndarray, camera: Camera, worn: float = 0.0
) -> np.ndarray:
    """The 21 joints as COCO has them, (21, 3): x, y in pixels, visibility (0 outside the image, 1 hidden, 2 visible).

    A joint lies inside the flesh; it counts as hidden where skin on its line of sight stands nearer to the camera than
    its own flesh reaches.

    :param faces: (F, 3), the triangles of the surface's vertices.
    :param worn: thickness of what the hand wears, metres.
    """
    places = joints(hand, pose)
    x, y, depth = camera.project(places).T
    inside = (depth > 0) & (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
    hidden = _hidden(camera.to_camera(places), camera.to_camera(posed.vertices), faces, _flesh(hand) + worn)
    visibility = np.where(inside, np.where(hidden, OCCLUDED, VISIBLE), 0)
    return np.stack([np.where(inside, x, 0), np.where(inside, y, 0), visibility], axis=1)


def _behind_things(points: np.ndarray, drawing: RenderLayers, near: int = 2) -> np.ndarray:
    """The keypoints (21, 3), those hidden that have no pixel of the arm within ``near`` pixels."""
    covered = drawing.hand + drawing.forearm >= 0.5
    points = points.copy()
    for point in points:
        x, y = (point[:2] - drawing.box[:2]).astype(int)
        around = covered[max(y - near, 0) : max(y + near + 1, 0), max(x - near, 0) : max(x + near + 1, 0)]
        if point[2] == VISIBLE and not around.any():
            point[2] = OCCLUDED
    return points


def _flesh(hand: rig.Rig) -> np.ndarray:
    """How far skin may stand before a joint that it belongs to, (21,) metres."""
    bones = hand.skeleton.keypoint_bones
    parents = np.maximum(hand.skeleton.parents[bones], 0)
    radii = hand.skeleton.radii
    return np.maximum(radii[bones].max(axis=1), radii[parents, 1]) * 1.3 + 0.004


def _hidden(joints: np.ndarray, vertices: np.ndarray, faces: np.ndarray, flesh: np.ndarray) -> np.ndarray:
    """Which joints (21, 3) have skin on their line of sight that stands nearer than their own flesh reaches."""
    depth = np.where(vertices[:, 2] > 0, vertices[:, 2], np.nan).astype(np.float32)  # what is behind us hides nothing
    across, down = vertices[:, :2].T.astype(np.float32) / depth
    a, b, c = (across.take(corner) for corner in faces.T)
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    hidden = np.zeros(len(joints), bool)
    for index, (joint, clear) in enumerate(zip(joints, flesh, strict=True)):
        u, v = (joint[:2] / joint[2]).astype(np.float32)
        about = faces.take(np.flatnonzero((low <= u) & (high >= u)), 0).T  # few are left for the rest of the question
        y = down.take(about) - v
        there = (y.min(0) <= 0) & (y.max(0) >= 0)
        about, y = about[:, there], y[:, there]
        x = across.take(about) - u
        shares = x[[1, 2, 0]] * y[[2, 0, 1]] - x[[2, 0, 1]] * y[[1, 2, 0]]  # twice the areas that the line cuts off
        inside = (shares >= 0).all(0) | (shares <= 0).all(0)
        nearer = (shares / depth.take(about)).sum(0)[inside] / shares.sum(0)[inside]  # 1 by its depth
        hidden[index] = (nearer * (joint[2] - clear) > 1).any()
    return hidden
