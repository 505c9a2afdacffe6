"""Score a COCO results file against a dataset folder: python examples/score.py DATASET RESULTS"""

import sys

import handforge

if __name__ == "__main__":
    metrics = handforge.evaluate(sys.argv[1], sys.argv[2])
    iou = "none" if metrics.mean_iou is None else f"{metrics.mean_iou:.3f}"
    print(f"{metrics.tp} of {metrics.hands} hands found, {metrics.fp} false; mean IoU {iou}, F1 {metrics.f1}")
