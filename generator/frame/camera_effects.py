"""From linear light to what a camera would have stored: exposure, white balance, tone, blur, noise, JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from PIL import Image, ImageFilter

from generator.hand.vectors import NotNegative, Number, Sizes, within
from generator.maths import Triple, log_uniform, srgb_to_linear
from handforge.rng import StreamState, resume, state_of


@dataclass(frozen=True)
class Sensor:
    """What a camera adds to an image that it stores.

    :param blur: standard deviation, pixels of an image 720 pixels high.
    :param noise: standard deviation, steps of 255.
    :param grain: where the random numbers of the noise begin.
    :param quality: of JPEG, 1 to 100; None: stored as it is.
    """

    blur: NotNegative
    noise: NotNegative
    grain: StreamState
    quality: Annotated[int, within(1, 100)] | None


def draw_sensor(rng: np.random.Generator, size_wh: tuple[int, int]) -> Sensor:
    """Draw the sensor of an image of this size: a little blur, noise, and in part of the images JPEG."""
    blur, noise, grain = float(abs(rng.normal(0, 0.6))), float(rng.uniform(0, 5)), state_of(rng)
    rng = resume(_noise(grain, size_wh)[1])
    quality = int(rng.integers(55, 98))
    return Sensor(blur, noise, grain, None if rng.random() < 0.4 else quality)


@lru_cache(1)  # what comes after the noise is drawn with the frame, and the noise needed a moment later
def _noise(start: StreamState, size_wh: tuple[int, int]) -> tuple[np.ndarray, StreamState]:
    """Standard normal noise, (H, W, 3), and where its stream stands then."""
    rng = resume(start)
    return rng.standard_normal((size_wh[1], size_wh[0], 3)), state_of(rng)


@dataclass(frozen=True)
class Photo:
    """What a camera makes of an indoor scene.

    :param cast: how much lighter it comes out than metered, by channel; None: as metered.
    :param shake: how far the camera moves while it takes it, in widths of the image; None where it is still.
    :param balance: the white balance, by channel.
    :param exposure: how light what is metered comes out.
    :param white: the light that becomes white.
    :param contrast: of :func:`contrasted`.
    :param sharpened: the radius, pixels, and percent of an unsharp mask; None without one.
    """

    cast: Sizes | None
    shake: tuple[float, float] | None
    balance: Sizes
    exposure: NotNegative
    white: NotNegative
    contrast: NotNegative
    sharpened: tuple[NotNegative, Number] | None
    sensor: Sensor


def draw_photo(
    rng: np.random.Generator, size_wh: tuple[int, int], cast: Triple | None, shake: tuple[float, float] | None
) -> Photo:
    """Draw how a photograph of this size is developed."""
    balance = (float(rng.uniform(0.88, 1.14)), 1.0, float(rng.uniform(0.86, 1.12)))
    exposure, white, contrast = (float(rng.uniform(*span)) for span in ((0.1, 0.36), (1.2, 4.0), (0.0, 1.1)))
    sharpened = None
    if rng.random() < 0.7:  # phones sharpen what they take
        sharpened = float(rng.uniform(0.6, 1.6)), int(rng.integers(30, 150))
    return Photo(cast, shake, balance, exposure, white, contrast, sharpened, draw_sensor(rng, size_wh))


def draw_cast(rng: np.random.Generator) -> Triple:
    """How much lighter an image comes out than metered, by channel: exposure, warmth and tint."""
    exposure, warmth, tint = np.exp(rng.normal(0, [0.35, 0.12, 0.05]))
    return float(exposure * warmth), float(exposure * tint), float(exposure * (1 / warmth))


SHAKEN = 0.12
"""Fraction of the images whose camera moved while it took them, where the exposure is random."""


def draw_shake(rng: np.random.Generator) -> tuple[float, float] | None:
    """How far the camera moves while it takes an image, in widths of the image; None where it is still."""
    if rng.random() >= SHAKEN:
        return None
    length, angle = log_uniform(rng, 0.004, 0.03), rng.uniform(0, np.pi)
    return float(length * np.cos(angle)), float(length * np.sin(angle))


def shaken(linear: np.ndarray, way: tuple[float, float]) -> np.ndarray:
    """Linear light (H, W, 3) that a camera gathers while the image moves by ``way``, widths of the image.

    Half-way through the movement the image is where it was, so that masks stay right.
    """
    pixels = np.array(way) * linear.shape[1]
    steps = int(np.ceil(np.abs(pixels).max())) + 1
    shifts = np.round(np.linspace(-0.5, 0.5, steps)[:, None] * pixels).astype(int)
    margin = int(np.abs(shifts).max())
    wide = np.pad(linear, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    height, width = linear.shape[:2]
    total = np.zeros_like(linear)
    for x, y in shifts + margin:
        total += wide[y : y + height, x : x + width]
    return total / steps


_LIGHTER = 1.8
"""How many times lighter than the exposure the subject, or what is bright, comes out at most: cameras keep from
burning out what a flash lights before something dark."""


def develop(linear: np.ndarray, subject: np.ndarray, photo: Photo) -> np.ndarray:
    """A photograph of linear light.

    :param linear: (H, W, 3) RGB of any scale.
    :param subject: (H, W) bool, what the exposure is metered on, together with the whole.
    :returns: (H, W, 3) uint8, sRGB.
    """
    if photo.shake is not None:
        linear = shaken(linear, photo.shake)
    light = np.maximum(linear, 0.0) * np.array(photo.balance)
    brightness = np.log(light.mean(axis=-1) + 1e-3)
    if subject.any():
        bright = brightness[subject].mean()
        metered = 0.4 * brightness.mean() + 0.6 * bright
    else:
        bright = np.percentile(brightness, 92)
        metered = brightness.mean()
    metered = max(metered, bright - np.log(_LIGHTER))
    cast: np.ndarray | float = 1.0 if photo.cast is None else np.array(photo.cast)
    light *= photo.exposure / np.exp(metered) * cast
    light = light * (1 + light / photo.white**2) / (1 + 0.6 * light)  # highlights roll off, as film and phones do
    seen = contrasted(srgb(light), photo.contrast)
    if photo.sharpened is not None:
        radius, percent = photo.sharpened
        seen = np.asarray(Image.fromarray(seen).filter(ImageFilter.UnsharpMask(radius, percent, threshold=0)))
    return apply_sensor(seen, photo.sensor)


def contrasted(seen: np.ndarray, strength: float) -> np.ndarray:
    """An image (H, W, 3) uint8 whose values are drawn apart from their median by an S-shaped curve.

    Rendered indoor scenes have about two thirds of the amplitude of photographs at every frequency
    (``benchmarks/spectra.py``); at a mean ``strength`` of 0.55 they have as much.

    :param strength: 0 leaves it as it is; slopes at the median grow by 1 + strength.
    """
    center = float(np.clip(np.median(seen) / 255, 0.25, 0.6))
    value, power = np.arange(256) / 255, 1 + strength
    dark, light = np.minimum(value / center, 1), np.minimum((1 - value) / (1 - center), 1)
    curve = np.where(value < center, center * dark**power, 1 - (1 - center) * light**power)
    return np.round(255 * curve).astype(np.uint8)[seen]


def apply_sensor(seen: np.ndarray, sensor: Sensor) -> np.ndarray:
    """What a camera makes of an image (H, W, 3) uint8."""
    image = Image.fromarray(seen)
    image = image.filter(ImageFilter.GaussianBlur(sensor.blur * image.height / 720))
    noisy = np.asarray(image) + sensor.noise * _noise(sensor.grain, image.size)[0]
    kept = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    if sensor.quality is None:
        return kept
    buffer = io.BytesIO()
    Image.fromarray(kept).save(buffer, "JPEG", quality=sensor.quality)
    return np.asarray(Image.open(buffer))


def linear(srgb: np.ndarray) -> np.ndarray:
    """What :func:`srgb` came from: (..., 3) uint8 as linear light, 0..1."""
    return srgb_to_linear(srgb / 255.0)


def composite(subject: np.ndarray, alpha: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """A subject in linear light on black, (H, W, 3) with its coverage (H, W), before an image of uint8 sRGB."""
    return subject + (1 - alpha[..., None]) * linear(behind)


def srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light as sRGB uint8, clipped; 1 becomes 255 exactly."""
    steps = np.clip(linear, 0.0, 1.0) * (len(_SRGB) - 1) + 0.5
    return _SRGB.take(steps.astype(np.uint16))


def _curve() -> np.ndarray:
    linear = np.linspace(0.0, 1.0, 1 << 16)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(curve * 255).astype(np.uint8)


_SRGB = _curve()
"""sRGB of 65,536 steps of light, 20 of them to the darkest step of sRGB; a table is far faster than powers."""
