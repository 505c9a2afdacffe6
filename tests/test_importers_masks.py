"""hand-trainer import masks: folders of images and masks become datasets."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from trainer_samples import blob

from handforge.dataset import Dataset, check_image
from trainer.cli import main


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for index, suffix in enumerate(("jpg", "png", "png")):
        mask = blob((64, 48), (20 + 8 * index, 24), 10)
        mask[2:4, 2:4] = True  # a speck
        Image.fromarray(np.where(mask[..., None], np.uint8(90), np.uint8(250)).repeat(3, 2)).save(
            folder / "images" / f"p{index}.{suffix}"
        )
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"p{index}.png")
    return folder


def run(*words):
    return CliRunner().invoke(main, ["import", "masks", *map(str, words)])


def test_pictures_and_masks_arrive_whole(source, tmp_path):
    done = run(source, tmp_path / "out")
    assert done.exit_code == 0, done.output
    dataset = Dataset(tmp_path / "out")
    assert [image["file_name"] for image in dataset] == ["p0.png", "p1.png", "p2.png"]
    for index, image in enumerate(dataset):
        assert check_image(dataset, image) == []
        truth = np.asarray(Image.open(source / "masks" / f"p{index}.png")) > 127
        assert (dataset.masks(image)[0] == truth).all()


def test_masks_of_any_format(source, tmp_path):
    for name in ("p0.TIF", "p1.webp", "p2.bmp"):
        old = source / "masks" / f"{name[:2]}.png"
        Image.open(old).save(source / "masks" / name, lossless=True)
        old.unlink()
    assert run(source, tmp_path / "out").exit_code == 0
    dataset = Dataset(tmp_path / "out")
    for index, image in enumerate(dataset):
        hand, speck = blob((64, 48), (20 + 8 * index, 24), 10), 4
        assert (dataset.masks(image)[0] & ~hand).sum() == speck and dataset.masks(image)[0][hand].all()


def test_what_is_said_of_a_source_goes_into_the_dataset(source, tmp_path):
    assert run(source, tmp_path / "out", "--background", "door", "--all-hands", "--mask", "hand+forearm").exit_code == 0
    dataset = Dataset(tmp_path / "out")
    assert dataset.info["scene"] == {"background": "door", "all_hands": True}
    assert [dataset.annotations(image)[0]["category_id"] for image in dataset] == [2, 2, 2]
    assert run(source, tmp_path / "silent").exit_code == 0
    assert Dataset(tmp_path / "silent").info["scene"] == {}
    done = run(source, tmp_path / "other", "--mask", "arm")
    assert done.exit_code == 2 and "'arm' is not one of 'hand', 'hand+forearm'" in done.stderr


def test_specks_are_dropped_on_request(source, tmp_path):
    assert run(source, tmp_path / "out", "--min-area", 5).exit_code == 0
    dataset = Dataset(tmp_path / "out")
    for index, image in enumerate(dataset):
        assert (dataset.masks(image)[0] == blob((64, 48), (20 + 8 * index, 24), 10)).all()


def test_an_import_without_a_hand_says_so(source, tmp_path):
    done = run(source, tmp_path / "out", "--min-area", 99999)
    assert done.exit_code == 0 and "with 0 hands" in done.stdout and "No image has a hand" in done.stderr


def test_the_pieces_of_a_mask_are_hands_on_request(source, tmp_path):
    assert run(source, tmp_path / "out", "--split").exit_code == 0
    dataset = Dataset(tmp_path / "out")
    for index, image in enumerate(dataset):
        assert check_image(dataset, image) == []
        speck, hand = dataset.masks(image)
        assert speck[2:4, 2:4].all() and speck.sum() == 4
        assert (hand == blob((64, 48), (20 + 8 * index, 24), 10)).all()


def _drop_mask(source):
    (source / "masks/p1.png").unlink()


def _grey(source):
    Image.fromarray(blob((64, 48), (28, 24), 10).astype(np.uint8)).save(source / "masks/p1.png")


def _folder_for_mask(source):
    _drop_mask(source)
    (source / "masks/p1.png").mkdir()


def _other_size(source):
    Image.new("L", (32, 32), 255).save(source / "masks/p1.png")


def _cut(source):
    path = source / "images/p1.png"
    path.write_bytes(path.read_bytes()[:60])


def _no_pictures(source):
    for path in (source / "images").iterdir():
        path.unlink()


def _no_folder(source):
    (source / "images").rename(source / "pictures")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (_drop_mask, "p1.png has no mask; "),
        (_grey, "p1.png is nowhere brighter than 1 of 255; a mask is black, and white where the hand is"),
        (_folder_for_mask, "masks/p1.png is a folder, not an image"),
        (_other_size, "p1: the mask is 32x32, its image 64x48"),
        (_cut, "p1.png is damaged or cut short"),
        (_no_pictures, "images holds no image (.png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff); folders in it are not"),
        (_no_folder, "images is missing"),
    ],
)
def test_wrong_input_leaves_nothing(source, tmp_path, spoil, message):
    spoil(source)
    done = run(source, tmp_path / "out")
    assert done.exit_code == 2
    assert message in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_folder_in_use_is_refused(source, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("x")
    done = run(source, tmp_path / "out")
    assert done.exit_code == 2 and "out is there already; give a new folder" in done.stderr


def test_what_is_transparent_is_no_hand(source, tmp_path):
    mask = np.asarray(Image.open(source / "masks/p1.png")) > 127
    white = np.full((*mask.shape, 4), 255, np.uint8)
    white[..., 3] = mask * np.uint8(255)
    Image.fromarray(white).save(source / "masks/p1.png")
    assert run(source, tmp_path / "out").exit_code == 0
    dataset = Dataset(tmp_path / "out")
    assert (dataset.masks(dataset.images[1])[0] == mask).all()


def test_masks_without_a_picture_are_mentioned(source, tmp_path):
    (source / "images/p1.png").unlink()
    done = run(source, tmp_path / "out")
    assert done.exit_code == 0 and "1 masks have no image in" in done.stderr and "p1 for one" in done.stderr
