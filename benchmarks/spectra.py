"""Compare the frequency statistics of two folders of images: mean amplitude by octave, and the slope that falls off.

    python benchmarks/spectra.py RENDERED PHOTOGRAPHS [--size 256]

Natural images have an amplitude that falls about as 1 / frequency (Field, Relations between the Statistics of Natural
Images, JOSA A 4, 1987): a slope near -1. What is too clean or too smooth falls faster, what is noisy more slowly.
Every image is cut to its central square and scaled down to --size pixels, so larger photographs have no advantage.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def images(folder: Path) -> list[Path]:
    """The images of a folder, or of its ``images``."""
    inside = folder / "images" if (folder / "images").is_dir() else folder
    found = sorted(path for path in inside.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(f"{folder} holds no images")
    return found


def amplitude(path: Path, size: int) -> np.ndarray:
    """Mean amplitude by frequency 0..size/2 - 1 cycles an image, of contrast about the mean luminance, windowed."""
    with Image.open(path) as opened:
        side = min(opened.size)
        left, top = (opened.width - side) // 2, (opened.height - side) // 2
        square = opened.convert("RGB").crop((left, top, left + side, top + side))
        values = np.asarray(square.resize((size, size), Image.Resampling.BOX), float) @ LUMINANCE
    window = np.outer(np.hanning(size), np.hanning(size))
    contrast = (values - values.mean()) / max(values.mean(), 1.0)
    spectrum = np.abs(np.fft.fft2(contrast * window))
    frequency = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(frequency[:, None], frequency).round().astype(int)
    totals = np.bincount(radius.ravel(), spectrum.ravel())[: size // 2]
    return totals / np.bincount(radius.ravel())[: size // 2]


def slope(mean: np.ndarray) -> float:
    """Of the log amplitude over the log frequency, from 4 cycles an image to half the finest."""
    frequency = np.arange(len(mean))
    used = slice(4, len(mean) // 2)
    return float(np.polyfit(np.log(frequency[used]), np.log(mean[used]), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rendered", type=Path)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--size", type=int, default=256)
    given = parser.parse_args()
    means = []
    for folder in (given.rendered, given.photographs):
        spectra = np.array([amplitude(path, given.size) for path in images(folder)])
        means.append(np.exp(np.log(np.maximum(spectra, 1e-9)).mean(axis=0)))
        print(f"{folder}: {len(spectra)} images, slope {slope(means[-1]):.2f}")
    print("cycles an image   rendered / photographs")
    edges = [2**power for power in range(int(np.log2(given.size)))]
    for low, high in pairwise(edges):
        print(f"{low:6d} to {high:4d}     {means[0][low:high].mean() / means[1][low:high].mean():.2f}")


if __name__ == "__main__":
    main()
