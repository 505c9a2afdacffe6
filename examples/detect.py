"""Mask the hands of some images: python examples/detect.py RUN IMAGE..."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import handforge

if __name__ == "__main__":
    detector = handforge.HandDetector(sys.argv[1])
    for path in map(Path, sys.argv[2:]):
        hands = detector.detect(path)
        print(path, [f"{hand.category} {hand.score:.2f}" for hand in hands])
        mask = np.any([hand.mask for hand in hands], axis=0) if hands else np.zeros((1, 1), bool)
        Image.fromarray(mask).save(path.with_suffix(".mask.png"))
