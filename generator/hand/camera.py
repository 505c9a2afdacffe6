"""The camera, a pinhole or a fisheye lens: where a point of the scene falls in the image.

Scene axes as in :mod:`generator.hand.pose`: +X right, +Z up in the image, the camera looks along +Y. Image axes:
x to the right, y downwards, the origin in the upper left corner of the upper left pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SENSOR_MM = 36.0
"""Width of the sensor that focal lengths refer to (35 mm film, Blender's default)."""


@dataclass(frozen=True)
class Camera:
    """A camera in front of the hand, at (0, -distance, 0).

    :param width: image width in pixels.
    :param height: image height in pixels.
    :param distance: metres from the scene's origin (the wrist of an untranslated pose).
    :param focal_mm: focal length for a sensor 36 mm wide. With the defaults the image shows 0.80 x 0.45 m at the
        wrist, so that a hand that turns about its wrist stays inside and takes about 40 % of the height.
    :param fisheye: whether the lens is an equidistant fisheye: a point falls as far from the image's centre as its
        direction's angle to the axis, in radians, times the focal length.
    """

    width: int = 1280
    height: int = 720
    distance: float = 1.0
    focal_mm: float = 45.0
    fisheye: bool = False

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.focal_mm) <= 0 or self.distance < 0:
            raise ValueError("width, height and focal_mm are above 0, distance is not below")

    @property
    def matrix(self) -> np.ndarray:
        """The 3x3 intrinsic matrix, pixels."""
        focal_px = self.focal_mm / SENSOR_MM * self.width
        return np.array([[focal_px, 0.0, self.width / 2], [0.0, focal_px, self.height / 2], [0.0, 0.0, 1.0]])

    @property
    def position(self) -> np.ndarray:
        """Where it is in the scene, (3,) metres."""
        return np.array([0.0, -self.distance, 0.0])

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Scene points (..., 3) in metres as x right, y down, z away from the camera."""
        points = np.asarray(points, float)
        return np.stack([points[..., 0], -points[..., 2], points[..., 1] + self.distance], axis=-1)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Where scene points (..., 3) fall: (..., 3) of x, y in pixels and the depth in metres along the axis.

        A point behind the camera has a depth of zero or less and no meaningful x, y.
        """
        seen = self.to_camera(points)
        depth = seen[..., 2:]
        before = depth > 1e-9
        flat = self.pixels(np.where(before, seen, [0.0, 0.0, 1.0]))
        return np.concatenate([flat, depth], axis=-1)

    def pixels(self, seen: np.ndarray) -> np.ndarray:
        """Where points (..., 3) in camera axes before the camera fall: (..., 2) of x, y in pixels."""
        across, depth = seen[..., :2], seen[..., 2:]
        slope = across / depth
        if self.fisheye:
            steep = np.linalg.norm(slope, axis=-1, keepdims=True)
            slope = slope * np.arctan(steep) / np.maximum(steep, 1e-12)
        return np.asarray(slope * self.matrix[0, 0] + np.array([self.width / 2, self.height / 2]))
