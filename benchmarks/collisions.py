"""How well the capsules of the self-collision rule stand for the real skin: recall and precision on a sample.

    python benchmarks/collisions.py [--poses 400] [--seed 0]

The truth is the mesh itself, skinned as Blender does: two parts of the hand collide where a point of one lies more
than ``plausibility.FLESH`` below the skin of the other. Half of the sample are poses of `l11`, half have every finger
angle drawn evenly from its joint's range, which makes hands that collide in every way there is.
"""

import argparse

import numpy as np
from scipy.spatial import cKDTree

from generator.hand import plausibility, pose, pose_sets, sweep
from generator.hand.anatomy import BONES, skeleton
from generator.hand.kinematics import transforms
from generator.mesh import hand_mesh
from generator.mesh.skinning import skin

WEB = 0.006
"""Points this near to another part in the bind pose belong to the web between the two and do not count, metres."""


def parts(mesh: hand_mesh.HandMesh) -> dict[str, np.ndarray]:
    """Vertices of each digit's moving part, and of the palm."""
    owner = np.array([bone.split("_") for bone in BONES if "_" in bone], dtype=object)
    names = np.array(["forearm_", "palm_palm", *(f"{d}_{p}" for d, p in owner)])
    heaviest = names[mesh.weights.argmax(axis=1)]
    result = {
        digit: np.array([n.startswith(digit) and "metacarpal" not in n for n in heaviest]) for digit in pose.FINGERS
    }
    result["palm"] = np.array([("metacarpal" in n or n == "palm_palm") and not n.startswith("thumb") for n in heaviest])
    return {name: np.flatnonzero(chosen) for name, chosen in result.items()}


def rim(mesh: hand_mesh.HandMesh, part: np.ndarray) -> np.ndarray:
    """(V,) bool: vertices of a part where it is cut off from the rest of the mesh, two rings of them."""
    inside = np.isin(np.arange(len(mesh.vertices)), part)
    for _ in range(2):
        mixed = mesh.faces[inside[mesh.faces].any(axis=1) & ~inside[mesh.faces].all(axis=1)]
        inside[mixed.ravel()] = False
    result = np.zeros(len(mesh.vertices), bool)
    result[part] = True
    return result & ~inside


def depth(vertices: np.ndarray, normals: np.ndarray, one: np.ndarray, other: np.ndarray, edge: np.ndarray) -> float:
    """How deep the deepest of the points ``one`` lies below the skin ``other``, metres; 0 if none does.

    A point whose nearest one of ``other`` is on its rim lies beyond where the part was cut off, not below its skin.
    """
    distance, nearest = cKDTree(vertices[other]).query(vertices[one], distance_upper_bound=0.02)
    near = np.isfinite(distance)
    below = other[nearest[near]]
    gap = -((vertices[one[near]] - vertices[below]) * normals[below]).sum(axis=1)
    return float(gap[(gap > 0.8 * distance[near]) & ~edge[below]].max(initial=0.0))


def true_depth(mesh: hand_mesh.HandMesh, one: np.ndarray, pairs: list[tuple[np.ndarray, ...]]) -> float:
    """The deepest collision of one pose, metres."""
    vertices = skin(mesh.vertices.astype(float), mesh.weights, transforms(one, skeleton()))
    normals = hand_mesh.vertex_normals(vertices, mesh.faces)
    return max(depth(vertices, normals, *pair) for pair in pairs)


def pairs_to_test(mesh: hand_mesh.HandMesh) -> list[tuple[np.ndarray, ...]]:
    """Points of one part against the skin of another, without the webs where two parts are grown together.

    Against the palm only points beyond a digit's first phalanx count: at its root a bent digit makes a crease.
    """
    chosen, vertices = parts(mesh), mesh.vertices.astype(float)
    outer = np.array([bone.endswith(("middle", "distal")) for bone in BONES])[mesh.weights.argmax(axis=1)]
    pairs: list[tuple[np.ndarray, ...]] = []
    for one in pose.FINGERS:
        for other in (*pose.FINGERS, "palm"):
            if one != other:
                distance, _ = cKDTree(vertices[chosen[other]]).query(vertices[chosen[one]])
                points = chosen[one][(distance > WEB) & (outer[chosen[one]] | (other != "palm"))]
                pairs.append((points, chosen[other], rim(mesh, chosen[other])))
    return pairs


def sample(count: int, rng: np.random.Generator) -> np.ndarray:
    """Half poses of l11, half random fingers within the joints' ranges, (count, 28), the forearm at rest."""
    some = pose_sets.poses("l11")[rng.choice(sweep.POSES, count // 2, replace=False)]
    low, high = pose.LIMITS.T
    wild = rng.uniform(low, high, (count - count // 2, pose.SIZE))
    poses = np.concatenate([some, wild])
    poses[:, :8] = 0
    return poses


def main() -> None:
    """Print recall and precision of the rule, for both halves of the sample."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--poses", type=int, default=400)
    words.add_argument("--seed", type=int, default=0)
    options = words.parse_args()
    mesh, poses = hand_mesh.build(), sample(options.poses, np.random.default_rng(options.seed))
    pairs = pairs_to_test(mesh)
    truth = np.array([true_depth(mesh, one, pairs) for one in poses]) > plausibility.FLESH
    said = plausibility.overlap(poses, skeleton()).max(axis=1) > plausibility.FLESH
    half = options.poses // 2
    for name, part in (("l11", slice(0, half)), ("random fingers", slice(half, None)), ("both", slice(None))):
        t, s = truth[part], said[part]
        both = int((t & s).sum())
        print(
            f"{name:15} {len(t)} poses, {t.sum()} collide, {s.sum()} dropped: "
            f"recall {both / max(int(t.sum()), 1):.2f}, precision {both / max(int(s.sum()), 1):.2f}"
        )


if __name__ == "__main__":
    main()
