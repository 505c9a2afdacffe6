"""Augmentation by Pillow and numpy: torchvision's transforms.v2 turns images 3 times, relights 1.5 times as slowly.

(It crops faster, but at whole pixels: ``benchmarks/augmentation.py``.) It has no shade that runs across an image, and
nothing puts a hand's colours elsewhere.

Images are scaled, or, with ``studio``, changed so that one bright studio stands for many.

``studio`` is made for hands rendered alone before white, and for photographs like them that the network never sees.
Six of ten images stay as they were taken, mirrored or not. In the others the hand covers a fifth of the frame's
height up to all of it, lies anywhere, turned and mirrored anyhow, cut by the frame's edge in four of ten. Its colour,
the light, and the background's tint and shade vary.

``photo`` is for images that are like photographs already: a window of the image, a third of its height up to all
of it, with most of a hand inside; mirrored or not, seldom turned by quarters; another light and white balance. One in
seven draws shows four such windows side by side, so that hands are small, several, and among much else. In a fifth all
colours are turned to others or taken away, so that a hand is not known by being the warm thing in the image.

``decoys`` is ``photo`` with, in four of ten draws, parts of what is not hand in the colours of this hand: a plank, a
ball, a wall, the whole room. What is left to tell a hand by is its shape.

In one of eight draws ``photo`` and ``decoys`` show a window without a hand, where the image has one: a network that
has never seen an image without hands finds one in everything.
Every draw comes from the generator that is passed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

ASPECTS = (16 / 9, 4 / 3, 4 / 3, 1.0)
"""Width by height of the frames that augmentations make; 4:3 is twice as frequent."""
AS_TAKEN = 0.6
"""Fraction of the images of which ``studio`` shows the whole frame."""
QUARTER_TURNS = (0.7, 0.1, 0.1, 0.1)
"""How often ``photo`` turns an image by 0, 90, 180 and 270 degrees."""
FOUR = 0.15
"""Fraction of the draws in which ``photo`` puts four windows side by side."""
OTHER_COLORS = 0.2
"""Fraction of the draws in which ``photo`` turns all colours to others."""
DECOYS = 0.4
"""Fraction of the draws in which ``decoys`` puts the hand's colours elsewhere."""
HAND_FREE = 0.125
"""Fraction of the windows of ``photo`` and ``decoys`` that are cropped where no hand is."""
SMALLEST_HAND_FREE = 0.2
"""The smallest side of such a window, a fraction of the largest window's."""
CAST = 0.12
"""How far off ``photo``'s white balance is: the standard deviation of each channel's logarithm."""
MIN_MASK_PX = 48
"""A hand of which less is left in the frame counts as not there."""


@dataclass(frozen=True)
class TrainingSample:
    """One image and its objects: hands, or what else is learned.

    :param image: (H, W, 3) uint8 RGB.
    :param masks: (N, H, W) bool.
    :param keypoints: (N, K, 3) float32, x and y in pixels and visibility (0 where not in the image), or None where
        nobody asks for them.
    :param labels: (N,) int64, the class of each object, from 1; None: all are of class 1.
    :param mirrored: the keypoints' order in a mirror image, where left and right exchange; empty: it is the same.
    """

    image: np.ndarray
    masks: np.ndarray
    keypoints: np.ndarray | None = None
    labels: np.ndarray | None = None
    mirrored: tuple[int, ...] = ()

    @property
    def classes(self) -> np.ndarray:
        """The class of each object, (N,) int64."""
        return np.ones(len(self.masks), np.int64) if self.labels is None else self.labels


def fit(width: int, height: int, min_size: int, max_size: int) -> tuple[int, int]:
    """The size (width, height) of an image scaled so that its sides are at most ``min_size`` and ``max_size``."""
    scale = min(min_size / min(width, height), max_size / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize(sample: TrainingSample, size_wh: tuple[int, int]) -> TrainingSample:
    """A sample in another size; image by antialiased bilinear, masks true where at least half covered."""
    if (sample.image.shape[1], sample.image.shape[0]) == size_wh:
        return sample
    image = Image.fromarray(sample.image).resize(size_wh, Image.Resampling.BILINEAR)
    masks = [
        np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(size_wh, Image.Resampling.BILINEAR)) > 127
        for mask in sample.masks
    ]
    scale = (size_wh[0] / sample.image.shape[1], size_wh[1] / sample.image.shape[0], 1)
    keypoints = None if sample.keypoints is None else sample.keypoints * np.array(scale, np.float32)
    return replace(sample, image=np.asarray(image), masks=_stack(masks, size_wh), keypoints=keypoints)


def _stack(masks: list[np.ndarray], size_wh: tuple[int, int]) -> np.ndarray:
    return np.stack(masks) if masks else np.zeros((0, size_wh[1], size_wh[0]), bool)


def augmented(
    name: str,
    sample: TrainingSample,
    others: Sequence[TrainingSample],
    size_wh: tuple[int, int],
    rng: np.random.Generator,
    alone: bool = False,
) -> TrainingSample:
    """One image in its augmented form, of the given size. See the module's text.

    :param name: ``studio``, ``photo`` or ``decoys``.
    :param alone: always show the image's object, and no other image beside it: its class is that of the whole.
    :param others: the other images of the batch, which ``photo`` and ``decoys`` may put beside it.
    """
    if name == "studio":
        return studio(sample, size_wh, rng)
    return photo(sample, others, size_wh, rng, decoys=name == "decoys", alone=alone)


def frame_size(min_size: int, max_size: int, rng: np.random.Generator) -> tuple[int, int]:
    """The size (width, height) of all images of one batch: one of :data:`ASPECTS`, seldom upright."""
    aspect = ASPECTS[rng.integers(len(ASPECTS))]
    width, height = fit(round(1000 * aspect), 1000, min_size, max_size)
    return (height, width) if rng.random() < 0.15 else (width, height)


def studio(sample: TrainingSample, size_wh: tuple[int, int], rng: np.random.Generator) -> TrainingSample:
    """A hand before white as many images of one."""
    place = _whole_frame if rng.random() < AS_TAKEN else _placement
    matrix = place(sample, size_wh, rng)
    warped = _warp(sample, matrix, size_wh)
    image = _relight(_recolor(warped.image, rng), rng)
    return replace(warped, image=_lens(image, rng))


def photo(
    sample: TrainingSample,
    others: Sequence[TrainingSample],
    size_wh: tuple[int, int],
    rng: np.random.Generator,
    decoys: bool = False,
    alone: bool = False,
) -> TrainingSample:
    """A window of a photograph, or four windows of this one and others; ``decoys``: with distractors."""
    four = rng.random() < FOUR and not alone
    seen = _side_by_side([sample, *others], size_wh, rng) if four else _seen(sample, size_wh, rng, alone)
    if decoys and rng.random() < DECOYS:
        seen = replace(seen, image=_with_decoys(seen, sample, rng))
    recolored = _recolor(seen.image, rng, mild=0.4, other=rng.random() < OTHER_COLORS)
    cast = np.exp(rng.normal(0, CAST, 3)).astype(np.float32)
    return replace(seen, image=_lens(_relight(recolored * cast, rng, mild=0.6), rng))


def _seen(
    sample: TrainingSample, size_wh: tuple[int, int], rng: np.random.Generator, alone: bool = False
) -> TrainingSample:
    matrix = _hand_free_window(sample, size_wh, rng) if rng.random() < HAND_FREE and not alone else None
    return _warp(sample, _window(sample, size_wh, rng) if matrix is None else matrix, size_wh)


def _hand_free_window(sample: TrainingSample, size_wh: tuple[int, int], rng: np.random.Generator) -> np.ndarray | None:
    """Draw the (2, 3) affine map from frame to source of an upright window without a hand; None if 20 fail."""
    source, frame = np.array(sample.image.shape[1::-1], float), np.array(size_wh, float)
    hands = sample.masks.any(0) if len(sample.masks) else np.zeros(sample.image.shape[:2], bool)
    largest = (source / frame).min()  # source pixels a frame pixel
    for _ in range(20):
        scale = largest * math.exp(rng.uniform(math.log(SMALLEST_HAND_FREE), 0))
        left, top = low = rng.random(2) * (source - scale * frame)
        right, bottom = low + scale * frame
        if not hands[int(top) : math.ceil(bottom), int(left) : math.ceil(right)].any():
            mirrored = rng.random() < 0.5
            return np.array([[-scale, 0, right] if mirrored else [scale, 0, left], [0, scale, top]])
    return None


def _side_by_side(
    samples: Sequence[TrainingSample], size_wh: tuple[int, int], rng: np.random.Generator
) -> TrainingSample:
    """Windows of four samples, the first always among them, in the quarters of a frame that meet near its middle."""
    width, height = size_wh
    x, y = (round(side * rng.uniform(0.35, 0.65)) for side in size_wh)
    quarters = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
    image, masks, keypoints, labels = np.empty((height, width, 3), np.uint8), [], [], []
    order = [0, *1 + rng.permutation(len(samples) - 1)]
    for number, place in enumerate(rng.permutation(4)):
        left, top, right, bottom = quarters[place]
        part = _seen(samples[order[number % len(samples)]], (right - left, bottom - top), rng)
        image[top:bottom, left:right] = part.image
        masks += [np.pad(mask, ((top, height - bottom), (left, width - right))) for mask in part.masks]
        labels.append(part.classes)
        if part.keypoints is not None:
            keypoints.append(part.keypoints + (part.keypoints[..., 2:] > 0) * np.array([left, top, 0], np.float32))
    points = np.concatenate(keypoints) if keypoints else None
    return replace(
        samples[0], image=image, masks=_stack(masks, size_wh), keypoints=points, labels=np.concatenate(labels)
    )


def _with_decoys(sample: TrainingSample, source: TrainingSample, rng: np.random.Generator) -> np.ndarray:
    """The image with one to four parts of its background in colours of hands; (H, W, 3) uint8.

    :param source: where the hands' colours come from if the sample shows no hand.
    """
    hands = sample.masks.any(0)
    model = sample if hands.any() else source
    of_model = model.masks.any(0)
    if not of_model.any():
        return sample.image
    image = sample.image.astype(np.float32)
    skin = model.image[of_model].astype(np.float32)
    # The edge of a mask is mixed of hand and background: it fades from one to the other here too.
    behind = 1 - np.asarray(Image.fromarray(hands.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(0.7))) / 255
    for _ in range(rng.integers(1, 5)):
        color = skin[rng.integers(len(skin))] * np.exp(rng.normal(0, 0.1, 3)) * math.exp(rng.uniform(-0.4, 0.4))
        if rng.random() < 0.6:  # the object that is there, in another colour
            light = image.mean(2, keepdims=True)
            pattern = (light + 8) / (np.median(light) + 8)
        else:  # another object, with the hand's own light and dark spread over it
            pattern = _enlarged(model.image, of_model, sample.image.shape[:2], rng)
        patch = color * pattern ** rng.uniform(0.3, 1.0)
        alpha = (_outline(image.shape[1::-1], rng) * behind * rng.uniform(0.7, 1.0))[..., None]
        image += alpha * (np.clip(patch, 0, 255) - image)
    return np.clip(image, 0, 255).astype(np.uint8)


def _enlarged(image: np.ndarray, hands: np.ndarray, size_hw: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """How light a spot of a hand is against its mean, spread over a frame of ``size_hw``; (H, W, 1) float32."""
    height, width = size_hw
    rows, columns = np.nonzero(hands)
    at, half = rng.integers(len(rows)), 2 + round(0.25 * math.sqrt(len(rows)))
    spot = np.s_[max(0, rows[at] - half) : rows[at] + half, max(0, columns[at] - half) : columns[at] + half]
    light, inside = image[spot].mean(2) + 8, hands[spot]
    pattern = np.where(inside, light / light[inside].mean(), 1).astype(np.float32)
    return np.asarray(Image.fromarray(pattern).resize((width, height), Image.Resampling.BICUBIC))[..., None].clip(0.1)


def _outline(size_wh: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """How much of each pixel a stone, a ball, a bar, a table or "everything" covers; (H, W) float32 in 0..1."""
    what = str(rng.choice(["stone", "ball", "bar", "table", "all"], p=[0.35, 0.2, 0.2, 0.15, 0.1]))
    if what == "all":
        return np.ones(size_wh[::-1], np.float32)
    corners = {"stone": int(rng.integers(3, 10)), "ball": 32}.get(what, 4)
    uneven = 0.6 * rng.uniform(-0.5, 0.5, corners) * (what == "stone")
    angles = 2 * math.pi * (np.arange(corners) + 0.5 + uneven) / corners
    radii = rng.uniform(0.6, 1, corners) if what == "stone" else np.ones(corners)
    sides = min(size_wh) * np.exp(rng.uniform(math.log(0.08), math.log(0.5), 2))
    middle = rng.random(2) * size_wh
    if what == "bar":
        sides[1] = sides[0] / rng.uniform(3, 10)
    if what == "table":  # one edge of a square larger than the frame crosses it
        sides[:] = 2 * sum(size_wh)
    turn = rng.uniform(0, 2 * math.pi)
    direction = np.array([math.cos(turn), math.sin(turn)])
    shape = (radii * sides[:, None]).T * np.column_stack([np.cos(angles), np.sin(angles)])
    if what == "table":
        shape[:, 0] += sides[0] * math.sqrt(0.5)
    places = middle + shape[:, :1] * direction + shape[:, 1:] * np.array([-direction[1], direction[0]])
    drawn = Image.new("L", (2 * size_wh[0], 2 * size_wh[1]))
    ImageDraw.Draw(drawn).polygon([tuple(place) for place in 2 * places], fill=255)
    return np.asarray(drawn.reduce(2), np.float32) / 255


def _window(sample: TrainingSample, size_wh: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The (2, 3) affine map from frame to source that shows a window which lies inside the source."""
    height, width = sample.image.shape[:2]
    angle = math.pi / 2 * rng.choice(4, p=QUARTER_TURNS)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.round([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) @ np.diag([mirror, 1.0])
    frame, source = np.array(size_wh, float), np.array([width, height], float)
    corners = _hand_corners(sample)
    low, high = corners.min(0), corners.max(0)
    across = np.abs(turn @ frame)  # the frame's sides along the source's axes
    largest = (source / across).min()  # source pixels a frame pixel
    smallest = min(largest, max(0.9 * ((high - low) / across).max(), 0.33 * largest))
    window = across * math.exp(rng.uniform(math.log(smallest), math.log(largest)))
    # The window moves freely in the source as long as the middle of the hand is in its middle three quarters.
    middle, slack = (low + high) / 2, 0.375 * window
    least = np.clip(middle - slack, window / 2, source - window / 2)
    most = np.clip(middle + slack, window / 2, source - window / 2)
    center = least + rng.random(2) * (most - least)
    linear = turn * (window / across).mean()
    return np.column_stack([linear, center - linear @ (frame / 2)])


def _placement(sample: TrainingSample, size_wh: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The (2, 3) affine map from frame to source that puts the hand where this draw wants it."""
    angle = math.pi / 2 * rng.integers(4) + rng.normal(0, math.radians(12))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    share = math.exp(rng.uniform(math.log(0.22), math.log(1.05)))
    cut = rng.random() < 0.4
    where = rng.random(2)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) @ np.diag([mirror, 1.0])
    corners = _hand_corners(sample) @ turn.T
    low, high = corners.min(0), corners.max(0)
    extent = np.maximum(high - low, 1.0)
    frame = np.array(size_wh, float)
    scale = min(share * frame[1] / extent[1], 1.1 * frame[0] / extent[0])
    # The hand's box lies inside the frame, or, where it is to be cut, up to a third of it outside.
    half = extent * scale / 2
    margin = np.where(cut, half / 3, np.minimum(half, frame / 2))
    center = margin + where * (frame - 2 * margin)
    linear = np.linalg.inv(turn) / scale
    return np.column_stack([linear, np.linalg.inv(turn) @ ((low + high) / 2) - linear @ center])


def _whole_frame(sample: TrainingSample, size_wh: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The (2, 3) affine map from frame to source that shows the whole image, a little nearer or farther."""
    height, width = sample.image.shape[:2]
    scale = min(size_wh[0] / width, size_wh[1] / height) * rng.uniform(0.9, 1.1)
    linear = np.diag([-1.0 if rng.random() < 0.5 else 1.0, 1.0]) / scale
    return np.column_stack([linear, np.array([width, height]) / 2 - linear @ np.array(size_wh) / 2])


def _hand_corners(sample: TrainingSample) -> np.ndarray:
    """The four corners (x, y) of the box around all objects; of the whole image where there is none."""
    height, width = sample.image.shape[:2]
    rows = np.flatnonzero(sample.masks.any((0, 2))) if sample.masks.any() else np.array([0, height - 1])
    columns = np.flatnonzero(sample.masks.any((0, 1))) if sample.masks.any() else np.array([0, width - 1])
    x, y = (columns[0], columns[-1] + 1), (rows[0], rows[-1] + 1)
    return np.array([(x[0], y[0]), (x[1], y[0]), (x[0], y[1]), (x[1], y[1])], float)


def _warp(sample: TrainingSample, matrix: np.ndarray, size_wh: tuple[int, int]) -> TrainingSample:
    keypoints = sample.keypoints
    if keypoints is not None:
        if sample.mirrored and np.linalg.det(matrix[:, :2]) < 0:
            keypoints = keypoints[:, list(sample.mirrored)]
        keypoints = _moved(keypoints, matrix, size_wh)
    image = Image.fromarray(sample.image)
    border = np.concatenate([sample.image[0], sample.image[-1], sample.image[:, 0], sample.image[:, -1]])
    fill = tuple(int(v) for v in np.median(border, 0))
    masks = [Image.fromarray(mask.astype(np.uint8) * 255) for mask in sample.masks]
    shrink = int(math.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if shrink > 1:  # PIL's affine map does not smooth what it shrinks
        image, masks = image.reduce(shrink), [mask.reduce(shrink) for mask in masks]
        matrix = matrix / shrink
    data = tuple(matrix.ravel())
    affine, bilinear = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    warped = np.asarray(image.transform(size_wh, affine, data, bilinear, fillcolor=fill))
    moved = [np.asarray(mask.transform(size_wh, affine, data, bilinear)) > 127 for mask in masks]
    kept = [number for number, mask in enumerate(moved) if mask.sum() >= MIN_MASK_PX]
    return replace(
        sample,
        image=warped,
        masks=_stack([moved[number] for number in kept], size_wh),
        keypoints=None if keypoints is None else keypoints[kept],
        labels=sample.classes[kept],
    )


def _moved(keypoints: np.ndarray, matrix: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """(N, K, 3) keypoints of the source in the frame; those that fall out of it get visibility 0."""
    places = (keypoints[..., :2] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    inside = ((places >= 0) & (places < size_wh)).all(-1) & (keypoints[..., 2] > 0)
    return np.where(inside[..., None], np.concatenate([places, keypoints[..., 2:]], -1), 0).astype(np.float32)


def _recolor(image: np.ndarray, rng: np.random.Generator, mild: float = 1.0, other: bool = False) -> np.ndarray:
    """Another skin: gamma, saturation and hue, all of which leave white white; float32 in 0..1.

    :param mild: how much of the full change is made, 0 to 1.
    :param other: turn the hues to any others, and let saturation fall to nothing.
    """
    gamma = math.exp(mild * rng.uniform(math.log(0.6), math.log(2.0)))
    hue, saturation = mild * rng.normal(0, math.radians(8)), rng.uniform(1 - 0.5 * mild, 1 + 0.4 * mild)
    if other:
        hue, saturation = rng.uniform(-math.pi, math.pi), rng.uniform(0, 1.3)
    # Turn and scale the chroma plane of YIQ; rows of the matrix sum to one, so greys stay.
    yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    turn = np.eye(3)
    turn[1:, 1:] = saturation * np.array([[math.cos(hue), -math.sin(hue)], [math.sin(hue), math.cos(hue)]])
    matrix = (np.linalg.inv(yiq) @ turn @ yiq).astype(np.float32)
    table = (np.arange(256) / 255) ** gamma
    return np.clip(table.astype(np.float32)[image] @ matrix.T, 0, 1)


def _relight(image: np.ndarray, rng: np.random.Generator, mild: float = 1.0) -> np.ndarray:
    """Another light: a tint, a brightness, and a shade that runs across the frame or lies as a soft spot in it.

    :param mild: how much of the full shade is laid on, 0 to 1.
    """
    height, width = image.shape[:2]
    tint = rng.uniform(0.9, 1.0, 3) * rng.uniform(0.75, 1.08)
    y, x = np.mgrid[-1:1:32j, -1:1:32j].astype(np.float32)
    angle, strength = rng.uniform(0, 2 * math.pi), mild * rng.uniform(0, 0.2)
    field = 1 - strength * (0.5 + 0.5 * (x * math.cos(angle) + y * math.sin(angle)))
    if rng.random() < 0.4:
        spot, radius = rng.uniform(-1, 1, 2), rng.uniform(0.2, 0.8)
        field -= mild * rng.uniform(0.05, 0.3) * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / radius**2)
    smooth = np.asarray(Image.fromarray(field).resize((width, height), Image.Resampling.BILINEAR))
    return np.clip(image * (smooth[..., None] * tint.astype(np.float32)), 0, 1)


def _lens(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur in some images, noise in all; (H, W, 3) uint8."""
    blur, noise = rng.random(), rng.uniform(0, 0.02)
    blurred = Image.fromarray((image * 255).astype(np.uint8))
    if blur < 0.3:
        blurred = blurred.filter(ImageFilter.GaussianBlur(4 * blur))
    grain = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(noise * 255)
    return np.clip(np.asarray(blurred) + grain, 0, 255).astype(np.uint8)
