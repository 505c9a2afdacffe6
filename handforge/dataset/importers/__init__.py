"""Real data as dataset folders.

folder            what all sources share, and the way into :mod:`handforge.dataset`
masks             any folder of images and masks
mask_values       what the values of mask images mean
annotations       what people drew, whatever tool wrote it
annotated         what every annotation format is read into
coco              COCO
labelme           LabelMe
cvat              CVAT for images and for video
via               VGG Image Annotator
yolo              YOLO labels
voc               Pascal VOC
matching_files    which image file an annotation file means
exif_orientation  photographs stored rotated, and what was drawn on them
video             frames of a video with masks or annotations
classes           a folder of images for each class
egohands          EgoHands
hgr               Kawulok's HGR
hands11k          11K Hands
commands          the commands
"""
