"""What the values of mask images mean: which pixels are hands, which hand, and which are to be ignored.

Tools write masks in many ways: black and white, grey levels of smoothed edges, ids (0 background, 1, 2, ... objects),
colours, transparency, and a value for what is to be ignored (255 beside small ids, as Pascal VOC's border). What a
folder of masks holds is decided once for all its files, from all values in them. Values that fill no 3x3 pixels
anywhere are those of smoothed edges, unless all are small ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from handforge.dataset.image_io import open_image
from handforge.dataset.records import DatasetError

FEW = 32
"""Masks of at most this many different values hold ids or colours; more are grey levels."""

SMALL = 32
"""Ids up to this beside 255 make 255 the value to be ignored."""

PHOTOGRAPH = 0.5
"""An image in which more of the pixels than this are neither dark nor bright is not a mask."""

VOC_VOID = 224 << 16 | 224 << 8 | 192
"""The colour of Pascal VOC's border."""


@dataclass(frozen=True)
class MaskValues:
    """What the values of a folder's masks mean.

    :param hands: values that are hands, each an object of its own; None: what is brighter than half is one hand.
    :param ignored: values that are neither hand nor background.
    :param seen: how many masks hold which value; empty for grey levels.
    :param edges: values of smoothed edges beside several objects, which are background.
    """

    hands: tuple[int, ...] | None
    ignored: tuple[int, ...] = ()
    seen: tuple[tuple[int, int], ...] = ()
    edges: tuple[int, ...] = ()

    def describe(self) -> str:
        """One line for people."""
        if self.hands is None:
            return "masks are black and white: what is brighter than half is hand"
        if not self.seen:
            return f"hands are {_names(self.hands)}" if self.hands else "masks are black all over"
        text = f"masks hold the values {_names(value for value, _ in self.seen)}: "
        text += f"hands are {_names(self.hands) or 'none of them'}"
        text += f", ignored {_names(self.ignored)}" if self.ignored else ""
        return text + (f", background {_names(self.edges)}, which are at edges only" if self.edges else "")

    def objects(self, values: np.ndarray) -> list[np.ndarray]:
        """The masks (H, W) bool of the values that are hands, one a value, from a mask's (H, W) values."""
        if self.hands is None:
            return [values > 0] if (values > 0).any() else []
        return [values == value for value in self.hands if (values == value).any()]

    def ignore(self, values: np.ndarray) -> np.ndarray:
        """The (H, W) bool mask of what is to be ignored."""
        return np.isin(values, self.ignored)


def _name(value: int) -> str:
    return str(value) if value < 1 << 24 else f"#{value - (1 << 24):06x}"


def _names(values: Iterable[int]) -> str:
    return ", ".join(map(_name, values))


def read_values(path: Path) -> tuple[np.ndarray, bool]:
    """Read a mask file as (H, W) integers, and whether they are exact: ids or colours rather than grey levels.

    Colours are numbers from 2**24 on, black is 0; of a palette image the values are its indices, of a palette of
    greys alone these greys. Grey levels come as 1 where brighter than half of their range, else 0. What is transparent
    is 0; of a cut-out, which is a photograph or plain black where it is opaque, the opaque pixels are 255.

    :raises DatasetError: as :func:`handforge.dataset.read_image`; if it is a photograph, or nowhere bright.
    """
    image = open_image(path)
    lossless = path.suffix.lower() not in (".jpg", ".jpeg", ".jfif")
    if image.mode == "P" and "transparency" not in image.info:
        indices = np.asarray(image)
        palette = np.asarray(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        used = palette[np.unique(indices)] if indices.max() < len(palette) else np.zeros((1, 3))
        if (np.ptp(used, axis=1) > 0).any():
            return indices.astype(np.int64), True
        image = image.convert("L")
    if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16"):
        return _grey(np.asarray(image), lossless, path)
    rgba = np.asarray(image.convert("RGBA")).astype(np.int64)
    opaque = rgba[..., 3] > 127
    if opaque.any() and not opaque.all():
        used = np.unique(rgba[opaque][:, :3] @ (1 << 16, 1 << 8, 1))
        if len(used) > FEW or not used.any():
            return np.where(opaque, 255, 0), True
    color = np.where(opaque[..., None], rgba[..., :3], 0)
    if (np.ptp(color, axis=2) == 0).all():
        return _grey(color[..., 0], lossless, path)
    packed = color[..., 0] << 16 | color[..., 1] << 8 | color[..., 2]
    if lossless and len(np.unique(packed)) <= FEW:
        return np.where(packed > 0, packed + (1 << 24), 0), True
    brightest = color.max(axis=2)
    _refuse_photograph(brightest / 255, path)
    return (brightest > 127).astype(np.int64), False


def _refuse_photograph(values: np.ndarray, path: Path) -> None:
    """Refuse values, from 0 to 1, of which too many are in between."""
    between = float(((values > 0.25) & (values < 0.75)).mean())
    if between > PHOTOGRAPH:
        raise DatasetError(
            f"{path} is not a mask: {between:.0%} of its pixels are neither dark nor bright; a mask is black, and "
            "white where the hand is"
        )


def _grey(values: np.ndarray, lossless: bool, path: Path) -> tuple[np.ndarray, bool]:
    if values.dtype == bool:
        return values.astype(np.int64) * 255, True
    if not np.isfinite(values).all() or values.min() < 0:
        raise DatasetError(f"{path} holds values below 0 or none at all; masks are 0 and more")
    whole = not np.issubdtype(values.dtype, np.floating) or (values == np.round(values)).all()
    if lossless and whole and len(np.unique(values)) <= FEW and values.max() > (1 if values.dtype.kind == "f" else 0):
        return values.astype(np.int64), True
    most = float(values.max())
    top = next(full for full in (1.0, 255.0, 65535.0, most) if most <= full)
    if 0 < most <= top / 2:
        raise DatasetError(
            f"{path} is nowhere brighter than {most:g} of {top:g}; a mask is black, and white where the hand is, or "
            f"has {FEW} values at the most"
        )
    _refuse_photograph(values / (top or 1), path)
    return (values > top / 2).astype(np.int64), False


def decide(
    masks: Iterable[tuple[np.ndarray, bool]], hands: Sequence[int] = (), ignored: Sequence[int] = ()
) -> MaskValues:
    """Decide what the values of these masks mean.

    :param masks: as :func:`read_values` returns them.
    :param hands: values that are hands, where they are given.
    :param ignored: values to be ignored, where they are given.
    :raises DatasetError: if given values are in none, or 255 stands alone and beside ids.
    """
    seen: Counter[int] = Counter()
    solid: set[int] = set()
    exact, alone, beside = True, 0, 0
    for values, is_exact in masks:
        exact &= is_exact or not values.any()
        if is_exact:
            held = np.unique(values).tolist()
            seen.update(held)
            solid.update(_solid(values) if len(held) > 2 and held[-1] > SMALL else held)
            ids = any(0 < value <= SMALL for value in held)
            alone, beside = alone + (255 in held and not ids), beside + (255 in held and ids)
    counted = tuple(sorted(seen.items()))
    if hands or ignored:
        if absent := sorted({*hands, *ignored} - set(seen) - (set() if exact else {0})):
            held = ", ".join(_name(value) for value in sorted(seen)) or ("0" if exact else "grey levels")
            raise DatasetError(f"no mask holds the value {_name(absent[0])}; they hold {held}")
        others = tuple(value for value in sorted(seen) if value and value not in ignored)
        return MaskValues(tuple(hands) or others, tuple(ignored), counted)
    objects = [value for value in sorted(seen) if value]
    filled = [value for value in objects if value in solid]
    if not exact or len(objects) > FEW or (filled == objects[-1:] != objects and SMALL < objects[-1] < 1 << 16):
        return MaskValues(None)
    void = [value for value in objects if value == (1 << 24) + VOC_VOID]
    if alone and beside:
        raise DatasetError(
            f"255 stands alone in {alone} masks and beside small ids in {beside}, so nothing tells whether it is hand "
            "or to be ignored; say so with --hand-values or --ignore-values"
        )
    if beside:
        void.append(255)
    objects = [value for value in objects if value not in void]
    thin = [value for value in objects if value not in solid]
    edges = thin if max(objects, default=0) > SMALL and thin != objects else []
    return MaskValues(tuple(v for v in objects if v not in edges), tuple(void), counted, tuple(edges))


def _solid(values: np.ndarray) -> list[int]:
    """The values that fill 3x3 pixels somewhere."""
    height, width = values.shape
    if min(height, width) < 3:
        return np.unique(values).tolist()
    inner = values[1:-1, 1:-1]
    shifted = [values[y : height - 2 + y, x : width - 2 + x] for y in range(3) for x in range(3)]
    return np.unique(inner[np.all([other == inner for other in shifted], axis=0)]).tolist()


def with_grey_levels(values: np.ndarray, is_exact: bool, meaning: MaskValues) -> np.ndarray:
    """A mask's values where some masks of its folder have grey levels: 1 where it is brighter than half, else 0."""
    if meaning.hands is None and is_exact:
        top = 255 if values.max() <= 255 else 65535 if values.max() <= 65535 else None
        return (values > top / 2 if top else values > 0).astype(np.int64)
    return values
