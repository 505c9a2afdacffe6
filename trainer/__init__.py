"""Mask R-CNN by repetitive training, on any COCO dataset folder of hands."""
