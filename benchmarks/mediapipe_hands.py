"""The other side of photographs.py's comparison: hands by MediaPipe Hands, run by a Python 3.11 that has it.

mediapipe_hands.py IMAGES OUT   with IMAGES a JSON list [[image id, path], ...]; writes a COCO results list with masks
into OUT, and prints the seconds that detection took. MediaPipe gives 21 joints: a mask is the palm between them and
fingers of a fifth of the palm's length in width. Such a Python: pip install mediapipe==0.10.14 pycocotools
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as rle

PALM = (0, 1, 5, 9, 13, 17)
FINGERS = ((0, 1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
FINGER_WIDTH = 0.21
"""A finger's width as a fraction of the palm's length, from the wrist to the middle finger's first joint."""


def mask_of(joints: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Fill what a hand with these joints (21, 2), in pixels, covers; (H, W) uint8."""
    image = Image.new("L", size_wh)
    pen = ImageDraw.Draw(image)
    palm = max(np.linalg.norm(joints[9] - joints[0]), 1.2 * np.linalg.norm(joints[17] - joints[5]))
    width = max(1, round(FINGER_WIDTH * palm))
    outline = [tuple(joints[number]) for number in PALM]
    pen.polygon(outline, fill=1)
    pen.line([*outline, outline[0]], fill=1, width=width, joint="curve")
    for finger in FINGERS:
        points = [tuple(joints[number]) for number in finger]
        pen.line(points, fill=1, width=width, joint="curve")
        (x, y), half = points[-1], width / 2
        pen.ellipse((x - half, y - half, x + half, y + half), fill=1)
    return np.asfortranarray(np.asarray(image))


def main(images: list[tuple[int, str]], out: Path) -> None:
    """Find the hands of all images."""
    results, seconds = [], 0.0
    options: dict[str, Any] = {"static_image_mode": True, "max_num_hands": 6, "min_detection_confidence": 0.3}
    with mediapipe.solutions.hands.Hands(**options) as hands:
        for image_id, path in images:
            image = np.asarray(Image.open(path).convert("RGB"))
            begin = time.perf_counter()
            found = hands.process(image)
            seconds += time.perf_counter() - begin
            size = image.shape[1], image.shape[0]
            pairs = zip(found.multi_hand_landmarks or [], found.multi_handedness or [], strict=True)
            for landmarks, handedness in pairs:
                mask = mask_of(np.array([(p.x, p.y) for p in landmarks.landmark]) * size, size)
                if mask.any():
                    code = rle.encode(mask)
                    code["counts"] = code["counts"].decode()
                    score = float(handedness.classification[0].score)
                    results.append({"image_id": image_id, "category_id": 1, "segmentation": code, "score": score})
    out.write_text(json.dumps(results))
    print(seconds)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
