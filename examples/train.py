"""Train a network by repetition on a dataset folder: python examples/train.py DATASET OUT [RECIPE]"""

import sys

import handforge

if __name__ == "__main__":
    data, out, *recipe = sys.argv[1:]
    run = handforge.train(recipe[0] if recipe else "cpu-minutes", data, out)  # interrupted, the same call continues
    print("handforge.HandDetector takes", run)
