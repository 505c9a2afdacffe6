"""Milliseconds that one image takes to augment: the trainer's own, and torchvision's transforms.v2 doing as much.

    python benchmarks/augmentation.py

Both on one thread, in turns, by the process's own time. ``window`` crops, mirrors and scales an image of 768x576 with
two masks to 384x288; ``any angle`` also turns it; ``light`` changes gamma, saturation, hue and brightness, blurs three
images in ten and adds noise. The trainer's light also lays a shade across the image, which transforms.v2 has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from trainer.data import augment

SIZE_WH = (384, 288)
IMAGES, ROUNDS = 40, 5


def sample() -> augment.TrainingSample:
    """An image with two objects."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    masks = np.zeros((2, 576, 768), bool)
    masks[0, 200:400, 150:400] = masks[1, 100:250, 450:600] = True
    return augment.TrainingSample(np.asarray(Image.fromarray(noise).resize((768, 576))), masks)


def cases() -> dict[str, tuple[Callable[[int], object], Callable[[int], object]]]:
    """What is timed, by its name: ours and torchvision's, each given an image's number."""
    one = sample()
    image = tv_tensors.Image(torch.from_numpy(one.image.transpose(2, 0, 1).copy()))
    masks = tv_tensors.Mask(torch.from_numpy(one.masks.astype(np.uint8)))
    small = augment.resize(one, SIZE_WH).image
    small_image = tv_tensors.Image(torch.from_numpy(small.transpose(2, 0, 1).copy()))
    noise = v2.GaussianNoise(0, 0.02)
    height_width = list(SIZE_WH[::-1])

    def window(number: int) -> object:
        rng = np.random.default_rng(number)
        return augment._warp(one, augment._window(one, SIZE_WH, rng), SIZE_WH)

    def their_window(number: int) -> object:
        low, high = np.sort(np.random.default_rng(number).integers(0, [[576], [768]], (2, 2)), axis=1).T
        box = [*low.tolist(), *np.maximum(high - low, 8).tolist()]
        seen = [functional.resized_crop(each, *box, height_width) for each in (image, masks)]
        return [functional.horizontal_flip(each) for each in seen] if number % 2 else seen

    def placement(number: int) -> object:
        rng = np.random.default_rng(number)
        return augment._warp(one, augment._placement(one, SIZE_WH, rng), SIZE_WH)

    def their_placement(number: int) -> object:
        rotated = [
            functional.affine(each, 12.0, [20, 10], 1.3, [0.0, 0.0], v2.InterpolationMode.BILINEAR)
            for each in (image, masks)
        ]
        return [functional.resize(each, height_width) for each in rotated]

    def light(number: int) -> object:
        rng = np.random.default_rng(number)
        return augment._lens(augment._relight(augment._recolor(small, rng), rng), rng)

    def their_light(number: int) -> object:
        seen = functional.adjust_gamma(functional.to_dtype(small_image, torch.float32, scale=True), 1.2)
        seen = functional.adjust_hue(functional.adjust_saturation(seen, 1.2), 0.05)
        seen = functional.adjust_brightness(seen, 0.9)
        if number % 10 < 3:
            seen = functional.gaussian_blur(seen, [7, 7], [0.6, 0.6])
        return functional.to_dtype(noise(seen), torch.uint8, scale=True)

    return {
        "window": (window, their_window),
        "any angle": (placement, their_placement),
        "light": (light, their_light),
    }


def main() -> None:
    """Time and print."""
    torch.set_num_threads(1)
    for name, both in cases().items():
        taken = np.zeros((ROUNDS, 2))
        for rotation in range(ROUNDS):
            for which, of in enumerate(both):
                begin = time.process_time()
                for number in range(IMAGES):
                    of(number)
                taken[rotation, which] = 1000 * (time.process_time() - begin) / IMAGES
        ours, theirs = np.median(taken, axis=0)
        print(f"{name:10} {ours:5.1f} ms, transforms.v2 {theirs:5.1f} ms: {theirs / ours:.1f} times")


if __name__ == "__main__":
    main()
