"""hand-trainer import masks: folders of images and masks become datasets."""

import os

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


def test_images_and_masks_arrive_whole(source, tmp_path):
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


def _dim(source):
    for path in (source / "masks").iterdir():
        Image.fromarray(np.linspace(0, 120, 64 * 48).astype(np.uint8).reshape(48, 64)).save(path)


def _twins(source):
    Image.open(source / "masks/p1.png").save(source / "masks/p1.bmp")


def _folder_for_mask(source):
    _drop_mask(source)
    (source / "masks/p1.png").mkdir()


def _other_size(source):
    Image.new("L", (32, 32), 255).save(source / "masks/p1.png")


def _cut(source):
    path = source / "images/p1.png"
    path.write_bytes(path.read_bytes()[:60])


def _no_images(source):
    for path in (source / "images").iterdir():
        path.unlink()


def _no_folder(source):
    (source / "images").rename(source / "pictures")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (_drop_mask, "p1.png has no mask; "),
        (_folder_for_mask, "p1.png has no mask; "),
        (_other_size, "masks/p1.png is 32x32, its image"),
        (_dim, "p0.png is nowhere brighter than 120 of 255; a mask is black, and white where the hand is"),
        (_no_images, "images holds no image (.png, .jpg, .jpeg, .jfif, "),
        (_twins, "have the same name; rename one"),
        (_no_folder, "images is missing; give the folder that holds images/ and masks/"),
    ],
)
def test_wrong_input_leaves_nothing(source, tmp_path, spoil, message):
    spoil(source)
    done = run(source, tmp_path / "out")
    assert done.exit_code == 2
    assert message in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_damaged_image_is_skipped_and_named(source, tmp_path):
    _cut(source)
    done = run(source, tmp_path / "out")
    assert done.exit_code == 1 and "p1.png is damaged or cut short" in done.stderr
    assert "1 file skipped; --strict refuses them" in done.stderr
    assert [image["file_name"] for image in Dataset(tmp_path / "out")] == ["p0.png", "p2.png"]
    done = run(source, tmp_path / "strict", "--strict")
    assert done.exit_code == 2 and "p1.png is damaged or cut short" in done.stderr
    assert not (tmp_path / "strict").exists()


def test_an_import_of_which_nothing_can_be_read_leaves_nothing(source, tmp_path):
    for path in (source / "images").iterdir():
        path.write_bytes(b"no image")
    done = run(source, tmp_path / "out")
    assert done.exit_code == 2 and "p0.jpg is not an image that can be read" in done.stderr
    assert not (tmp_path / "out").exists()


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


def test_masks_without_an_image_are_mentioned(source, tmp_path):
    (source / "images/p1.png").unlink()
    done = run(source, tmp_path / "out")
    assert done.exit_code == 0 and "1 masks have no image in" in done.stderr and "p1.png for one" in done.stderr


# ---------------------------------------------------------------- what the values mean

ONE, TWO = blob((64, 48), (16, 24), 8), blob((64, 48), (46, 24), 8)
BOTH = ONE | TWO


@pytest.fixture
def written(tmp_path):
    """Import one image with a mask of these pixels; the masks of hands, those of crowds, and what was said."""
    folder = tmp_path / "values"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    Image.new("RGB", (64, 48), (90, 90, 90)).save(folder / "images/a.png")

    def write(mask, *options, suffix="png"):
        (mask if isinstance(mask, Image.Image) else Image.fromarray(mask)).save(folder / f"masks/a.{suffix}")
        done = run(folder, tmp_path / "out", *options)
        assert done.exit_code == 0, done.output
        dataset = Dataset(tmp_path / "out")
        (image,) = dataset
        assert check_image(dataset, image) == []
        pairs = list(zip(dataset.annotations(image), dataset.masks(image), strict=True))
        return [m for a, m in pairs if not a["iscrowd"]], [m for a, m in pairs if a["iscrowd"]], done.stderr

    return write


def ids(*masks, kind=np.uint8, values=(1, 2, 3)):
    out = np.zeros((48, 64), kind)
    for value, mask in zip(values, masks, strict=False):
        out[mask] = value
    return out


def same(found, *expected):
    assert len(found) == len(expected)
    assert all((one == other).all() for one, other in zip(found, expected, strict=True))


def palette(values, colors):
    image = Image.fromarray(values).convert("L")
    image.putpalette(np.array(colors, np.uint8).ravel().tolist())
    return image


VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0)] + [(0, 0, 0)] * 252 + [(224, 224, 192)]


def test_a_label_map_of_16_bits_with_255(written):
    hands, _, said = written(ids(BOTH, kind=np.uint16, values=(255,)))
    same(hands, BOTH)
    assert "masks hold the values 0, 255: hands are 255" in said


@pytest.mark.parametrize("kind, suffix", [(np.uint8, "png"), (np.uint16, "png"), (np.int32, "tif")])
def test_ids_are_a_hand_each(written, kind, suffix):
    hands, _, said = written(ids(ONE, TWO, kind=kind), suffix=suffix)
    same(hands, ONE, TWO)
    assert "hands are 1, 2" in said


def test_a_border_of_pascal_voc_is_ignored(written):
    edge = np.zeros_like(ONE)
    edge[:, 30:33] = True
    hands, crowds, said = written(palette(ids(ONE, TWO, edge, values=(1, 2, 255)), VOC))
    same(hands, ONE, TWO)
    same(crowds, edge)
    assert "hands are 1, 2, ignored 255" in said


def test_a_palette_of_black_and_white_is_black_and_white(written):
    hands, _, _ = written(palette(ids(BOTH), [(0, 0, 0), (255, 255, 255)]))
    same(hands, BOTH)


def test_an_index_mask_with_a_value_to_ignore(written):
    hands, crowds, _ = written(ids(ONE, TWO, values=(1, 255)))
    same(hands, ONE)
    same(crowds, TWO)


def test_two_greys_are_two_hands(written):
    same(written(ids(ONE, TWO, values=(128, 255)))[0], ONE, TWO)


def test_two_colours_are_two_hands(written):
    colors = np.zeros((48, 64, 3), np.uint8)
    colors[ONE], colors[TWO] = (255, 0, 0), (0, 0, 200)
    hands, _, said = written(colors, "--split")
    same(hands, TWO, ONE)  # in the order of their colours
    assert "#0000c8, #ff0000" in said


def test_the_values_can_be_said(written):
    hands, crowds, _ = written(ids(ONE, TWO, values=(128, 255)), "--hand-values", "128", "--ignore-values", "255")
    same(hands, ONE)
    same(crowds, TWO)


def test_values_that_no_mask_holds_are_refused(source, tmp_path):
    done = run(source, tmp_path / "out", "--hand-values", "7")
    assert done.exit_code == 2 and "no mask holds the value 7; they hold 0, 255" in done.stderr
    done = run(source, tmp_path / "out", "--hand-values", "white")
    assert done.exit_code == 2 and "'white' is not whole numbers or #rrggbb with commas between" in done.stderr
    for path in (source / "masks").iterdir():
        Image.new("L", (64, 64)).save(path)
    done = run(source, tmp_path / "out", "--hand-values", "#ff0000")
    assert done.exit_code == 2 and "no mask holds the value #ff0000; they hold 0" in done.stderr


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floating_point_masks_are_read_by_their_range(written, top):
    smooth = np.where(BOTH, top, np.linspace(0, top / 3, 64, dtype=np.float32)[None])
    same(written(smooth.astype(np.float32), suffix="tif")[0], BOTH)


def test_smoothed_edges_are_grey_levels(written):
    smooth = np.where(BOTH, np.uint8(255), np.linspace(0, 100, 64).astype(np.uint8)[None])
    hands, _, said = written(smooth)
    same(hands, BOTH)
    assert "brighter than half" in said


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_few_grey_levels_at_edges_are_smoothed_edges(written, factor):
    """A mask made smaller by averaging has factor^2 + 1 values, all but two of them at edges only."""
    large = blob((64 * factor, 48 * factor), (20 * factor + 1, 24 * factor + 2), 12 * factor)
    smooth = large.reshape(48, factor, 64, factor).mean(axis=(1, 3))
    values = (255 * smooth).astype(np.uint8)
    assert len(np.unique(values)) > 4
    hands, crowds, said = written(values)
    same(hands, values > 127)
    assert not crowds and "brighter than half" in said


@pytest.mark.parametrize("colors", [4, 16])
def test_a_palette_of_greys_is_grey_levels(written, colors):
    """Numbers of a palette that a tool has made for smoothed edges are no ids."""
    large = Image.fromarray(blob((256, 192), (80, 96), 48).astype(np.uint8) * np.uint8(255))
    smooth = large.resize((64, 48), Image.Resampling.BILINEAR)
    hands, crowds, said = written(smooth.quantize(colors))
    assert len(hands) == 1 and not crowds and "brighter than half" in said
    assert (hands[0] ^ (np.asarray(smooth) > 127)).sum() < 30


def test_smoothed_edges_of_colours_are_background(written):
    red = np.zeros((48, 64, 3), np.uint8)
    red[blob((64, 48), (16, 24), 9), 0] = 100
    red[ONE, 0] = 255
    hands, _, said = written(red)
    same(hands, ONE)
    assert "hands are #ff0000, background #640000, which are at edges only" in said


@pytest.mark.parametrize("photograph", [True, False])
def test_a_cut_out_is_a_hand_where_it_is_opaque(written, photograph):
    colors = np.random.default_rng(0).integers(0, 256 if photograph else 1, (48, 64, 3)).astype(np.uint8)
    same(written(np.dstack([colors, np.uint8(255) * ONE]))[0], ONE)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_photograph_is_no_mask(source, tmp_path, suffix):
    noise = np.random.default_rng(0).normal(128, 40, (48, 64, 3)).clip(0, 255).astype(np.uint8)
    (source / "masks/p1.png").unlink()
    Image.fromarray(noise).save(source / f"masks/p1.{suffix}")
    done = run(source, tmp_path / "out", "--strict")
    assert done.exit_code == 2 and f"p1.{suffix} is not a mask: " in done.stderr


def test_black_hands_are_asked_for(written):
    inverted = np.where(ONE, np.uint8(0), np.uint8(255))
    assert "of the images (median); where hands are black, give --hand-values 0" in written(inverted)[2]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_black_hands_are_read_on_request(written, suffix):
    (hand,), _, _ = written(np.where(ONE, np.uint8(0), np.uint8(255)), "--hand-values", "0", suffix=suffix)
    assert (hand != ONE).sum() < 5


def test_a_mask_of_the_stored_photograph_is_turned_with_it(source, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("images", "masks"):
        for path in (source / kind).iterdir():
            path.unlink()
    shown = np.where(ONE, np.uint8(255), np.uint8(0))
    Image.fromarray(np.dstack([shown] * 3)).save(source / "images/a.png", exif=exif)
    Image.fromarray(shown).save(source / "masks/a.png")
    assert run(source, tmp_path / "out").exit_code == 0
    dataset = Dataset(tmp_path / "out")
    (image,) = dataset
    assert (dataset.masks(image)[0] == (dataset.read_image(image)[..., 0] > 127)).all()


@pytest.mark.parametrize("name", ["p1_mask", "p1.png", "p1-seg"])
def test_masks_with_an_ending_are_found(source, tmp_path, name):
    (source / "masks/p1.png").rename(source / f"masks/{name}.png")
    done = run(source, tmp_path / "out")
    assert done.exit_code == 0 and "have no image" not in done.stderr


def test_255_alone_in_one_mask_and_beside_ids_in_another_is_refused(source, tmp_path):
    Image.fromarray(ids(ONE, TWO, values=(1, 255))).save(source / "masks/p1.png")
    done = run(source, tmp_path / "out")
    assert done.exit_code == 2 and "255 stands alone in 2 masks and beside small ids in 1" in done.stderr


def test_images_in_folders_are_found_also_with_equal_names(source, tmp_path):
    for kind in ("images", "masks"):
        for place in ("left", "right"):
            (source / kind / place).mkdir()
            Image.open(source / kind / "p1.png").save(source / kind / place / "p1.png")
    assert run(source, tmp_path / "out").exit_code == 0
    names = [image["file_name"] for image in Dataset(tmp_path / "out")]
    assert sorted(names) == ["left_p1.png", "p0.png", "p1.png", "p2.png", "right_p1.png"]
    for kind in ("images", "masks"):
        Image.open(source / kind / "p1.png").save(source / kind / "left_p1.png")
    assert run(source, tmp_path / "more").exit_code == 0
    names = [image["file_name"] for image in Dataset(tmp_path / "more")]
    assert {"left_p1.png", "left_p1_2.png"} <= set(names) and len(names) == 6


def test_an_image_never_takes_the_mask_of_another_one(source, tmp_path):
    for place in ("left", "right"):
        (source / "images" / place).mkdir()
        Image.open(source / "images/p1.png").save(source / "images" / place / "new.png")
    (source / "masks/left").mkdir()
    Image.open(source / "masks/p1.png").save(source / "masks/left/new.png")
    done = run(source, tmp_path / "out")
    assert done.exit_code == 2 and not (tmp_path / "out").exists()
    assert "left/new.png and" in done.output and "right/new.png would both have the mask" in done.output


def test_files_of_the_system_beside_images_are_left_alone(source, tmp_path):
    (source / "images/._p0.jpg").write_bytes(b"\0\5\x16\7")
    (source / "images/Thumbs.db").write_bytes(b"x")
    assert run(source, tmp_path / "out").exit_code == 0


def test_names_that_are_not_utf8_are_written_with_their_bytes(source, tmp_path):
    for folder in ("images", "masks"):
        (path,) = (source / folder).glob("p1.*")
        path.rename(path.with_name(os.fsdecode(b"caf\xe9") + path.suffix))
    done = run(source, tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "caf%E9.png" in {image["file_name"] for image in Dataset(tmp_path / "out")}


@pytest.mark.parametrize("folder, name", [("f" * 200, "n" * 200), ("f" * 125, "ä" * 125)])
def test_names_that_are_too_long_for_a_file_are_cut(source, tmp_path, folder, name):
    for kind in ("images", "masks"):
        for place in (folder, "other"):  # so that the folder is a part of the name
            (source / kind / place).mkdir()
            Image.open(source / kind / "p1.png").save(source / kind / place / f"{name}.png")
    done = run(source, tmp_path / "out")
    assert done.exit_code == 0, done.output
    dataset = Dataset(tmp_path / "out")
    assert len(dataset) == 5 and all(check_image(dataset, image) == [] for image in dataset)
    long = [image["file_name"] for image in dataset if image["file_name"].startswith("f")]
    assert len(long) == 1 and len(long[0].encode()) <= 254
