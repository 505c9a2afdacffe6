"""Real data as dataset folders.

folder.py       what all sources share, and the way into :mod:`generator.dataset`
masks.py        any folder of pictures and masks
annotations.py  what people drew: COCO, CVAT, LabelMe
video.py        frames of a video with either
egohands.py     EgoHands
hgr.py          Kawulok's HGR
hands11k.py     11K Hands
"""
