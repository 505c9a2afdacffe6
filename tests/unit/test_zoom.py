"""The closer look at small objects, with a network whose truth is known: it finds what is red."""

from types import SimpleNamespace

import pytest
import torch

from trainer.inference.zoom import look_closer, parts_around


class RedNetwork:
    """Finds the red pixels of an image as one object, with a score that is told, and counts the looks."""

    roi_heads = SimpleNamespace(nms_thresh=0.3)

    def __init__(self, score=0.6, label=1):
        self.score, self.label, self.looks = score, label, []

    def __call__(self, images):
        self.looks.append([tuple(image.shape) for image in images])
        return [self._find(image) for image in images]

    def _find(self, image):
        red = image[0] > 0.5
        rows, columns = red.any(1).nonzero()[:, 0], red.any(0).nonzero()[:, 0]
        if not len(rows):
            return output([], [], [], torch.zeros(0, 1, *red.shape))
        box = [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]
        return output([box], [self.score], [self.label], red.float()[None, None])


def output(boxes, scores, labels, masks):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    center = torch.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2, torch.ones(len(boxes))], 1)
    return {
        "boxes": boxes,
        "scores": torch.tensor(scores, dtype=torch.float32),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "masks": masks,
        "keypoints": center[:, None],
        "keypoints_scores": torch.tensor(scores, dtype=torch.float32)[:, None],
    }


def at_first(boxes, scores, labels=None):
    """What a first look finds in :func:`pixels`: masks that are all of the image."""
    return output(boxes, scores, labels or [1] * len(boxes), torch.ones(len(boxes), 1, 120, 160))


def pixels():
    """Red from x 100 to 112 and y 20 to 30."""
    image = torch.zeros(3, 120, 160)
    image[0, 20:30, 100:112] = 1
    return image


def test_the_part_is_around_the_box_inside_the_image_and_of_its_shape():
    boxes = torch.tensor([[70.0, 50, 90, 60], [0, 0, 8, 12], [140, 100, 160, 120], [50, 0, 50 + 44, 10]])
    assert parts_around(boxes, 120, 160) == [
        (50, 32, 110, 77),  # 3 * 20 / 160 of both sides: 60x45
        (0, 0, 48, 36),  # 3 * 12 / 120, and as far as the image goes
        (80, 60, 160, 120),  # 3 * 20 / 120
        None,  # 3 * 44 / 160 is more than 0.8
    ]


def test_what_the_closer_look_finds_takes_the_place_of_the_first_ones():
    network = RedNetwork(score=0.6)
    better = look_closer(network, pixels(), at_first([[96, 18, 110, 31]], [0.9]))
    assert network.looks == [[(3, 39, 52)]]  # 3 * 13 / 120 of 120 and of 160
    assert better["boxes"].tolist() == [[100, 20, 112, 30]]
    assert better["scores"].tolist() == pytest.approx([(0.9 + 0.6) / 2])
    assert torch.equal(better["masks"][0, 0], pixels()[0])
    assert better["keypoints"].tolist() == [[[106, 25, 1]]]
    assert better["keypoints_scores"].tolist() == [[pytest.approx(0.6)]]


def test_a_closer_look_can_make_an_object_surer():
    better = look_closer(RedNetwork(score=0.8), pixels(), at_first([[96, 18, 110, 31]], [0.4]))
    assert better["scores"].tolist() == pytest.approx([0.6])


@pytest.mark.parametrize(
    ("box", "label"),
    [
        pytest.param([20, 60, 30, 70], 1, id="nothing there"),
        pytest.param([112, 30, 126, 42], 1, id="another object beside it"),
        pytest.param([96, 18, 110, 31], 2, id="another class"),
    ],
)
def test_what_is_not_found_again_loses_half_its_score(box, label):
    better = look_closer(RedNetwork(), pixels(), at_first([box], [0.9], [label]))
    assert better["scores"].tolist() == pytest.approx([0.45]) and better["boxes"].tolist() == [box]


def test_two_finds_that_are_the_same_object_at_a_closer_look_become_one():
    better = look_closer(RedNetwork(), pixels(), at_first([[96, 18, 110, 31], [101, 21, 116, 30]], [0.9, 0.5]))
    assert better["boxes"].tolist() == [[100, 20, 112, 30]]
    assert better["scores"].tolist() == pytest.approx([0.75])


class TwoObjects(RedNetwork):
    """Finds, in the part around the red object, that one (23 to 35, 15 to 25) and one on its left edge, surer."""

    def _find(self, image):
        masks = torch.zeros(2, 1, *image.shape[1:])
        return output([[14, 13, 26, 26], [23, 15, 35, 25]], [0.9, 0.5], [1, 1], masks)


def test_of_several_objects_at_a_closer_look_the_one_that_overlaps_most_is_the_same():
    better = look_closer(TwoObjects(), pixels(), at_first([[96, 18, 110, 31]], [0.9]))
    assert better["boxes"].tolist() == [[100, 20, 112, 30]]
    assert better["scores"].tolist() == pytest.approx([(0.9 + 0.5) / 2])


def test_an_object_on_one_of_another_class_stays():
    better = look_closer(RedNetwork(), pixels(), at_first([[96, 18, 110, 31]] * 2, [0.9, 0.8], [1, 2]))
    assert better["labels"].tolist() == [1, 2] and better["scores"].tolist() == pytest.approx([0.75, 0.4])


def test_large_and_unlikely_objects_are_left_as_they_are():
    network, found = RedNetwork(), at_first([[60, 10, 120, 60], [96, 18, 110, 31]], [0.9, 0.19])
    better = look_closer(network, pixels(), found)
    assert network.looks == []
    assert all(torch.equal(better[name], values) for name, values in found.items())
