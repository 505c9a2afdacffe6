"""Categories come from the data: chosen by name, kept under their own ids, crowds in none of them."""

import numpy as np
import pytest
import torch
from trainer_samples import blob, write_shapes

from handforge.dataset import HAND_CATEGORIES, Category, Dataset, DatasetError
from trainer.config import categories
from trainer.config.recipe import ImageSettings, Network
from trainer.data import augment
from trainer.data.augment import TrainingSample
from trainer.data.images import CROWD_COLOR, ImagePool
from trainer.errors import WeightsError
from trainer.inference import detections, tta
from trainer.inference.predict import category_ids
from trainer.models import networks

PLAIN = ImageSettings(120, 160)
LEFT_RIGHT = Category(5, "face", ("nose", "left_eye", "right_eye"), ((1, 2), (1, 3)))


def names(chosen):
    return [(category.id, category.name) for category in chosen]


def test_all_annotated_categories_are_learned_under_their_own_ids(tmp_path):
    data = Dataset(write_shapes(tmp_path / "data", {"circle": 7, "square": 3, "unused": 9}))
    assert names(categories.choose([data])) == [(7, "circle"), (3, "square")]
    assert names(categories.choose([data], ["square"])) == [(3, "square")]
    with pytest.raises(DatasetError, match="no annotation of the category 'triangle'; there are circle, square"):
        categories.choose([data], ["triangle"])


def test_categories_of_several_sets_are_the_same_if_their_names_are(tmp_path):
    one = Dataset(write_shapes(tmp_path / "one", {"circle": 1, "square": 2}))
    other = Dataset(write_shapes(tmp_path / "other", {"square": 1, "star": 2}))
    assert names(categories.choose([one, other])) == [(1, "circle"), (2, "square"), (3, "star")]
    pool = ImagePool([one, other], PLAIN)
    labels = [pool.batch([number], None).targets[0]["labels"].tolist() for number in (0, len(one))]
    assert labels == [[1, 2], [2, 3]]


def test_objects_of_categories_that_are_not_learned_are_background(tmp_path):
    data = Dataset(write_shapes(tmp_path / "data", {"circle": 1, "square": 2}))
    pool = ImagePool([data], PLAIN, classes=categories.choose([data], ["square"]))
    target = pool.batch([0], None).targets[0]
    assert target["labels"].tolist() == [1]
    assert (target["masks"][0].numpy().astype(bool) == data.masks(data.images[0])[1]).all()


def test_a_crowd_is_neither_object_nor_background(tmp_path):
    data = Dataset(write_shapes(tmp_path / "data", {"circle": 1, "square": 2}, crowds=("square",)))
    assert names(categories.choose([data])) == [(1, "circle")]
    pool = ImagePool([data], PLAIN)
    batch, (circle, crowd) = pool.batch([0], None), data.masks(data.images[0])
    assert batch.targets[0]["labels"].tolist() == [1]
    image = (batch.images[0].numpy().transpose(1, 2, 0) * 255).round().astype(np.uint8)
    assert (image[crowd & ~circle] == CROWD_COLOR).all()
    assert (image[~crowd] == data.read_image(data.images[0])[~crowd]).all()


def test_left_and_right_exchange_in_a_mirror_image():
    assert categories.mirrored_order(LEFT_RIGHT) == (0, 2, 1) and categories.mirrored_order(HAND_CATEGORIES[0]) == ()
    points = np.array([[[50, 40, 2], [30, 20, 2], [70, 20, 1]]], np.float32)
    sample = TrainingSample(
        np.zeros((80, 100, 3), np.uint8), blob((100, 80), (50, 40), 30)[None], points, None, (0, 2, 1)
    )
    made = augment._warp(sample, np.array([[-1.0, 0, 100], [0, 1, 0]]), (100, 80))
    assert made.keypoints.tolist() == [[[50, 40, 2], [30, 20, 1], [70, 20, 2]]]
    same = augment._warp(sample, np.array([[1.0, 0, 0], [0, 1, 0]]), (100, 80))
    assert same.keypoints.tolist() == points.tolist()


def test_one_network_learns_the_keypoints_of_one_kind():
    assert categories.common_keypoints([LEFT_RIGHT]) is LEFT_RIGHT
    with pytest.raises(DatasetError, match="'face' and 'hand' have different keypoints; learn them one at a time"):
        categories.common_keypoints([LEFT_RIGHT, HAND_CATEGORIES[0]])
    with pytest.raises(DatasetError, match="'cup' has no keypoints, which the task keypoints needs"):
        categories.common_keypoints([Category(1, "cup")])
    arch = networks.architecture(Network(task="keypoints", backbone="resnet18", init="none"), [LEFT_RIGHT])
    assert arch.classes == ["face"] and arch.keypoints == 3


def test_categories_are_read_back_and_damaged_ones_refused():
    described = {"architecture": {"classes": ["face"]}, "categories": categories.to_json([LEFT_RIGHT])}
    assert networks.categories_of(described) == (LEFT_RIGHT,)
    assert networks.categories_of({"architecture": {"classes": ["hand+forearm"]}}) == HAND_CATEGORIES[1:]
    for wrong in (
        5,
        [{"id": 1}],
        [{"id": "1", "name": "face"}],
        [{**described["categories"][0], "skeleton": [[1, 9]]}],
    ):
        with pytest.raises(WeightsError, match="categories are damaged"):
            networks.categories_of({**described, "categories": wrong})
    with pytest.raises(WeightsError, match="not those of its classes"):
        networks.categories_of({**described, "architecture": {"classes": ["cup"]}})


def test_results_have_the_ids_of_the_dataset_and_no_id_means_two_categories():
    learned = (Category(1, "cup"), Category(2, "hand"))
    assert category_ids(learned, {}) == {"cup": 1, "hand": 2}
    assert category_ids(learned, {"hand": 1}) == {"cup": 2, "hand": 1}
    assert category_ids(learned, {"plate": 1, "hand": 4}) == {"cup": 5, "hand": 4}


def test_overlapping_masks_are_one_object_within_a_class_only():
    disc = blob((40, 40), (20, 20), 10)
    assert detections.distinct(np.array([disc, disc]), np.array([1, 2])) == [0, 1]
    assert detections.distinct(np.array([disc, disc]), np.array([2, 2])) == [0]


def test_views_are_fused_a_class_at_a_time():
    """A weak box that shares a third with a better one of its class is none, as in a single view."""
    box, far, weak = (torch.tensor([[x, y, x + 10, y + 10]]) for x, y in ((0.0, 0), (50.0, 50), (5.0, 0)))
    views = [
        tta._View(
            torch.cat([box, box, far, weak]),
            torch.tensor(scores),
            torch.tensor([1, 2, 2, 1]),
            {},
            (80, 80),
            (80, 80),
            False,
            1e9,
        )
        for scores in ([0.8, 0.4, 0.9, 0.1], [0.6, 0.2, 0.7, 0.1])
    ]
    boxes, scores, labels = tta._fused_by_class(views, torch.tensor([1e9, 1e9]), 0.3)
    assert labels.tolist() == [2, 1, 2] and np.allclose(scores, [0.8, 0.7, 0.3])
    assert torch.allclose(boxes, torch.cat([far, box, box]), atol=1e-4)


def test_several_categories_have_a_colour_and_a_name_each():
    image = np.full((60, 80, 3), 255, np.uint8)
    found = [
        detections.Detection.of_mask(blob((80, 60), (x, 30), 12), 0.9, name) for x, name in ((20, "cup"), (60, "plate"))
    ]
    drawn = detections.overlay(image, found, ["plate", "cup"])
    alone = detections.overlay(image, found[:1], ["plate", "cup"])
    assert (drawn[35, 20] == alone[35, 20]).all() and (drawn[35, 60] != drawn[35, 20]).any()
