"""Images: the truth survives scaling and augmentation, and bad data is refused by name."""

import numpy as np
import pytest
from trainer_samples import blob, edit_annotations, write_blobs

from handforge.dataset import Dataset, DatasetError, Instance, Sample, assemble, encode_mask, write_sample
from handforge.dataset.validate import check
from trainer.config.recipe import ImageSettings
from trainer.data import augment
from trainer.data.augment import TrainingSample
from trainer.data.images import ImagePool, check_records, memory_bytes, target

PLAIN = ImageSettings(64, 96, "none")
STUDIO = ImageSettings(64, 96, "studio")


@pytest.mark.parametrize(
    "size, expected",
    [((1280, 720), (1024, 576)), ((720, 1280), (576, 1024)), ((640, 480), (1024, 768)), ((500, 500), (800, 800))],
)
def test_fit_is_the_papers_1024x800(size, expected):
    assert augment.fit(*size, 800, 1024) == expected


def test_boxes_are_half_open_and_empty_masks_are_left_out():
    masks = np.zeros((3, 10, 12), bool)
    masks[0, 2:5, 3:4] = True  # one pixel wide
    masks[2, 0, 0] = True
    found = target(masks)
    assert found["boxes"].tolist() == [[3, 2, 4, 5], [0, 0, 1, 1]]
    assert found["labels"].tolist() == [1, 1]
    assert found["masks"].shape == (2, 10, 12)
    found = target(masks, np.arange(3, dtype=np.float32).reshape(3, 1, 1).repeat(3, 2), np.array([4, 5, 6]))
    assert found["labels"].tolist() == [4, 6] and found["keypoints"].tolist() == [[[0, 0, 0]], [[2, 2, 2]]]


def test_a_batch_without_augmentation_is_the_scaled_truth(tmp_path):
    dataset = Dataset(write_blobs(tmp_path / "d", hands=2))
    batch = ImagePool([dataset], PLAIN).batch([0, 3], None)
    assert [tuple(image.shape) for image in batch.images] == [(3, 64, 85)] * 2
    for image, truth in zip(batch.images, batch.targets, strict=True):
        assert len(truth["boxes"]) == 2
        skin = image[2] < 0.73  # halfway between the disc's blue and white
        assert (skin == truth["masks"].any(0).bool()).float().mean() > 0.99


def test_images_that_do_not_fit_into_memory_are_the_same(tmp_path, monkeypatch):
    dataset = Dataset(write_blobs(tmp_path / "d"))
    kept = ImagePool([dataset], STUDIO)
    kept.decode(range(len(kept)))
    monkeypatch.setattr("trainer.data.images.CACHE_FRACTION", 0)
    decoded = ImagePool([dataset], STUDIO)
    decoded.decode(range(len(decoded)))
    for index in range(len(dataset)):
        one, other = kept.sample(index), decoded.sample(index)
        assert (one.image == other.image).all() and (one.masks == other.masks).all()


def test_studio_keeps_image_and_mask_together():
    size = (320, 240)
    mask = blob(size, (150, 130), 40)
    pixels = np.where(mask[..., None], np.uint8(40), np.uint8(255)).repeat(3, 2)
    fractions = []
    for index in range(150):
        made = augment.studio(TrainingSample(pixels, mask[None]), (128, 96), np.random.default_rng([1, index]))
        assert made.image.shape == (96, 128, 3) and made.image.dtype == np.uint8
        if not len(made.masks):
            continue
        inside = made.masks[0]
        grey = made.image.mean(2)
        assert grey[inside].mean() < 0.75 * grey[~inside].mean()
        dark = grey < (grey[inside].mean() + grey[~inside].mean()) / 2
        assert (dark & inside).sum() / (dark | inside).sum() > 0.6
        fractions.append(inside.sum() / inside.size)
    assert len(fractions) > 125
    assert min(fractions) < 0.03 and max(fractions) > 0.4  # from a small hand to one that fills the frame


def test_photo_shows_a_window_of_the_image_with_the_hand(monkeypatch):
    """The image's red and green say where a pixel was, so the frame's corners can be traced to the source."""
    y, x = np.mgrid[:240, :320]
    pixels = np.stack([x * 255 / 319, y * 255 / 239, 0 * x], axis=-1).astype(np.uint8)
    mask = blob((320, 240), (250, 60), 25)
    zooms, mirrored, upright = [], 0, 0
    for index in range(80):
        matrix = augment._window(TrainingSample(pixels, mask[None]), (128, 96), np.random.default_rng([1, index]))
        corners = np.array([[0, 0], [128, 0], [0, 96], [128, 96]]) @ matrix[:, :2].T + matrix[:, 2]
        assert (corners >= -1e-6).all() and (corners <= [320 + 1e-6, 240 + 1e-6]).all()
        warped = augment._warp(TrainingSample(pixels, mask[None]), matrix, (128, 96))
        assert warped.masks.sum() * abs(np.linalg.det(matrix[:, :2])) > 0.6 * mask.sum()
        seen = warped.image[warped.masks[0]].mean(0)[:2] / 255 * [319, 239]
        assert np.linalg.norm(seen - [250, 60]) < 12
        zooms.append(1 / np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        mirrored += np.linalg.det(matrix[:, :2]) < 0
        upright += abs(matrix[0, 1]) < 1e-9
    assert min(zooms) < 0.45 and max(zooms) > 1.0  # 0.4 shows the whole image
    assert 25 < mirrored < 55 and 50 < upright < 78


def test_photo_changes_colours_less_than_studio():
    pixels = np.full((96, 128, 3), (150, 110, 90), np.uint8)
    mask = blob((128, 96), (64, 48), 30)

    def spread(name):
        made = [
            augment.augmented(
                name, TrainingSample(pixels, mask[None]), [], (128, 96), np.random.default_rng([2, index])
            )
            for index in range(60)
        ]
        return np.median(np.std([one.image.mean((0, 1)) for one in made], axis=0))

    assert 4 < spread("photo") < spread("studio")


def test_photo_shows_hands_in_other_colours_and_without_any():
    pixels = np.full((96, 128, 3), (150, 110, 90), np.uint8)
    sample = TrainingSample(pixels, blob((128, 96), (64, 48), 30)[None])
    made = [augment.photo(sample, [], (128, 96), np.random.default_rng([3, index])).image for index in range(60)]
    red, green, blue = np.array([one.mean((0, 1)) for one in made]).T
    warm = (red > green) & (green > blue)
    assert 0.5 < warm.mean() < 0.9 and (blue > red).any() and (green > red).any()


def test_photo_puts_four_images_side_by_side(monkeypatch):
    """Every image has a colour of its own, a hand, and joints on the hand, so each is known again in the frame."""
    monkeypatch.setattr(augment, "FOUR", 1)
    monkeypatch.setattr(augment, "HAND_FREE", 0)
    monkeypatch.setattr(augment, "_recolor", lambda pixels, rng, **kwargs: pixels / np.float32(255))
    monkeypatch.setattr(augment, "_relight", lambda pixels, rng, **kwargs: np.clip(pixels, 0, 1))
    monkeypatch.setattr(augment, "CAST", 0)
    tones, hand = (40, 90, 140, 190), blob((320, 240), (160, 120), 60)
    joints = np.tile(np.array([160, 120, 2], np.float32), (1, 21, 1))
    samples = [
        TrainingSample(np.where(hand[..., None], np.uint8(tone + 30), np.uint8(tone)).repeat(3, 2), hand[None], joints)
        for tone in tones
    ]
    made = augment.photo(samples[0], samples[1:], (128, 96), np.random.default_rng(0))
    grey = made.image.mean(2)
    seen = [np.median(grey[mask]) for mask in made.masks]
    assert np.allclose(sorted(seen), np.array(tones) + 30, atol=3)
    assert not (made.masks.sum(0) > 1).any()
    for mask, points in zip(made.masks, made.keypoints, strict=True):
        x, y = points[0, :2].astype(int)
        assert points[0, 2] == 2 and mask[y, x] and (points == points[0]).all()


def test_alone_an_image_stands_beside_itself(monkeypatch):
    monkeypatch.setattr(augment, "FOUR", 1)
    monkeypatch.setattr(augment, "HAND_FREE", 0)
    sample = TrainingSample(np.zeros((96, 128, 3), np.uint8), blob((128, 96), (64, 48), 30)[None])
    assert len(augment.photo(sample, [], (128, 96), np.random.default_rng(0)).masks) == 4


def test_decoys_have_the_hands_colours_and_leave_the_hands_alone():
    """A red hand on a blue ground: what is red outside the hand is a decoy."""
    mask = blob((128, 96), (64, 48), 20)
    pixels = np.where(mask[..., None], np.uint8((200, 90, 60)), np.uint8((40, 60, 160)))
    inner = blob((128, 96), (64, 48), 17)
    fractions = []
    for index in range(60):
        sample = TrainingSample(pixels, mask[None])
        made = augment._with_decoys(sample, sample, np.random.default_rng([4, index])).astype(int)
        assert made.shape == pixels.shape and (abs(made - pixels)[inner] <= 1).all()
        changed = (made != pixels).any(2) & ~mask
        red = made[..., 0] > made[..., 2]
        assert (red & ~mask & ~changed).sum() == 0
        fractions.append((red & ~mask).sum() / (~mask).sum())
    assert min(fractions) < 0.1 and max(fractions) == 1 and 0.2 < np.mean(fractions) < 0.7


def test_decoys_come_in_some_draws_and_keep_the_masks(monkeypatch):
    mask = blob((128, 96), (64, 48), 20)
    sample = TrainingSample(np.where(mask[..., None], np.uint8((200, 90, 60)), np.uint8((40, 60, 160))), mask[None])
    plain, decoys = (
        [augment.augmented(name, sample, [], (128, 96), np.random.default_rng([5, i])) for i in range(100)]
        for name in ("photo", "decoys")
    )
    monkeypatch.setattr(augment, "DECOYS", 0)
    none = [augment.augmented("decoys", sample, [], (128, 96), np.random.default_rng([5, i])) for i in range(100)]
    windows = [np.array_equal(a.masks, b.masks) for a, b in zip(plain, decoys, strict=True)]
    assert np.mean(windows) > 0.8  # four side by side are drawn before, the place of the window too
    red = [((p.image[..., 0] > p.image[..., 2]) & ~p.masks.any(0)).mean() for p in decoys]
    without = [((p.image[..., 0] > p.image[..., 2]) & ~p.masks.any(0)).mean() for p in none]
    assert np.mean(np.array(red) > 0.05) - np.mean(np.array(without) > 0.05) > 0.15


def test_without_a_hand_there_is_nothing_to_mimic():
    empty = TrainingSample(np.full((96, 128, 3), 90, np.uint8), np.zeros((0, 96, 128), bool))
    assert augment._with_decoys(empty, empty, np.random.default_rng(0)) is empty.image


def test_decoys_without_a_hand_have_the_colours_of_the_source():
    mask = blob((128, 96), (64, 48), 20)
    source = TrainingSample(np.where(mask[..., None], np.uint8((200, 90, 60)), np.uint8((40, 60, 160))), mask[None])
    empty = TrainingSample(np.full((48, 64, 3), (40, 60, 160), np.uint8), np.zeros((0, 48, 64), bool))
    made = augment._with_decoys(empty, source, np.random.default_rng(0))
    red = made[..., 0] > made[..., 2]
    assert made.shape == empty.image.shape and red.any() and not red.all()


@pytest.mark.parametrize("name", ["photo", "decoys"])
def test_a_fraction_of_windows_is_hand_free(name, monkeypatch):
    """The hand is a corner of the image: many windows miss it, and whatever is left of it is in the masks."""
    monkeypatch.setattr(augment, "FOUR", 0)
    mask = blob((320, 240), (50, 60), 40)
    sample = TrainingSample(np.where(mask[..., None], np.uint8((200, 90, 60)), np.uint8((40, 60, 160))), mask[None])

    def empty():
        made = [augment.augmented(name, sample, [], (96, 64), np.random.default_rng([8, i])) for i in range(200)]
        assert all(one.image.shape == (64, 96, 3) for one in made)
        return np.mean([not len(one.masks) for one in made])

    assert 0.07 < empty() < 0.19
    monkeypatch.setattr(augment, "HAND_FREE", 0)
    assert empty() == 0


def test_hand_free_windows_lie_in_the_image_and_touch_no_hand():
    mask = np.zeros((240, 320), bool)
    mask[60:180, 140:180] = True
    place = np.stack([*np.meshgrid(np.arange(320), np.arange(240)), np.zeros((240, 320))], -1).astype(np.uint8)
    place[..., 0] //= 2  # 0 to 159 and 0 to 239: a pixel tells where it comes from
    sample = TrainingSample(place, mask[None])
    for index in range(50):
        matrix = augment._hand_free_window(sample, (64, 48), np.random.default_rng(index))
        corners = np.array([[0, 0, 1], [64, 48, 1]]) @ matrix.T
        assert corners.min() >= 0 and (corners <= (320, 240)).all()
        assert not augment._warp(sample, matrix, (64, 48)).masks.any()
    full = TrainingSample(place, np.ones((1, 240, 320), bool))
    assert augment._hand_free_window(full, (64, 48), np.random.default_rng(0)) is None


def test_studio_depends_on_its_generator_only(tmp_path):
    pool = ImagePool([Dataset(write_blobs(tmp_path / "d"))], STUDIO)
    one, same, other = (pool.batch([1, 2], [0, k]) for k in (5, 5, 6))
    assert all((a == b).all() for a, b in zip(one.images, same.images, strict=True))
    assert one.images[0].shape != other.images[0].shape or (one.images[0] != other.images[0]).any()


def test_a_missing_and_a_truncated_image(tmp_path):
    folder = write_blobs(tmp_path / "d")
    path = folder / "images" / "blob002.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DatasetError, match=r"blob002\.png is damaged or cut short"):
        ImagePool([Dataset(folder)], PLAIN).decode([2])
    path.unlink()
    with pytest.raises(DatasetError, match=r"blob002\.png is missing"):
        ImagePool([Dataset(folder)], PLAIN).decode([2])


def _small_mask(content):
    content["annotations"][3]["segmentation"] = encode_mask(np.ones((60, 80), bool))


def _same_mask(content):
    content["annotations"].append({**content["annotations"][3], "id": 99})


@pytest.mark.parametrize("augmentation", ["studio", "photo", "decoys"])
def test_a_hand_that_vanishes_in_scaling_is_not_there(tmp_path, augmentation):
    speck = np.zeros((1200, 1600), bool)
    speck[5:8, 5:8] = True
    pixels = np.full((1200, 1600, 3), 255, np.uint8)
    for part in ("images", "masks"):
        (tmp_path / "d" / part).mkdir(parents=True)
    records = [write_sample(tmp_path / "d", Sample("one", pixels, (Instance(speck),)))]
    assemble(tmp_path / "d", records, {})
    pool = ImagePool([Dataset(tmp_path / "d")], ImageSettings(64, 96, augmentation))
    for seed in range(8):
        assert len(pool.batch([0, 0], [seed]).targets[0]["boxes"]) == 0


def test_processes_share_the_memory(monkeypatch):
    alone = memory_bytes()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert memory_bytes() == alone // 4 > 0


def test_categories_go_by_the_names_that_the_dataset_has(tmp_path):
    """As in the evaluation: hands may have any number, and what is no hand is a category of its own."""
    folder = write_blobs(tmp_path / "d")

    def renumber(content):
        content["categories"] = [{"id": 1, "name": "hand+forearm"}, {"id": 7, "name": "hand"}]
        for annotation in content["annotations"][2:]:
            annotation["category_id"] = 7

    edit_annotations(folder, renumber)
    for category, count in (("hand", 4), ("hand+forearm", 2), (None, 6)):
        dataset = Dataset(folder, category)
        check_records(dataset)
        assert sum(len(dataset.annotations(image)) for image in dataset) == count
    edit_annotations(folder, lambda content: content["categories"][0].update(name="face"))
    check_records(dataset := Dataset(folder, "hand"))
    assert [category.name for category in ImagePool([dataset], PLAIN).classes] == ["face", "hand"]


@pytest.mark.parametrize(
    "change, message",
    [
        (_small_mask, "annotation 4 of blob003.png: the mask is 80x60, its image 160x120"),
        (_same_mask, "blob003.png: annotation 99 has the same mask as annotation 4"),
        (
            lambda c: c["annotations"][3].update(category_id=0),
            r"blob003.png: annotation 4: category 0 is not listed; there are 1 \(hand\)",
        ),
        (
            lambda c: c["annotations"][3].update(iscrowd=9),
            "blob003.png: annotation 4: iscrowd is 9, it must be 0 or 1",
        ),
        (lambda c: c["annotations"][3].update(bbox=[150, 10, 30, 10]), "annotation 4: .* does not lie in the image"),
        (lambda c: c["annotations"][3].update(bbox=[10, 10, 0, 10]), "annotation 4: .* does not lie in the image"),
        (lambda c: c["annotations"][3].update(bbox="x"), "blob003.png: annotation 4: bbox is 'x', it must be x, y"),
    ],
)
def test_bad_annotations_are_refused_by_file_and_id(tmp_path, change, message):
    folder = write_blobs(tmp_path / "d")
    edit_annotations(folder, change)
    with pytest.raises(DatasetError, match=message):
        ImagePool([Dataset(folder)], PLAIN).decode([3])


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.update(iscrowd=1e9),
        lambda a: a.update(iscrowd="no"),
        lambda a: a.update(category_id=5),
        lambda a: a.update(bbox=[10, 10, "5", 5]),
        lambda a: a.update(bbox=[1e308, 1e308, 1e308, 1e308]),
        lambda a: a.update(keypoints=[1e308, 1e308, 2] * 21),
        lambda a: a.update(keypoints=[5, 5, -1] * 21),
        lambda a: a.update(keypoints=[5, 5, 2] * 21, num_keypoints="x"),
        lambda a: a.update(side="odd"),
        lambda a: a.update(glove=3),
        lambda a: a.update(mirrored="yes"),
    ],
)
def test_check_says_what_training_refuses(tmp_path, change):
    folder = write_blobs(tmp_path / "d", count=1)
    edit_annotations(folder, lambda content: change(content["annotations"][0]))
    found = check(folder, 1, lambda done, total: None)
    with pytest.raises(DatasetError) as refused:
        check_records(Dataset(folder))
    assert str(refused.value) == f"{folder / 'annotations.json'}: {found[0]}"
