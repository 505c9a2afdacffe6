"""The COCO dataset folder: what generator, trainer and evaluation pass on.

A dataset folder::

    images/NAME.png|jpg|webp    the images
    masks/NAME.png              255 on a hand, 0 elsewhere: all annotations of the image, without crowds
    depth/ normals/ parts/      ground-truth maps, on request: ground_truth_maps.py says what they hold
    annotations.json            COCO: images, annotations (compressed RLE), categories of any names
    dataset.json                how it was made: settings, seed, versions, counts
    preview.jpg                 a contact sheet

Conventions: image and annotation ids start at 1; ``iscrowd`` is 1 for regions to ignore, else 0; ``area`` is the mask's
pixels; ``bbox`` is ``pycocotools.mask.toBbox``, half-open xywh. A frame's record says nothing of time or machine, so
the same frame has the same bytes wherever it is made.

records            what an image and its ground truth are
rle                COCO's run-length encoding
image_io           image files
ground_truth_maps  depth, normals, parts: how they are stored
coco_types         the records of annotations.json, for the type checker
groups             images that belong together
reader, writer     read and write the folder
scene              what is stated of all images: background, scale
subsets            datasets merged, sampled, split and zoomed
validate           verify annotations, images, a whole dataset
exporters          the files of annotation tools
contact_sheet      images with their masks' outlines on one sheet
video              frames in and out of video files
importers/         real sets and annotation tools' files as dataset folders
"""

from handforge.dataset.groups import by_group, group_numbers
from handforge.dataset.image_io import IMAGE_SUFFIXES, MAX_PIXELS, encode_image, encode_png, read_image, read_mask
from handforge.dataset.reader import Dataset
from handforge.dataset.records import (
    CATEGORIES,
    CATEGORY_ID,
    GROUND_TRUTH_MAPS,
    HAND_CATEGORIES,
    KEYPOINTS,
    PARTS,
    SKELETON,
    Category,
    DatasetError,
    Instance,
    Sample,
)
from handforge.dataset.rle import decode_mask, encode_mask, hand_side, to_rle
from handforge.dataset.validate import check_image
from handforge.dataset.writer import assemble, copy_subset, encode_sample, holds_subset, write_sample

__all__ = [
    "CATEGORIES",
    "CATEGORY_ID",
    "GROUND_TRUTH_MAPS",
    "HAND_CATEGORIES",
    "IMAGE_SUFFIXES",
    "KEYPOINTS",
    "MAX_PIXELS",
    "PARTS",
    "SKELETON",
    "Category",
    "Dataset",
    "DatasetError",
    "Instance",
    "Sample",
    "assemble",
    "by_group",
    "check_image",
    "copy_subset",
    "decode_mask",
    "encode_image",
    "encode_mask",
    "encode_png",
    "encode_sample",
    "group_numbers",
    "hand_side",
    "holds_subset",
    "read_image",
    "read_mask",
    "to_rle",
    "write_sample",
]
