"""Mask the hands of some images: python examples/detect.py IMAGE...

Beside each image a mask of all its hands, 255 on them: photo.jpg gets photo.mask.png.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import handforge
from handforge.dataset import read_image

if __name__ == "__main__":
    detector = handforge.HandDetector()  # the shipped network; HandDetector("run") is one of your own
    for path in map(Path, sys.argv[1:]):
        image = read_image(path)  # upright, whatever its EXIF says
        hands = detector.detect(image)
        print(path, [f"{hand.category} {hand.score:.2f}" for hand in hands])
        mask = np.zeros(image.shape[:2], bool)
        for hand in hands:
            mask |= hand.mask
        Image.fromarray(mask.astype(np.uint8) * 255).save(path.with_suffix(".mask.png"))
