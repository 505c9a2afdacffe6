"""Real data as dataset folders.

folder       what all sources share, and the way into :mod:`handforge.dataset`
masks        any folder of images and masks
annotations  what people drew: COCO, CVAT, LabelMe
video        frames of a video with either
egohands     EgoHands
hgr          Kawulok's HGR
hands11k     11K Hands
"""
