"""The mesh: closed, true to the implicit skin, human in size, and still a hand when it bends."""

from dataclasses import fields

import numpy as np
import pytest

from generator.hand import pose
from generator.hand.anatomy import BONES, HandShape, skeleton
from generator.hand.kinematics import transforms
from generator.mesh import hand_mesh
from generator.mesh.sdf import HALF_BREADTH, Skin
from generator.mesh.skin_color import TONES, colors
from generator.mesh.skin_weights import edges
from generator.mesh.skinning import skin


@pytest.fixture(scope="module")
def mesh():
    return hand_mesh.build()


def volume(vertices, faces):
    a, b, c = (vertices[faces[:, i]].astype(float) for i in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6


def posed(mesh, **degrees):
    return skin(mesh.vertices.astype(float), mesh.weights, transforms(pose.with_angles(**degrees), skeleton()))


def section(vertices, faces, origin, normal):
    """Points where the mesh's edges cross a plane."""
    pairs = edges(faces)
    height = (vertices - origin) @ normal
    a, b = pairs[height[pairs[:, 0]] * height[pairs[:, 1]] < 0].T
    fraction = (height[a] / (height[a] - height[b]))[:, None]
    return vertices[a] + fraction * (vertices[b] - vertices[a])


def test_the_mesh_is_one_closed_surface_seen_from_outside(mesh):
    directed = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    forward = {tuple(edge) for edge in directed.tolist()}
    assert len(forward) == len(directed), "an edge is used twice in the same direction"
    assert all((b, a) in forward for a, b in forward), "the surface has a border"
    assert len(mesh.vertices) - len(edges(mesh.faces)) + len(mesh.faces) == 2  # Euler: a sphere with no handle
    assert volume(mesh.vertices, mesh.faces) > 0
    assert 5_000 <= len(mesh.vertices) <= 15_000


def test_it_lies_on_the_implicit_skin_and_does_not_fold(mesh):
    function, points = Skin(), mesh.vertices.astype(float) * 1000
    assert np.abs(function(points)).max() < 0.5  # creases and nails are so deep and high
    a, b, c = (points[mesh.faces[:, i]] for i in range(3))
    normals, centers = np.cross(b - a, c - a), (a + b + c) / 3
    assert ((normals * function.gradient(centers, function(centers))).sum(axis=1) > 0).mean() > 0.9995


def crossings(vertices, faces):
    """How many pairs of triangles cut each other."""
    tree = pytest.importorskip("mathutils.bvhtree").BVHTree.FromPolygons(vertices.tolist(), faces.tolist())
    return len(tree.overlap(tree))


def test_no_part_of_it_cuts_another_in_the_bind_pose(mesh):
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    for shape in (HandShape(), HandShape.random(np.random.default_rng(1)), HandShape(0.9, 1.2, 1.2, 0.9, 1.2)):
        assert crossings(hand_mesh.build(shape).vertices, mesh.faces) == 0
    crossed = posed(mesh, index_mcp_abduction=-20, middle_mcp_abduction=20)
    assert crossings(crossed, mesh.faces) > 100


@pytest.mark.parametrize(
    ("height", "breadth", "depth"),
    [
        (0.0, (0.050, 0.064), (0.034, 0.046)),
        (0.072, (0.071, 0.090), (0.024, 0.036)),
        (-0.25, (0.075, 0.1), (0.065, 0.09)),
    ],
    ids=["wrist", "palm", "elbow"],
)
def test_sections_have_human_size(mesh, height, breadth, depth):
    points = section(mesh.vertices.astype(float), mesh.faces, np.array([0, 0, height]), np.array([0, 0, 1.0]))
    points = points[points[:, 0] < 0.045]  # without the thumb
    wide, deep = np.ptp(points[:, 0]), np.ptp(points[:, 1])
    assert breadth[0] < wide < breadth[1] and depth[0] < deep < depth[1]


def test_girths_are_those_of_a_published_survey(mesh):
    # ANSUR II, men and women; the fingers' girth is chosen by eye
    wrist = section(mesh.vertices, mesh.faces, np.array([0, 0, -0.005]), np.array([0, 0, 1.0]))[:, :2]
    rotated = np.unwrap(np.arctan2(*(wrist - wrist.mean(axis=0)).T))
    ring = wrist[np.argsort(rotated)]
    assert np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1).sum() == pytest.approx(0.169, rel=0.05)
    thumb = mesh.weights[:, [bone.startswith("thumb") for bone in BONES]].sum(axis=1)
    knuckles = mesh.vertices[(thumb < 0.1) & (mesh.vertices[:, 2] > 0.065) & (mesh.vertices[:, 2] < 0.092)]
    assert np.ptp(knuckles[:, 0]) == pytest.approx(0.085, rel=0.05)
    bones, index = skeleton(), BONES.index("index_middle")
    near = mesh.weights[:, [bone.startswith("index") for bone in BONES]].sum(axis=1) > 0.5
    faces = mesh.faces[near[mesh.faces].all(axis=1)]
    joint = section(mesh.vertices, faces, bones.heads[index], bones.frames[index][:, 2]) @ bones.frames[index]
    assert np.ptp(joint, axis=0)[:2] == pytest.approx([0.0192, 0.0172], rel=0.04)


def test_fingers_are_as_broad_as_their_table(mesh):
    for finger, half in HALF_BREADTH.items():
        bone = BONES.index(f"{finger}_proximal")
        frame, joint = skeleton().frames[bone], skeleton().tails[bone]
        points = section(mesh.vertices.astype(float), mesh.faces, joint, frame[:, 2])
        near = points[np.linalg.norm(points - joint, axis=1) < 0.0125]
        assert np.ptp(near @ frame[:, 0]) * 1000 == pytest.approx(2 * half, rel=0.12)


def test_weights_are_weights(mesh):
    assert np.allclose(mesh.weights.sum(axis=1), 1, atol=1e-5)
    assert (mesh.weights >= 0).all() and (mesh.weights > 0).sum(axis=1).max() <= 4


def test_a_finger_does_not_drag_its_neighbours(mesh):
    for finger in ("little", "ring", "middle", "index"):
        other = [n for n in pose.FINGERS if n != finger]
        own = mesh.weights[:, [BONES.index(f"{finger}_{p}") for p in ("middle", "distal")]].sum(axis=1)
        theirs = mesh.weights[:, [i for i, b in enumerate(BONES) if b.split("_")[0] in other and "meta" not in b]]
        assert theirs[own > 0.5].max() < 1e-6


@pytest.mark.parametrize("joint", ["index_pip_flexion", "ring_dip_flexion", "middle_mcp_flexion", "thumb_ip_flexion"])
def test_a_joint_bent_to_ninety_degrees_keeps_its_volume(mesh, joint):
    limit = np.degrees(pose.LIMITS[pose.NAMES.index(joint), 1])
    bent = posed(mesh, **{joint: min(90, limit)})
    lost = volume(mesh.vertices, mesh.faces) - volume(bent, mesh.faces)
    assert abs(lost) < 2.5e-6  # m3, a tenth of a finger


def test_the_knuckle_does_not_collapse(mesh):
    # The section that halves the bent PIP joint is at least as thick as 80 % of the straight finger's.
    bone = BONES.index("middle_middle")
    bones = skeleton()
    joint, frame = bones.heads[bone], bones.frames[bone]
    bent = posed(mesh, middle_pip_flexion=90)
    halving = frame @ np.array([0, np.sin(np.pi / 4), np.cos(np.pi / 4)])
    points = section(bent, mesh.faces, joint, halving)
    points = points[np.linalg.norm(points - joint, axis=1) < 0.016]
    across = frame @ np.array([0, np.cos(np.pi / 4), -np.sin(np.pi / 4)])
    assert np.ptp(points @ frame[:, 0]) > 0.8 * 2 * HALF_BREADTH["middle"] / 1000
    assert (points @ across).max() - joint @ across > 0.006


def test_the_wrist_divides_hand_from_forearm(mesh):
    assert np.array_equal(mesh.wrist_distance > 0, mesh.vertices[:, 2] > 0)
    assert mesh.vertices[:, 2].min() < -0.40


def test_shapes_share_faces_and_weights_and_follow_their_skeleton(mesh):
    shape = HandShape.random(np.random.default_rng(4))
    other = hand_mesh.build(shape)
    assert np.array_equal(other.faces, mesh.faces) and np.array_equal(other.weights, mesh.weights)
    assert volume(other.vertices, other.faces) > 0
    tip = skeleton(shape).tails[BONES.index("middle_distal")]
    assert np.linalg.norm(other.vertices - tip, axis=1).min() < 0.003
    assert np.allclose(hand_mesh.build(HandShape()).vertices, mesh.vertices, atol=1e-6)


def test_marks_lie_where_they_belong(mesh):
    for item in fields(mesh)[4:]:
        values = getattr(mesh, item.name)
        assert values.shape == (len(mesh.vertices),) and values.min() >= 0 and values.max() <= 1
    bones = skeleton()
    for finger in pose.FINGERS:
        bone = BONES.index(f"{finger}_distal")
        nail = mesh.vertices[(mesh.nail > 0.5) & (mesh.weights[:, bone] > 0.5)] - bones.heads[bone]
        assert len(nail) > 8 and ((nail @ bones.frames[bone])[:, 1] > 0).all()
    palm = (mesh.palm > 0.5) & (mesh.vertices[:, 2] > 0.03) & (mesh.vertices[:, 2] < 0.08)
    assert mesh.vertices[palm, 1].mean() < -0.01 and palm.sum() > 300


def test_skin_is_lighter_in_the_palm_and_darker_in_creases(mesh):
    for tone in (0.0, 0.5, 1.0):
        color = colors(mesh, tone)
        assert color.shape == (len(mesh.vertices), 3) and color.dtype == np.float32
        assert color.min() > 0 and color.max() < 1
        plain = (mesh.crease < 0.05) & (mesh.nail == 0)
        assert color[plain & (mesh.palm > 0.9)].mean() > color[plain & (mesh.palm < 0.1)].mean()
        assert color[mesh.crease > 0.6].mean() < 0.9 * color[plain & (mesh.palm > 0.9)].mean()
    assert (np.diff(TONES.mean(axis=1)) < 0).all()


def test_a_tone_outside_the_range_is_refused(mesh):
    with pytest.raises(ValueError, match=r"the skin tone is 1\.5; it goes from 0 \(fairest\) to 1 \(darkest\)"):
        colors(mesh, 1.5)


def test_beyond_the_wrist_only_the_forearm_moves_the_skin(mesh):
    arm = mesh.wrist_distance < -0.04
    assert arm.sum() > 1000
    assert (mesh.weights[arm, BONES.index("forearm")] == 1).all()
