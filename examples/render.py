"""Render 40 images of hands indoors and show what came out: python examples/render.py [OUT]"""

import sys

import handforge

if __name__ == "__main__":  # rendering starts processes, which import this script again
    out = sys.argv[1] if len(sys.argv) > 1 else "rooms"
    dataset = handforge.render_dataset("varied", out, pose_set="l11", count=40, seed=1)
    for image in dataset:
        masks = dataset.masks(image)
        print(image["file_name"], len(masks), "hands,", sum(int(mask.sum()) for mask in masks), "pixels")
