"""The user's own objects: a folder of .glb and .obj files in metres, which are held and lie on tables.

Files are read by trimesh, which takes geometry from them and runs nothing. An object's axes are found from its shape:
Z along its longest extent, Y along its thinnest, the origin in its centre.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from generator.maths import transformed
from generator.objects import surfaces
from generator.objects.catalog import ObjectModel
from generator.objects.solids import Mesh, Part
from handforge.errors import HandforgeError
from handforge.files import digest, files_below
from handforge.parse import nothing_in

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

SUFFIXES = (".glb", ".obj")

EXTENT = 0.005, 3.0
"""Range of an object's longest extent, metres; what is outside was hardly made in metres."""

_SAMPLES = 30000
"""Points on a mesh that its distance is measured from."""

_BAND = 0.03
"""Farther from a mesh than this its distance need not be exact, metres."""

_TO_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""From the files' axes, Y up, to Blender's."""


class ObjectsError(HandforgeError):
    """A folder or file of objects that cannot be used; the text names it and what to do."""


@dataclass(frozen=True)
class MeshSolid:
    """A closed triangle mesh with a distance of first order near its surface.

    :param vertices: (V, 3), metres.
    :param faces: (F, 3) int32, counter-clockwise seen from outside.
    """

    vertices: np.ndarray
    faces: np.ndarray

    def mesh(self) -> Mesh:
        """Its surface."""
        return self.vertices, self.faces

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance of points (N, 3), (N,): to the nearest sample's plane; far away a lower bound."""
        tree, places, normals, spacing = self._samples
        apart, nearest = tree.query(points, distance_upper_bound=_BAND)
        near = np.isfinite(apart)
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        found = np.linalg.norm(np.maximum(np.maximum(low - points, points - high), 0), axis=1).clip(min=_BAND)
        offset = points[near] - places[nearest[near]]
        height = np.einsum("nk,nk->n", offset, normals[nearest[near]])
        found[near] = np.where(apart[near] < 2 * spacing, height, np.copysign(apart[near], height))
        return found

    @cached_property
    def _samples(self) -> tuple[cKDTree, np.ndarray, np.ndarray, float]:
        from scipy.spatial import cKDTree

        a, b, c = self.vertices[self.faces].transpose(1, 0, 2)
        cross = np.cross(b - a, c - a)
        area = np.linalg.norm(cross, axis=1) / 2
        rng = np.random.default_rng(0)
        of = rng.choice(len(area), _SAMPLES, p=area / area.sum())
        u, v = rng.random((2, _SAMPLES, 1))
        u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
        places = a[of] + u * (b - a)[of] + v * (c - a)[of]
        normals = cross[of] / (2 * area[of, None])
        return cKDTree(places), places, normals, float(np.sqrt(area.sum() / _SAMPLES))


@dataclass(frozen=True)
class OwnObject:
    """One file's object.

    :param model: in its own axes; its kind is the file's name.
    :param matrix: (4, 4), from Blender's axes of the file to the object's own.
    """

    path: Path
    model: ObjectModel
    matrix: np.ndarray


class OwnObjects:
    """The objects of a folder and of the folders in it, by kind, which is the file's path in it.

    :raises ObjectsError: if it is not a folder, holds none, or a file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ObjectsError(f"objects: {folder} is not a folder; name one that holds {' or '.join(SUFFIXES)} files")
        paths = files_below(folder, SUFFIXES)
        if not paths:
            raise ObjectsError(f"objects: {folder} holds no object ({', '.join(SUFFIXES)})")
        self._folder = folder
        self.by_kind = {kind: read(path, kind) for path in paths for kind in [path.relative_to(folder).as_posix()]}
        self.held = tuple(kind for kind, one in self.by_kind.items() if one.model.grasps)
        """The kinds that fit into a hand."""

    def digest(self) -> str:
        """SHA-256 of all names and contents, which tells this folder from one of other objects."""
        return digest(self._folder, [one.path for one in self.by_kind.values()])


_OPENED: dict[str, OwnObject] = {}
"""The objects of the folders that this process has opened, by kind."""

_folder = cache(OwnObjects)


def open_objects(folder: str | None) -> OwnObjects | None:
    """Open the folder of a run, so that :func:`find` knows its objects; None without one. Errors as
    :class:`OwnObjects`.
    """
    if folder is None:
        return None
    own = _folder(Path(folder))
    _OPENED.update(own.by_kind)
    return own


def find(kind: str) -> OwnObject:
    """The object of this kind in an opened folder.

    :raises ObjectsError: if there is none, as where a frame is rendered without its run's folder.
    """
    if kind not in _OPENED:
        raise ObjectsError(f"objects: there is no {kind}; give the folder that the frame was drawn with as --objects")
    return _OPENED[kind]


def is_own(kind: str) -> bool:
    """Whether a kind is a file's name and not a built-in one."""
    return kind.lower().endswith(SUFFIXES)


def read(path: Path, kind: str) -> OwnObject:
    """Read one object.

    :raises ObjectsError: if the file is empty or cannot be read, holds no surface, or is too small or large for metres.
    """
    import trimesh

    if said := nothing_in(path):
        raise ObjectsError(f"objects: {said}")
    try:
        mesh = trimesh.load_scene(path).to_mesh()
        vertices, faces = np.asarray(mesh.vertices, float) @ _TO_Z_UP.T, np.asarray(mesh.faces, np.int32)
    except (
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        NotImplementedError,
        struct.error,
    ) as e:
        raise ObjectsError(f"objects: {path} cannot be read ({type(e).__name__}: {e})") from None
    if not np.isfinite(vertices).all() or not mesh.area > 0:
        raise ObjectsError(f"objects: {path} holds no surface of triangles")
    longest = float(np.ptp(vertices, axis=0).max())
    if not EXTENT[0] <= longest <= EXTENT[1]:
        raise ObjectsError(
            f"objects: {path} is {longest:.4g} m long; objects are in metres, {EXTENT[0]} to {EXTENT[1]} m: scale it"
        )
    with np.errstate(invalid="ignore"):  # trimesh also divides by the volume, which a flat one has not
        inside_out = mesh.volume < 0
    if inside_out:
        faces = faces[:, ::-1]
    matrix = _own_axes(vertices)
    points = transformed(vertices, matrix)
    size = np.ptp(points, axis=0)
    model = ObjectModel(
        kind, (Part(MeshSolid(points, faces)),), (surfaces.GREY,), _grasps(size), flat=bool(size[1] < 0.4 * size[0])
    )
    return OwnObject(path, model, matrix)


def _own_axes(vertices: np.ndarray) -> np.ndarray:
    """The matrix (4, 4) to axes with Z along the largest spread of points, Y along the least, the origin mid-way."""
    spread = vertices - vertices.mean(axis=0)
    thin, _, long = np.linalg.eigh(spread.T @ spread)[1].T
    matrix = np.eye(4)
    matrix[:3, :3] = np.cross(thin, long), thin, long
    rotated = vertices @ matrix[:3, :3].T
    matrix[:3, 3] = -(rotated.min(axis=0) + rotated.max(axis=0)) / 2
    return matrix


def _grasps(size: np.ndarray) -> tuple[str, ...]:
    """The types of grasp that fit an object of this extent along its axes (3,), metres; none if it is too thick."""
    wide, thin, long = size
    if long < 0.12 and thin > 0.6 * long:
        return ("power sphere", "prismatic 4 finger") if 0.035 < wide < 0.1 else ("tripod",) if wide < 0.1 else ()
    if thin < 0.4 * wide:
        return ("parallel extension", *(("medium wrap",) if wide < 0.06 else ())) if thin < 0.05 else ()
    if wide < 0.02:
        return ("writing tripod", "tripod", "lateral")
    return ("medium wrap", "prismatic 4 finger") if wide < 0.09 else ()
