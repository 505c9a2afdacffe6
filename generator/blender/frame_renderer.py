"""Render one frame: settings and a frame spec in; the image and its ground truth out."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from generator.blender import hand_surface, rig, rig_file
from generator.blender.engines import registry
from generator.blender.engines.render_layers import FrameLayers, RenderLayers
from generator.blender.posed_frame import Arm, PosedFrame, Stage
from generator.blender.redirect_output import redirect_output
from generator.blender.region import BESIDE_WRIST, OF_MASK
from generator.frame import backgrounds, frame_look, frame_spec, gbuffer, held_object
from generator.frame.frame_spec import FrameSpec, HandSpec
from generator.frame.hand_look import HandLook
from generator.frame.room.mirror import Plane
from generator.frame.settings import KEYPOINTS_3D, RenderSettings
from generator.hand import anatomy
from generator.hand.anatomy import HandShape
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton
from generator.mesh import hand_mesh
from generator.objects import own_objects
from handforge.dataset import CATEGORIES, Instance, Sample
from handforge.dataset.coco_types import ImageMeta, PoseRecord

OCCLUDED, VISIBLE = 1, 2


class FrameRenderer:
    """A Blender scene that renders the frames of one run, in any order.

    :param settings: with the engine's name resolved (not ``auto``).
    """

    def __init__(self, settings: RenderSettings) -> None:
        self.settings = settings
        self._external = external_rig(settings)
        self._backgrounds = backgrounds.open_backgrounds(settings)
        self.stage = Stage()
        with redirect_output():
            # Not read_factory_settings: inside Blender that would take the user's extensions away, this one among them.
            bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
            self.engine = registry.start(settings, self.stage)
        self.hand = functools.lru_cache(frame_look.SHAPES + frame_look.CHILDREN)(self._build)
        self._others = functools.lru_cache(4 * (frame_look.SHAPES + frame_look.CHILDREN))(
            lambda index, shape: self._build(shape)
        )
        self._gloved = functools.cache(self._build_gloved)
        own_objects.open_objects(settings.objects)
        self._tones: dict[str, float] = {}

    def frame(self, number: int, pose: np.ndarray, meta: ImageMeta) -> Sample:
        """Draw and render one frame.

        :param number: the frame's number in the run, which together with the seed decides what is random.
        :param pose: (28,), metres and radians.
        :param meta: what is known of the pose; the frame's meta adds the pose as rendered, side, camera and look.
        """
        return self.render(self._draw(number, pose), meta)

    def decide(self, number: int, pose: np.ndarray) -> FrameSpec:
        """Draw all of a frame, also what depends on its hands' surfaces; parameters as of :meth:`frame`."""
        return self.engine.decide(self._pose(self._draw(number, pose)))

    def _draw(self, number: int, pose: np.ndarray) -> FrameSpec:
        return frame_spec.draw_frame(self.settings, number, pose, self._external, self._backgrounds)

    def render(self, spec: FrameSpec, meta: ImageMeta) -> Sample:
        """Render a frame that is decided.

        A second hand that would touch what the first one holds is left out.
        """
        frame = self._pose(spec)
        frame = replace(frame, spec=self.engine.decide(frame))
        layers = self.engine.render(frame)
        masks = self._masks(frame, layers)
        return Sample(
            name=f"{spec.number:06d}",
            image=layers.image,
            instances=self._hands(frame, layers, masks) + _objects(frame, layers),
            meta=meta | self._meta(frame),
            ground_truth_maps=self._ground_truth_maps(frame, masks),
        )

    def _pose(self, spec: FrameSpec) -> PosedFrame:
        arms = [self._arm(0, hand) for hand in spec.hands[:1]]
        held = None
        if arms and spec.grasp is not None:
            first = arms[0]
            held = held_object.place(spec.grasp, first.bones, first.side, spec.camera)
        for index, hand in enumerate(spec.hands[1:], start=1):
            arm = self._arm(index, hand)
            if spec.crowd is not None or held is None or held.distance(arm.surface.vertices).min() > 0.003:
                arms.append(arm)
        return PosedFrame(spec, tuple(arms), held)

    def _arm(self, index: int, spec: HandSpec) -> Arm:
        """The frame's hand of this index as it looks, posed."""
        look = spec.look
        if look.glove is None:
            hand, mesh = self._others(index, look.shape) if index else self.hand(look.shape)
        else:
            hand, mesh = self._gloved(index).wear(look)
        if self._external is None:
            hand_surface.shape_for(hand, mesh, look, spec.pose)
        rig.bend(hand, spec.elbow)
        self.stage.show(hand)
        if look.glove is None:
            self._paint(hand, mesh, look)
        rig.set_side(hand, spec.side)
        bones = rig.set_pose(hand, spec.pose)
        return Arm(look, hand, mesh, spec.side, bones, rig.posed_surface(hand), spec.elbow)

    def _masks(self, frame: PosedFrame, layers: FrameLayers) -> dict[str, list[np.ndarray]]:
        """By category, each hand's mask, then each of those seen in a mirror; maps need those of the hands alone."""
        drawings, categories = layers.arms + layers.reflections, self._categories
        if self.settings.ground_truth_maps and "hand" not in categories:
            categories += ("hand",)
        return {category: masks_of(drawings, frame.spec.camera, category) for category in categories}

    def _hands(
        self, frame: PosedFrame, layers: FrameLayers, masks: dict[str, list[np.ndarray]]
    ) -> tuple[Instance, ...]:
        """Each hand, then each as it is seen in a mirror: there it looks like one of the other side."""
        camera, around = frame.spec.camera, frame.spec.around
        plane = None if around is None else around.mirror
        seen: list[tuple[Arm, RenderLayers, Plane | None]]
        seen = [(arm, drawing, None) for arm, drawing in zip(frame.arms, layers.arms, strict=True)]
        seen += [(arm, drawing, plane) for arm, drawing in zip(frame.arms, layers.reflections, strict=False)]
        found = []
        for number, (arm, drawing, mirror) in enumerate(seen):
            glove = arm.look.glove
            kind, thickness = (None, 0.0) if glove is None else (glove.kind, glove.thickness + glove.wrinkle)
            places = joints(arm.rig, arm.bones, mirror)
            points = keypoints(arm.rig, arm.surface, arm.mesh.faces, places, camera, thickness, mirror)
            if self.settings.may_hide_hands:
                points = _mark_covered(points, drawing)
            in_space = None
            if KEYPOINTS_3D in self.settings.ground_truth_kinds:
                in_space = camera.to_camera(places)
            side = arm.side if mirror is None else {"right": "left", "left": "right"}[arm.side]
            for category in self._categories:
                mask, mirrored = masks[category][number], mirror is not None
                found.append(Instance(mask, points, side, category, in_space, glove=kind, mirrored=mirrored))
        return tuple(found)

    @property
    def _categories(self) -> tuple[str, ...]:
        return tuple(CATEGORIES.values()) if self.settings.mask == "both" else (self.settings.mask,)

    def _ground_truth_maps(self, frame: PosedFrame, masks: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
        """The ground-truth maps: depth, normals, parts of the hands themselves, without those in a mirror."""
        if not self.settings.ground_truth_maps:
            return {}
        arms, camera = frame.arms, frame.spec.camera
        if not arms:
            found = gbuffer.nothing(camera.width, camera.height)
            return {name: found[name] for name in self.settings.ground_truth_maps}
        annotated = [mask for category in self._categories for mask in masks[category][: len(arms)]]
        first = np.cumsum([0, *(len(arm.surface.vertices) for arm in arms)])
        found = gbuffer.measure(
            np.concatenate([arm.surface.vertices for arm in arms]),
            np.concatenate([arm.surface.normals for arm in arms]),
            np.concatenate([arm.mesh.faces + start for arm, start in zip(arms, first, strict=False)]),
            np.concatenate([gbuffer.parts_of(arm.mesh.weights) for arm in arms]),
            camera,
            np.any(masks["hand"][: len(arms)], axis=0),
            np.any(annotated, axis=0),
        )
        return {name: found[name] for name in self.settings.ground_truth_maps}

    def _meta(self, frame: PosedFrame) -> ImageMeta:
        """What the image's record holds of the frame."""
        spec = frame.spec
        if spec.empty is not None:
            return {"empty": spec.empty.kind, "camera": spec.camera.matrix.tolist()}
        first, *others = (self._pose_record(arm) for arm in frame.arms)
        meta: ImageMeta = {} if spec.crowd is None else {"view": spec.crowd.kind}
        meta |= {"pose": first["pose"], "side": first["side"], "camera": spec.camera.matrix.tolist()}
        if spec.camera.fisheye:
            meta["projection"] = "equidistant"
        if len(others) == 1:
            meta["second"] = others[0]
        elif others:
            meta["others"] = others
        if "tone" in first:
            meta["tone"] = first["tone"]
        if "age" in first:
            meta["age"] = first["age"]
        if spec.hands[0].shape is not None:
            meta["shape"] = spec.hands[0].shape
        if self.settings.framing != "fixed" or spec.camera.distance != self.settings.distance:
            meta["distance"] = spec.camera.distance
        if frame.held is not None and spec.grasp is not None:
            meta["held"] = {
                "object": spec.grasp.kind, "grasp": spec.grasp.type, "contacts": list(spec.grasp.contacts)
            }  # fmt: skip
        return meta

    def _pose_record(self, arm: Arm) -> PoseRecord:
        """What the record holds of a hand: its pose, and of its looks what is drawn for each frame."""
        record: PoseRecord = {"pose": arm.bones.pose.round(9).tolist(), "side": arm.side}
        if self.settings.skin_tone == "random":
            record["tone"] = round(arm.look.tone, 4)
        if arm.look.skin is not None:
            record["age"] = round(arm.look.skin.age, 4)
        return record

    def _paint(self, hand: rig.Rig, mesh: hand_mesh.HandMesh, look: HandLook) -> None:
        if look.skin is not None or self._tones.get(hand.surface.name) != look.tone:
            hand_surface.paint(hand, mesh, look)
            self._tones[hand.surface.name] = look.tone

    def _build(self, shape: HandShape) -> tuple[rig.Rig, hand_mesh.HandMesh]:
        self.stage.add()
        if self._external:
            return rig.build(*self._external), self._external[1]
        mesh = hand_mesh.build(shape)
        return rig.build(anatomy.skeleton(shape), mesh), mesh

    def _build_gloved(self, index: int) -> hand_surface.GlovedHand:
        self.stage.add()
        return hand_surface.GlovedHand(f"gloved_{index}")


def external_rig(settings: RenderSettings) -> tuple[anatomy.Skeleton, hand_mesh.HandMesh] | None:
    """Skeleton and mesh of the external rig that the settings name, if they name one."""
    if settings.rig is None:
        return None
    return rig_file.load(Path(settings.rig), None if settings.bone_map is None else Path(settings.bone_map))


def _objects(frame: PosedFrame, layers: FrameLayers) -> tuple[Instance, ...]:
    """The objects that the frame shows, where they are asked for."""
    if layers.objects is None:
        return ()
    kinds = [obj.maker for obj in frame.spec.empty.objects] if frame.spec.empty else []
    if frame.held is not None and frame.spec.grasp is not None:
        kinds = [frame.spec.grasp.kind]
    return tuple(Instance(layers.objects == index, category=kind) for index, kind in enumerate(kinds, start=1))


def masks_of(drawings: tuple[RenderLayers, ...], camera: Camera, category: str) -> list[np.ndarray]:
    """The masks, (H, W) bool each: where at least half of a pixel is covered.

    With few samples a pixel many are half covered, which makes an outline too wide: with four by 0.13 pixels where they
    lie in a grid (raster) and 0.05 where they are spread as Cycles' are (benchmarks/samples.py). A pixel that is half
    one hand's and half another's is the first's.
    """
    masks: list[np.ndarray] = []
    for drawing in drawings:
        covered = np.zeros((camera.height, camera.width), bool)
        x0, y0, x1, y1 = drawing.box
        covered[y0:y1, x0:x1] = drawing.covered(*OF_MASK[category]) >= 0.5
        masks.append(covered & ~np.any(masks, axis=0) if masks else covered)
    return masks


def joints(hand: rig.Rig, bones: PosedSkeleton, mirror: Plane | None = None) -> np.ndarray:
    """The 21 joints in scene axes, (21, 3) metres, or where they are seen in a mirror; those of a left hand where the
    rig shows one.
    """
    places = bones.keypoints * [-1, 1, 1] if hand.mirrored else bones.keypoints
    return places if mirror is None else mirror.reflect(places)


def keypoints(
    hand: rig.Rig,
    surface: rig.PosedSurface,
    faces: np.ndarray,
    places: np.ndarray,
    camera: Camera,
    thickness: float = 0.0,
    mirror: Plane | None = None,
) -> np.ndarray:
    """The 21 joints as COCO has them, (21, 3): x, y in pixels, visibility (0 outside the image, 1 hidden, 2 visible).

    A joint lies inside the flesh; it counts as hidden where skin on its line of sight stands nearer to the camera than
    its own flesh reaches.

    :param faces: (F, 3), the triangles of the surface's vertices.
    :param places: the joints as :func:`joints` says.
    :param thickness: thickness of what the hand wears, metres.
    :param mirror: in which the hand is seen; None for the hand itself.
    """
    vertices = surface.vertices if mirror is None else mirror.reflect(surface.vertices)
    x, y, depth = camera.project(places).T
    inside = (depth > 0) & (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
    hidden = _hidden(camera.to_camera(places), camera.to_camera(vertices), faces, _flesh(hand) + thickness)
    visibility = np.where(inside, np.where(hidden, OCCLUDED, VISIBLE), 0)
    return np.stack([np.where(inside, x, 0), np.where(inside, y, 0), visibility], axis=1)


_NEAR = 2
"""Pixels around a joint in which some of the arm has to be seen."""


def _mark_covered(points: np.ndarray, drawing: RenderLayers) -> np.ndarray:
    """The keypoints (21, 3), those hidden that have no pixel of the arm within :data:`_NEAR` pixels."""
    covered = drawing.covered(*BESIDE_WRIST) >= 0.5
    points = points.copy()
    for point in points:
        x, y = (point[:2] - drawing.box[:2]).astype(int)
        around = covered[max(y - _NEAR, 0) : max(y + _NEAR + 1, 0), max(x - _NEAR, 0) : max(x + _NEAR + 1, 0)]
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
        fractions = x[[1, 2, 0]] * y[[2, 0, 1]] - x[[2, 0, 1]] * y[[1, 2, 0]]  # twice the areas that the line cuts off
        inside = (fractions >= 0).all(0) | (fractions <= 0).all(0)
        nearer = (fractions / depth.take(about)).sum(0)[inside] / fractions.sum(0)[inside]  # 1 by its depth
        hidden[index] = (nearer * (joint[2] - clear) > 1).any()
    return hidden
