"""The COCO dataset on disk. The one room that trainer and evaluation may import.

A dataset folder::

    images/NAME.png|jpg|webp    the pictures
    masks/NAME.png              the truth beside them: 255 on a hand, 0 elsewhere (all annotations of the picture)
    depth/ normals/ parts/      more truths, on request: truths.py says what they hold
    annotations.json            COCO: images, annotations (compressed RLE), categories of :data:`CATEGORIES`
    dataset.json                how it was made: settings, seed, versions, counts
    preview.jpg                 a contact sheet

Conventions: image and annotation ids start at 1; ``iscrowd`` is 0; ``area`` is the mask's pixels; ``bbox`` is
``pycocotools.mask.toBbox``, half-open xywh. A frame's record says nothing of time or machine, so the same frame has
the same bytes wherever it is made.

frame.py says what a picture and its truth are, masks.py, pictures.py and truths.py how they are stored; writer.py and
reader.py write and read the folder.
"""

from generator.dataset.frame import (
    CATEGORIES,
    CATEGORY_ID,
    KEYPOINTS,
    PARTS,
    SKELETON,
    TRUTHS,
    DatasetError,
    Frame,
    Instance,
)
from generator.dataset.masks import decode_mask, encode_mask, hand_side, to_rle
from generator.dataset.pictures import (
    IMAGE_SUFFIXES,
    MAX_PIXELS,
    encode_picture,
    encode_png,
    read_mask,
    read_picture,
)
from generator.dataset.reader import Dataset, check_image
from generator.dataset.writer import (
    assemble,
    copy_subset,
    dump_json,
    encode_frame,
    holds_subset,
    new_folder,
    write_atomic,
    write_frame,
)

__all__ = [
    "CATEGORIES",
    "CATEGORY_ID",
    "IMAGE_SUFFIXES",
    "KEYPOINTS",
    "MAX_PIXELS",
    "PARTS",
    "SKELETON",
    "TRUTHS",
    "Dataset",
    "DatasetError",
    "Frame",
    "Instance",
    "assemble",
    "check_image",
    "copy_subset",
    "decode_mask",
    "dump_json",
    "encode_frame",
    "encode_mask",
    "encode_picture",
    "encode_png",
    "hand_side",
    "holds_subset",
    "new_folder",
    "read_mask",
    "read_picture",
    "to_rle",
    "write_atomic",
    "write_frame",
]
