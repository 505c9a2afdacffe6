"""Masks that follow an image's edges: coarse masks of shapes whose outline is known."""

import numpy as np
import pytest
from PIL import Image
from trainer_samples import blob

from handforge.dataset import HAND_CATEGORIES
from trainer.inference import detections
from trainer.inference.mask_refinement import refine_masks


def coarse(mask, cells=28, shift=(0, 0)):
    """What a network would give: the mask by cells, between them smooth, and a little beside its place."""
    small = Image.fromarray(mask.astype(np.float32)).resize((cells, cells), Image.Resampling.BOX)
    soft = np.asarray(small.resize(mask.shape[::-1], Image.Resampling.BILINEAR))
    return np.roll(soft, shift, (0, 1))


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def box_of(mask, margin=0):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0] - margin, rows[0] - margin, columns[-1] + 1 + margin, rows[-1] + 1 + margin], float)


def shape(width, height):
    """A palm with two fingers, and an image of it: a warm thing before a cold one, with noise and shade."""
    scale = width / 200
    mask = blob((width, height), (100 * scale, 90 * scale), 32 * scale)
    mask[int(20 * scale) : int(80 * scale), int(84 * scale) : int(94 * scale)] = True
    mask[int(20 * scale) : int(80 * scale), int(106 * scale) : int(116 * scale)] = True
    pixels = np.where(mask[..., None], [190.0, 130, 100], [120, 140, 150])
    pixels *= np.linspace(0.8, 1.1, width)[None, :, None]
    pixels += np.random.default_rng(0).normal(0, 3, pixels.shape)
    return mask, pixels.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("width, height", [(200, 150), (1600, 1200)])
@pytest.mark.parametrize("shift", [(0, 0), (1, -2)])
def test_the_outline_goes_where_the_colours_change(width, height, shift):
    mask, pixels = shape(width, height)
    soft = coarse(mask, shift=tuple(part * width // 200 for part in shift))
    assert iou(soft > 0.5, mask) < 0.96
    cut = refine_masks(soft, pixels, box_of(mask))
    assert cut.dtype == bool and cut.shape == mask.shape
    assert iou(cut, mask) > 0.99


def test_an_image_without_edges_leaves_a_mask_as_it_is():
    mask = blob((200, 150), (100, 75), 40)
    soft = coarse(mask)
    cut = refine_masks(soft, np.full((150, 200, 3), 128, np.uint8), box_of(mask))
    assert iou(cut, soft > 0.5) > 0.97


def test_nothing_is_cut_far_from_the_box():
    mask, pixels = shape(200, 150)
    pixels[:, 180:] = pixels[90, 100]  # the hand's colours at the other end of the image
    cut = refine_masks(coarse(mask), pixels, box_of(mask))
    assert not cut[:, 160:].any()


def test_a_box_at_the_rim_or_without_a_size():
    mask, pixels = shape(200, 150)
    for box in ((0, 0, 200, 150), (199, 149, 200, 150), (50, 50, 50, 50)):
        assert refine_masks(coarse(mask), pixels, np.array(box, float)).shape == mask.shape


@pytest.mark.parametrize("threshold, found", [(0.3, 1), (0.5, 0)])
def test_a_hand_that_is_nowhere_likelier_than_half_is_there_at_a_lower_threshold(threshold, found):
    mask = blob((80, 60), (40, 30), 15)
    image = np.where(mask[..., None], np.uint8(200), np.uint8(40)).repeat(3, 2)
    output = {
        "scores": np.array([0.9]),
        "boxes": box_of(mask)[None],
        "labels": np.array([1]),
        "masks": np.float32(0.4) * mask[None, None],
    }
    hands = detections._detections(output, image, HAND_CATEGORIES[:1], threshold)
    assert len(hands) == found
    assert all(hand.mask is not None and iou(hand.mask, mask) > 0.95 for hand in hands)
