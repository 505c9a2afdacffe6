"""Depth, normals, parts and joints in space: against a ball and a plane, then through a whole run."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from generator.cli import main
from generator.frame import gbuffer
from generator.frame.settings import RenderSettings, SettingsError, load
from generator.hand import pose, pose_sets
from generator.hand.anatomy import BONES
from generator.hand.camera import Camera
from handforge import dataset
from handforge.dataset import PARTS, Dataset, DatasetError, Instance, Sample, check_image
from handforge.dataset.ground_truth_maps import check_map, encode_map

CAMERA = Camera(160, 90, 1.0, 45.0)


def ball(radius, rings=96):
    """Vertices, outward normals and faces of a ball around the scene's origin."""
    polar, around = np.meshgrid(np.linspace(0, np.pi, rings + 1), np.arange(2 * rings) * np.pi / rings, indexing="ij")
    normals = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], -1)
    index = np.arange(polar.size).reshape(polar.shape)
    a, b = index[:-1], index[1:]
    faces = [np.stack([a, b, np.roll(b, -1, 1)], -1), np.stack([a, np.roll(b, -1, 1), np.roll(a, -1, 1)], -1)]
    return radius * normals.reshape(-1, 3), normals.reshape(-1, 3), np.concatenate([f.reshape(-1, 3) for f in faces])


def lines_of_sight(camera):
    """Through the middle of each pixel, (H, W, 3), camera axes, one metre deep."""
    rows, columns = np.indices((camera.height, camera.width)) + 0.5
    return np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(camera.matrix).T


def sphere_truth(camera, radius):
    """Depth (H, W), NaN beside the ball, and normals (H, W, 3), by solving the quadratic."""
    sight = lines_of_sight(camera)
    squared = (sight**2).sum(-1)
    with np.errstate(invalid="ignore"):
        depth = (camera.distance - np.sqrt(camera.distance**2 - squared * (camera.distance**2 - radius**2))) / squared
    return depth, (sight * depth[..., None] - [0, 0, camera.distance]) / radius


@pytest.mark.parametrize("chunk", [gbuffer.CHUNK, 500])
def test_depth_and_normals_of_a_ball_are_those_of_geometry(chunk, monkeypatch):
    monkeypatch.setattr(gbuffer, "CHUNK", chunk)
    vertices, normals, faces = ball(0.1)
    depth, direction = sphere_truth(CAMERA, 0.1)
    covered = ~np.isnan(depth)
    parts = np.tile(np.eye(len(PARTS))[0], (len(vertices), 1))
    found = gbuffer.measure(vertices, normals, faces, parts, CAMERA, covered, covered)
    inner = covered & (direction[..., 2] < -0.3)  # at the rim a mesh is not a ball
    assert np.abs(found["depth"] - depth)[inner].max() < 2e-4
    assert np.abs(found["normals"] - direction)[inner].max() < 0.02
    assert np.linalg.norm(found["normals"][covered], axis=-1) == pytest.approx(1, abs=1e-6)
    assert ((found["normals"] * lines_of_sight(CAMERA)).sum(-1)[covered] <= 1e-6).all(), "they look at the camera"
    assert (found["parts"] == covered).all()
    assert (found["depth"][~covered] == 0).all() and (found["normals"][~covered] == 0).all()


def test_depth_across_a_slanted_triangle_is_perspective_and_the_nearer_one_is_seen():
    vertices = np.array(
        [[-0.3, -0.4, -0.2], [0.3, 0.6, -0.2], [0.0, 0.1, 0.2], [-1, 0.2, -1], [1, 0.2, -1], [0, 0.2, 1]]
    )
    normals = np.tile([0.0, -1.0, 0.0], (6, 1))
    faces = np.array([[0, 1, 2], [3, 4, 5]])
    covered = np.ones((90, 160), bool)
    parts = np.repeat(np.eye(len(PARTS))[[1, 2]], 3, axis=0)
    found = gbuffer.measure(vertices, normals, faces, parts, CAMERA, covered, covered)
    a, b, c = CAMERA.to_camera(vertices[:3])
    plane = np.cross(b - a, c - a)
    sight = lines_of_sight(CAMERA)
    first = found["parts"] == 1 + PARTS.index("thumb")
    assert first.sum() > 300
    expected = (plane @ a) / (sight @ plane)
    assert found["depth"][first] == pytest.approx(expected[first], abs=1e-6)
    assert (found["depth"][first] < 1.2).all(), "where the wall at 1.2 m is nearer it is seen instead"
    assert found["depth"][45, 10] == pytest.approx(1.2) and found["parts"][45, 10] == 1 + PARTS.index("index")


def test_a_pixel_covered_by_its_edge_has_the_values_of_its_neighbour():
    vertices, normals, faces = ball(0.1)
    depth, _ = sphere_truth(CAMERA, 0.1)
    covered = ~np.isnan(depth)
    wider = covered | np.roll(covered, 2, axis=1)
    parts = np.tile(np.eye(len(PARTS))[0], (len(vertices), 1))
    found = gbuffer.measure(vertices, normals, faces, parts, CAMERA, wider, wider)
    assert (found["depth"][wider] > 0.8).all() and (found["parts"] == wider).all()


def test_what_is_behind_the_camera_or_not_there_has_no_truth():
    vertices, normals, faces = ball(0.1)
    covered = np.ones((90, 160), bool)
    parts = np.ones((len(vertices), len(PARTS)))
    behind = gbuffer.measure(vertices - [0, 3, 0], normals, faces, parts, CAMERA, covered, covered)
    nowhere = gbuffer.measure(vertices, normals, faces, parts, CAMERA, ~covered, ~covered)
    assert not any(values.any() for values in (*behind.values(), *nowhere.values()))


def test_fingers_begin_at_their_first_phalanx():
    of = dict(zip(BONES, gbuffer.parts_of(np.eye(len(BONES))).argmax(axis=1), strict=True))
    for bone, part in (
        *(("forearm", "forearm"), ("hand", "palm"), ("thumb_metacarpal", "palm"), ("index_metacarpal", "palm")),
        *(("thumb_proximal", "thumb"), ("little_distal", "little"), ("ring_middle", "ring")),
    ):
        assert PARTS[of[bone]] == part


def one_frame(tmp_path):
    """A dataset of one ball as a hand, with all truths."""
    vertices, normals, faces = ball(0.1)
    covered = ~np.isnan(sphere_truth(CAMERA, 0.1)[0])
    parts = np.tile(np.eye(len(PARTS))[3], (len(vertices), 1))
    truths = gbuffer.measure(vertices, normals, faces, parts, CAMERA, covered, covered)
    solid = CAMERA.to_camera(np.random.default_rng(0).uniform(-0.1, 0.1, (21, 3)))
    flat = np.concatenate([(solid @ CAMERA.matrix.T)[:, :2] / solid[:, 2:], np.full((21, 1), 2)], axis=1)
    instance = Instance(covered, flat, keypoints_3d=solid)
    pixels = np.where(covered[..., None], 90, 255).astype(np.uint8).repeat(3, axis=2)
    frame = Sample("one", pixels, (instance,), {"camera": CAMERA.matrix.tolist()}, truths)
    for name in ("images", "masks", *dataset.GROUND_TRUTH_MAPS):
        (tmp_path / "set" / name).mkdir(parents=True)
    dataset.assemble(tmp_path / "set", [dataset.write_sample(tmp_path / "set", frame)], {})
    return tmp_path / "set", truths


def test_truths_are_written_and_read_back(tmp_path):
    folder, truths = one_frame(tmp_path)
    data = Dataset(folder)
    (image,) = data
    assert check_image(data, image) == [] and data.ground_truth_maps(image) == dataset.GROUND_TRUTH_MAPS
    assert data.ground_truth_map(image, "depth") == pytest.approx(truths["depth"], abs=1.01e-4)
    assert data.ground_truth_map(image, "normals") == pytest.approx(truths["normals"], abs=0.005)
    assert (data.ground_truth_map(image, "parts") == truths["parts"]).all()
    assert all(data.ground_truth_map(image, name).flags.writeable for name in truths)
    dataset.copy_subset(data, [image], tmp_path / "part")
    part = Dataset(tmp_path / "part")
    assert check_image(part, part.images[0]) == [] and (tmp_path / "part" / "depth" / "one.png").exists()


def test_check_names_what_is_wrong_with_truths(tmp_path):
    folder, truths = one_frame(tmp_path)

    def problems():
        data = Dataset(folder)
        return " / ".join(check_image(data, data.images[0]))

    def store(name, values):
        (folder / name / "one.png").write_bytes(dataset.encode_image(values, "png"))

    store("parts", np.where(truths["parts"] > 0, 9, 0).astype(np.uint8))
    store("normals", np.where(truths["parts"][..., None] > 0, np.uint8([128, 128, 255]), 0).astype(np.uint8))
    store("depth", np.zeros((90, 160), np.uint16))
    for words in ("has a part 9; there are 7", "normals that look away", "depth/one.png and the masks differ in"):
        assert words in problems()
    store("normals", np.where(truths["parts"][..., None] > 0, np.uint8([128, 128, 6]), 0).astype(np.uint8))
    assert "has a normal of length 0.95" in problems()
    store("depth", np.zeros((90, 160), np.uint8))
    assert "does not hold depth" in problems()
    (folder / "depth" / "one.png").unlink()
    assert "depth/one.png is missing" in problems()
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    for step, said in ((0.15, False), (0.15, True)):
        content["annotations"][0]["keypoints"][0] += step
        path.write_text(json.dumps(content))
        assert ("annotation 1: keypoints_3d fall 0.3 pixels beside the keypoints" in problems()) == said


def test_which_way_a_normal_looks_is_told_along_its_pixels_line_of_sight(tmp_path):
    """At the left edge of a wide lens, 56 degrees off the axis, a normal may point away from the image's plane."""
    camera, pixel = [[50, 0, 80], [0, 50, 45], [0, 0, 1]], (45, 5)
    covered = np.zeros((90, 160), bool)
    covered[pixel] = True
    for normal, wrong in (((0.8, 0, 0.6), []), ((-0.8, 0, 0.6), [" has 1 normals that look away from the camera"])):
        values = np.where(covered[..., None], normal, 0)
        (tmp_path / "one.png").write_bytes(encode_map("normals", values))
        found = check_map(tmp_path / "one.png", "normals", covered, {"camera": camera})
        assert [problem.partition("one.png")[2] for problem in found] == wrong


@pytest.mark.parametrize("words", ["deep", "depth,deep", "depth,depth", "", "none,depth", 3])
def test_unknown_truths_are_named(words):
    with pytest.raises(SettingsError, match=r"truth is none or some of depth,normals,parts,keypoints3d with commas"):
        load(None, {"ground_truth": words})


@pytest.mark.usefixtures("in_process")
def test_a_run_with_all_truths_passes_its_check_and_leaves_images_as_they_are(tmp_path):
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    rotated = [pose.with_angles(forearm_x=10 * i, forearm_z=90 * i, index_pip_flexion=40) for i in range(4)]
    poses = pose_sets.PoseSet(("few",) * 4, np.arange(4), np.array(rotated))
    (tmp_path / "few.csv").write_bytes(pose_sets.dump(poses))
    call = ["render", "--set", tmp_path / "few.csv", "--resolution", "320x180", "--mask", "both", "--workers", 1]
    for name, more in (("plain", []), ("rich", ["--ground-truth", "depth,normals,parts,keypoints3d", "--workers", 1])):
        done = CliRunner().invoke(main, [str(word) for word in (*call, *more, "--out", tmp_path / name)])
        assert done.exit_code == 0, done.output
    plain, rich = Dataset(tmp_path / "plain"), Dataset(tmp_path / "rich")
    assert CliRunner().invoke(main, ["check", str(rich.folder)]).exit_code == 0
    assert sorted(p.name for p in plain.folder.iterdir()) == [
        *("annotations.json", "dataset.json", "images", "masks", "preview.jpg")
    ]
    for image in rich:
        for file in (f"images/{image['file_name']}", f"masks/{image['file_name']}"):
            assert (plain.folder / file).read_bytes() == (rich.folder / file).read_bytes()
        hand, arm = rich.masks(image)
        parts = rich.ground_truth_map(image, "parts")
        assert ((parts >= 1) & (parts <= 6) == hand).all() and ((parts == 7) == (arm & ~hand)).all()
        annotation = rich.annotations(image)[0]
        points = np.reshape(annotation["keypoints"], (21, 3))
        depth = rich.ground_truth_map(image, "depth")
        for (x, y, seen), (_, _, away) in zip(points, np.reshape(annotation["keypoints_3d"], (21, 3)), strict=True):
            if seen == 2 and arm[int(y), int(x)]:
                assert -0.002 < away - depth[int(y), int(x)] < 0.04, "a visible joint lies right under the skin"


def test_asking_for_truths_changes_no_other_setting():
    assert (
        replace(RenderSettings(), ground_truth="depth").ground_truth_kinds == ("depth",)
        and RenderSettings().ground_truth_kinds == ()
    )


def test_what_is_too_far_for_16_bits_is_refused():
    assert encode_map("depth", np.full((2, 2), 65535 / 5000))
    with pytest.raises(DatasetError, match=r"a depth of 13\.1 m does not fit 16 bits; lower focal_mm or distance"):
        encode_map("depth", np.full((2, 2), 65535.6 / 5000))
