"""What can be added to a room: framing, people, objects in the colours of skin, occluders, exposure."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.frame import camera_effects, frame_spec, second_hand, settings
from generator.frame.backgrounds import Backgrounds
from generator.frame.elbow import STRAIGHT, Elbow, draw_elbow
from generator.frame.frame_look import SHAPES, draw_frame_look
from generator.frame.framing import arm_end, draw_framing
from generator.frame.room import rooms
from generator.frame.room.arm_view import View
from generator.frame.room.props import SceneProps
from generator.frame.settings import RenderSettings, SettingsError
from generator.hand import pose, pose_sets
from generator.hand.anatomy import skeleton
from generator.hand.camera import Camera
from generator.mesh import sleeve
from generator.pipeline import run

ROOM = RenderSettings(resolution=(160, 120), engine="cycles", scene="indoor", samples=2)
POSE = pose.with_angles(forearm_x=20, forearm_z=40, index_pip_flexion=60, thumb_cmc_flexion=20)
BONES = skeleton()
STRAIGHT_BOTH = STRAIGHT, STRAIGHT


def test_a_close_hand_has_an_arm_from_outside_the_image():
    close = replace(ROOM, framing="close", focal_mm="random")
    some = pose_sets.poses("l11")[::521]
    framed = [draw_framing(close, i, one, BONES, STRAIGHT) for i, one in enumerate(some)]
    outside, inside = [], []
    for camera, one in framed:
        x, y, depth = camera.project(one.capsules[0][0])
        outside.append(not (0 < x < 160 and 0 < y < 120))
        assert depth > 0.1, "the arm does not run into the camera"
        joints = camera.project(one.keypoints)
        inside.append(((joints[:, :2] >= 0) & (joints[:, :2] <= [160, 120])).all())
        assert np.degrees(np.arcsin(np.sin(one.pose[pose.V4]))) >= -24
    assert np.mean(outside) > 0.98
    assert 0.6 < np.mean(inside) < 0.98, "most hands are whole, some are cut by the edge"
    assert min(c.focal_mm for c, _ in framed) < 32 and max(c.focal_mm for c, _ in framed) > 65
    again = draw_framing(close, 3, some[3], BONES, STRAIGHT)
    assert again[0] == framed[3][0] and (again[1].pose == framed[3][1].pose).all()
    assert (framed[3][1].pose[7:] == some[3][7:]).all(), "fingers and wrist stay as they are"


def test_a_cast_changes_colour_and_brightness_but_not_by_much():
    casts = np.log([camera_effects.draw_cast(np.random.default_rng((0, i))) for i in range(500)])
    assert abs(casts.mean(axis=0)).max() < 0.1
    assert 0.25 < casts.mean(axis=1).std() < 0.5
    assert 0.15 < (casts[:, 0] - casts[:, 2]).std() < 0.35
    grey = np.full((60, 80, 3), 0.3)
    subject = np.ones((60, 80), bool)
    photo = camera_effects.draw_photo(np.random.default_rng(1), (80, 60), None, None)
    plain, dark, warm = (
        camera_effects.develop(grey, subject, replace(photo, cast=cast)).mean(axis=(0, 1))
        for cast in (None, (0.4, 0.4, 0.4), (1.3, 1.0, 0.7))
    )
    assert dark.mean() < 0.8 * plain.mean()
    assert warm[0] > plain[0] and warm[2] < plain[2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"environment": "street"}, "environment is objects or random, not 'street'"),
        ({"distractors": True}, "distractors is none or random, not True"),
        ({"occluders": "cups"}, "occluders is none or random, not 'cups'"),
        ({"distance": "near"}, "distance is a number from 0.3 to 10, not 'near'"),
        ({"focal_mm": 3}, "focal_mm is a number from 10 to 300 or random, not 3"),
    ],
)
def test_words_that_are_no_look_are_refused(values, message):
    with pytest.raises(SettingsError) as error:
        settings.load(None, values)
    assert message in str(error.value)


def test_varied_uses_them_all_and_the_default_none():
    varied, off = settings.load(Path("varied")), RenderSettings()
    for name in ("environment", "distractors", "occluders", "exposure", "light", "framing", "focal_mm"):
        assert getattr(varied, name) != getattr(off, name)


def frame_where(tag, fraction, start=0):
    """The first frame whose stream of this tag starts below ``fraction``."""
    return next(i for i in range(start, 1000) if np.random.default_rng((0, i, tag)).random() < fraction)


@pytest.fixture(scope="module")
def masks():
    """The hand's mask, (H, W) bool, by settings and frame."""
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    from generator.blender.frame_renderer import FrameRenderer

    def draw(frame, **values):
        return FrameRenderer(replace(ROOM, **values)).frame(frame, POSE, {})

    return draw


def test_what_stands_before_the_hand_cuts_its_mask(masks):
    frame = frame_where(0x23, 0.2)
    free, covered = (masks(frame, occluders=word).instances[0].mask for word in ("none", "random"))
    assert covered.sum() < 0.995 * free.sum()
    assert covered.sum() > 0.2 * free.sum()
    assert (covered & ~free).sum() < 0.01 * free.sum()


def test_joints_behind_a_prop_are_hidden():
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    from generator.blender.engines.render_layers import RenderLayers
    from generator.blender.frame_renderer import _mark_covered

    hand = np.zeros((40, 40))
    hand[10:30, 10:18] = hand[10:30, 24:30] = 1  # something stands before columns 18 to 24
    drawing = RenderLayers((100, 50, 140, 90), np.zeros((40, 40, 3), np.uint8), hand, np.zeros((40, 40)))
    points = np.array([[112.5, 70.5, 2], [121.5, 70.5, 2], [119.0, 70.5, 2], [121.5, 70.5, 1], [0, 0, 0]], float)
    assert _mark_covered(points, drawing)[:, 2].tolist() == [2, 1, 2, 1, 0]


def test_a_held_prop_is_in_one_hand():
    arms = np.concatenate([np.zeros((5, 3)), np.ones((7, 3))])
    view = View(Camera(160, 120), arms, np.arange(12) % 2 == 0, np.repeat([0, 1], [5, 7]))
    rng = np.random.default_rng(0)
    found = {(len(points), *points.mean(axis=0).tolist()) for points in (view.one_hand(rng) for _ in range(20))}
    assert found == {(3, 0, 0, 0), (3, 1, 1, 1)}


def test_furniture_faces_the_camera(monkeypatch):
    placed = []
    monkeypatch.setattr(SceneProps, "assemble", lambda self, parts, matrix: placed.append(matrix[:3, :3]))
    view = View(Camera(160, 120), np.zeros((1, 3)), np.ones(1, bool), np.zeros(1, int))
    for seed in range(40):
        rooms.fill_room(SceneProps(), np.random.default_rng(seed), view)
    fronts = np.array([rotation @ [0, -1, 0] / np.linalg.norm(rotation @ [0, -1, 0]) for rotation in placed])
    assert len(fronts) > 100 and np.median(fronts @ [0, -1, 0]) > 0.7, "the camera looks along +Y"


def test_a_sleeve_fits_an_arm_of_few_vertices():
    """Rings of six that are 8 cm apart, as a low-poly arm has them."""
    angles = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    arm = np.array([[0.03 * np.cos(a), 0.03 * np.sin(a), -z] for z in np.arange(0, 0.4, 0.08) for a in angles])
    for seed in range(10):
        vertices, _ = sleeve.tube(arm, -0.05, 0.004, sleeve.draw_folds(np.random.default_rng(seed)))
        assert np.linalg.norm(vertices[48:, :2], axis=1).min() > 0.025 and abs(vertices[:, :2]).max() < 0.05


def test_a_sleeve_under_a_cuff_starts_at_the_skin_and_is_as_loose_as_others_five_centimetres_on():
    around = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    arm = np.array([[0.03 * np.cos(a), 0.03 * np.sin(a), z] for z in np.linspace(-0.4, 0.05, 90) for a in around])
    under, over = (
        sleeve.tube(arm, -0.05, 0.01, sleeve.draw_folds(np.random.default_rng(0)), tucked=tucked)[0][48:].reshape(
            28, 48, 3
        )
        for tucked in (True, False)
    )
    off = np.linalg.norm(under[..., :2], axis=-1) - 0.03
    assert off[0].max() < 0.001 and (np.diff(off.mean(axis=1)[:4]) > 0.001).all()
    beyond = under[:, 0, 2] < -0.103
    np.testing.assert_array_equal(under[beyond], over[beyond])


def test_what_looks_like_skin_is_in_no_mask(masks):
    frame = frame_where(0x22, 0.4)
    alone, beside = (masks(frame, distractors=word) for word in ("none", "random"))
    assert (alone.image != beside.image).any()
    both = alone.instances[0].mask & beside.instances[0].mask
    assert both.sum() / (alone.instances[0].mask | beside.instances[0].mask).sum() > 0.97


def checkers(path, size=(90, 60), colors=((200, 30, 30), (30, 30, 200))):
    """An image whose left half has the first colour and whose right half the second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = Image.new("RGB", size, colors[0])
    pixels.paste(colors[1], (size[0] // 2, 0, *size))
    pixels.save(path)


def test_backgrounds_are_drawn_from_seed_and_frame(tmp_path):
    for name in ("a.png", "b.jpg", "deep/c.webp"):
        checkers(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    chosen = [Backgrounds(tmp_path, 0).draw(i) for i in range(30)]
    assert {one.image for one in chosen} == {"a.png", "b.jpg", "deep/c.webp"}
    assert Backgrounds(tmp_path, 0).draw(7) == chosen[7] != Backgrounds(tmp_path, 1).draw(7)
    drawn = [one.read(tmp_path, (64, 48)) for one in chosen]
    assert {d.shape for d in drawn} == {(48, 64, 3)}
    sides = {(int(d[24, 0, 0]) > 100, int(d[24, -1, 0]) > 100) for d in drawn}
    assert len(sides) >= 2, "some of them are mirrored"
    digest = Backgrounds(tmp_path, 0).digest()
    checkers(tmp_path / "d.png")
    assert Backgrounds(tmp_path, 0).digest() != digest


def test_a_background_may_have_a_name_that_is_not_utf8(tmp_path):
    checkers(tmp_path / os.fsdecode(b"caf\xe9.png"))
    (tmp_path / "._cafe.png").write_bytes(b"a Mac's")
    behind = Backgrounds(tmp_path, 0)
    behind.verify()
    assert (one := behind.draw(0)).image == "caf%E9.png"
    assert one.read(tmp_path, (64, 48)).shape == (48, 64, 3) and len(behind.digest()) == 64


@pytest.mark.parametrize("values", [{"scene": "plain", "engine": "raster"}, {"scene": "plain"}, {}])
def test_a_background_is_behind_the_hand_and_the_mask_stays(masks, tmp_path, values):
    if values.get("engine") == "raster":
        from generator.blender.engines import registry

        if reason := registry.why_not("raster"):
            pytest.skip(reason)
    checkers(tmp_path / "one.png", colors=((20, 200, 20), (20, 200, 20)))
    white, green = (masks(0, backgrounds=folder, **values) for folder in (None, str(tmp_path)))
    one, other = white.instances[0].mask, green.instances[0].mask
    assert (one & other).sum() / (one | other).sum() > (0.999 if values else 0.97)
    corner = green.image[:8, :8].reshape(-1, 3).mean(axis=0)
    assert corner[1] > 1.5 * max(corner[0], corner[2])
    if values:
        assert (green.image[0, 0] == [20, 200, 20]).all()
        inside = green.instances[0].mask & white.instances[0].mask
        assert np.median(np.abs(green.image[inside].astype(int) - white.image[inside])) <= 1, "all but the edge"


def test_a_folder_without_images_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder, words in ((tmp_path / "none", "is not a folder"), (tmp_path / "empty", "holds no image")):
        chosen = settings.load(None, {"count": 1, "pose_set": "l2", "backgrounds": str(folder)})
        with pytest.raises(SettingsError, match=f"backgrounds: .*{words}"):
            run.render(chosen, tmp_path / "out", 1, lambda done, total: None)
    assert not (tmp_path / "out").exists()
    with pytest.raises(SettingsError, match="backgrounds is a folder of images, not 3"):
        settings.load(None, {"backgrounds": 3})


def arm_points(one, side):
    """Points along the axes of the arm's bones, (N, 3), and how thick it is there, metres."""
    heads, tails = one.capsules
    fraction = np.linspace(0, 1, 15)[:, None, None]
    points = (heads + (tails - heads) * fraction).reshape(-1, 3)
    girth = (BONES.radii[:, 0] + (BONES.radii[:, 1] - BONES.radii[:, 0]) * fraction[..., 0]).reshape(-1)
    return points * ([-1, 1, 1] if side == "left" else [1, 1, 1]), girth


def test_a_band_is_a_short_sleeve_that_stands_off_the_skin():
    around = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    levels = np.linspace(-0.25, 0.05, 60)
    arm = np.array([[0.02 * np.cos(a), 0.015 * np.sin(a), z] for z in levels for a in around])
    vertices, faces = sleeve.tube(arm, -0.03, 0.002, sleeve.draw_folds(np.random.default_rng(0), even=True), end=-0.05)
    assert vertices[:, 2].min() == pytest.approx(-0.05) and vertices[:, 2].max() == pytest.approx(-0.03)
    assert faces.min() == 0 and faces.max() == len(vertices) - 1
    band = vertices[48:]  # the first ring is the inner side
    off = np.hypot(band[:, 0] / 0.02, band[:, 1] / 0.015)
    assert (off > 1.05).all() and (off < 1.2).all()


@pytest.mark.parametrize("values", [{"framing": "close"}, {"scene": "plain"}])
def test_a_second_hand_is_of_the_other_side_and_touches_nothing(values):
    two = replace(ROOM, num_hands=2, resolution=(320, 240), **values)
    found = 0
    for frame, side in zip(range(12), ["right", "left"] * 6, strict=True):
        camera, first = draw_framing(two, frame, POSE, BONES, STRAIGHT)
        other = second_hand.draw_second_hand(two, frame, camera, first, side, STRAIGHT_BOTH)
        if other is None:
            continue
        found += 1
        assert {side, other.side} == {"left", "right"}
        assert (abs(other.posed.pose - pose.bind()) > 0).any() and not (other.posed.pose[8:] == first.pose[8:]).all()
        (one, girth), (two_, _) = arm_points(first, side), arm_points(other.posed, other.side)
        if two.scene == "plain":
            one, two_ = camera.project(one)[:, :2], camera.project(two_)[:, :2]
            girth = np.full(len(girth), 4.0)
        assert (np.linalg.norm(one[:, None] - two_[None], axis=-1) > girth[:, None] + 0).all()
        again = second_hand.draw_second_hand(two, frame, camera, first, side, STRAIGHT_BOTH)
        assert (again.posed.pose == other.posed.pose).all()
    assert found >= 6
    assert second_hand.draw_second_hand(replace(two, num_hands=1), 0, camera, first, "right", STRAIGHT_BOTH) is None


def test_the_hands_of_one_person_often_work_together():
    two, apart = replace(ROOM, num_hands=2, resolution=(320, 240)), []
    for frame, one in enumerate(pose_sets.poses("l11")[::521][:60]):
        camera, first = draw_framing(two, frame, one, BONES, STRAIGHT)
        if other := second_hand.draw_second_hand(two, frame, camera, first, "right", STRAIGHT_BOTH):
            centers = [posed.keypoints.mean(axis=0) for posed in (first, other.posed)]
            apart.append(np.linalg.norm((centers[0] - centers[1] * [-1, 1, 1])[[0, 2]]))
    assert len(apart) > 50
    # Two Gaussians of 0.07 m leave 77 % within 0.12 m, of 39 % of the images; few of the others are that near.
    assert 0.2 < np.mean(np.array(apart) < 0.12) < 0.5


def test_hands_are_one_two_or_varied():
    for wrong in (3, 0, True, "many", 1.0):
        with pytest.raises(SettingsError, match="num_hands is 1 or 2 or random, not"):
            settings.load(None, {"num_hands": wrong})
    assert settings.load(None, {"num_hands": "random"}).num_hands == "random"


@pytest.mark.parametrize("scene", ["indoor", "plain"])
def test_two_hands_are_two_instances_of_one_image(masks, scene):
    for frame in range(10):
        camera, first = draw_framing(replace(ROOM, scene=scene), frame, POSE, BONES, STRAIGHT)
        if other := second_hand.draw_second_hand(
            replace(ROOM, scene=scene, num_hands=2), frame, camera, first, "right", STRAIGHT_BOTH
        ):
            break
    alone, both = (masks(frame, scene=scene, num_hands=number) for number in (1, 2))
    (only,), (one, two) = alone.instances, both.instances
    assert (one.side, two.side) == ("right", "left")
    assert not (one.mask & two.mask).any() and two.mask.any()
    same = (one.mask & only.mask).sum() / only.mask.sum()
    assert same > (0.99 if scene == "plain" else 0.5), "a hand before another may hide some of it"
    mirrored = other.posed.keypoints * [-1, 1, 1]
    expected = camera.project(mirrored)[:, :2]
    seen = two.keypoints[:, 2] > 0
    assert np.abs(two.keypoints[seen, :2] - expected[seen]).max() < 0.01
    assert both.meta["second"]["side"] == "left" and "second" not in alone.meta


def test_the_record_of_a_crowd_says_where_the_camera_is_and_how_each_hand_looks():
    from generator.blender.frame_renderer import FrameRenderer

    studio = FrameRenderer(replace(ROOM, crowd=1.0, skin_tone="random"))
    frame = studio._pose(next(spec for n in range(9) if len((spec := studio._draw(n, POSE)).hands) > 2))
    meta, hands = studio._meta(frame), frame.spec.hands
    assert meta["distance"] == frame.spec.camera.distance != ROOM.distance
    noted = [(one["side"], one["tone"], one["age"]) for one in (meta, *meta["others"])]
    assert noted == [(one.side, round(one.look.tone, 4), round(one.look.skin.age, 4)) for one in hands]


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.9])
def test_a_bent_arm_is_as_long_and_as_thick_as_a_straight_one(angle):
    bent = Elbow(angle, 0.7)
    axis = np.column_stack([np.zeros((91, 2)), -np.linspace(0, 0.45, 91)])
    moved = bent.bend(axis)
    assert np.linalg.norm(np.diff(moved, axis=0), axis=1) == pytest.approx(np.full(90, 0.005), rel=2e-3)
    assert moved[:42] == pytest.approx(axis[:42]), "the forearm stays"
    upper = moved[-1] - moved[-10]
    assert np.arccos(-upper[2] / np.linalg.norm(upper)) == pytest.approx(angle, abs=1e-6)
    assert np.arctan2(upper[1], upper[0]) == pytest.approx(0.7) or angle == 0
    for around in ([0.03, 0, 0], [0, 0.03, 0]):
        assert np.linalg.norm(bent.bend(axis + around) - moved, axis=1) == pytest.approx(np.full(91, 0.03))


def test_bent_arms_leave_the_image_too_and_the_hand_stays(masks):
    varied = replace(ROOM, elbow="random", framing="close")
    some = pose_sets.poses("l11")[::1321]
    outside = []
    for i, one in enumerate(some):
        bent = draw_elbow(varied, i)
        camera, moved = draw_framing(varied, i, one, BONES, bent)
        x, y, depth = camera.project(arm_end(moved, bent))
        outside.append(depth > 0.1 and not (0 < x < 160 and 0 < y < 120))
    assert np.mean(outside) > 0.9
    angles = [draw_elbow(varied, i).angle for i in range(300)]
    assert 0.5 < np.mean(np.array(angles) > 0) < 0.7 and max(angles) < 2
    assert draw_elbow(ROOM, 0).angle == 0
    frame = next(i for i in range(100) if angles[i] > 1)
    straight, bent = (masks(frame, elbow=word, mask="both") for word in ("straight", "random"))
    one, other = straight.instances[0].mask, bent.instances[0].mask
    assert (one & other).sum() / (one | other).sum() > 0.95
    assert (straight.instances[1].mask != bent.instances[1].mask).mean() > 0.01
    assert draw_elbow(replace(varied, scene="plain"), frame).angle == 0


def test_a_camera_blurs_and_adds_noise_before_white_too(masks):
    clean, taken, again = (masks(1, scene="plain", sensor=word) for word in ("clean", "random", "random"))
    assert (taken.image == again.image).all() and (taken.image != clean.image).any()
    assert np.abs(taken.image.astype(int) - clean.image).mean() < 12
    assert (taken.instances[0].mask == clean.instances[0].mask).all()


def test_contrast_draws_values_apart_from_the_median_and_keeps_black_and_white():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert (camera_effects.contrasted(ramp, 0.0) == ramp).all()
    strong = camera_effects.contrasted(ramp, 1.0)[0, :, 0].astype(int)
    assert (strong[0], strong[255]) == (0, 255) and abs(strong[127] - 127) <= 1
    assert strong[140] - strong[114] == pytest.approx(2 * (140 - 114), rel=0.15)
    assert (np.diff(strong) >= 0).all()


def test_some_hands_indoors_are_childrens_with_childrens_skin_and_none_before_plain_white():
    indoors = replace(ROOM, shape="random", adornments="random", elbow="straight")
    drawn = [frame_spec.draw_frame(indoors, number, POSE).hands[0] for number in range(300)]
    young = [one for one in drawn if one.look.shape.of_child]
    assert len(young) / len(drawn) == pytest.approx(0.08, abs=0.05)
    assert all(one.look.skin.age <= 0.1 and not one.look.rings for one in young)
    assert len({one.look.shape for one in young}) == 4
    plain = replace(indoors, scene="plain")
    assert not any(draw_frame_look(plain, number).shape >= SHAPES for number in range(300))
