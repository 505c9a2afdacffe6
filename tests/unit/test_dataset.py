"""The dataset contract: what is written is read back, by us and by pycocotools, and damage is named."""

import errno
import hashlib
import io
import json
import os
import shutil

import numpy as np
import pytest
from dataset_samples import edit, make, two_pieces
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

from handforge import dataset as ds
from handforge.dataset.reader import images_digest
from handforge.dataset.validate import check
from handforge.files import FolderError, write_atomic


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "set")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_written_and_read_back(tmp_path, suffix):
    dataset = ds.Dataset(make(tmp_path / "set", suffix=suffix))
    assert len(dataset) == 3 and [image["id"] for image in dataset] == [1, 2, 3]
    for i, image in enumerate(dataset):
        (mask,) = dataset.masks(image)
        assert (mask == np.roll(two_pieces(), i, axis=1)).all()
        assert (ds.read_mask(dataset.folder / "masks" / f"f{i}.png") == mask).all()
        pixels = dataset.read_image(image)
        assert pixels.shape == (40, 60, 3)
        assert pixels.flags.writeable and mask.flags.writeable, "PyTorch warns of arrays that are not"
        assert ds.check_image(dataset, image) == []
    digest = images_digest(dataset.folder, dataset)
    assert dataset.info == {"seed": 0, "images": 3, "hands": 3, "images_sha256": digest}


def test_what_other_tools_write_beside_is_left_alone(folder):
    edit(folder, lambda c: c["images"][0].update(camera="Canon", truths=None, group=None, tags=["a", {"b": None}]))
    edit(folder, lambda c: c["annotations"][0].update(id="0a1b", bbox=None, keypoints=None, score=1.0))
    dataset = ds.Dataset(folder)
    assert len(dataset.masks(dataset.images[0])) == 1 and dataset.ground_truth_maps(dataset.images[0]) == ()


def test_pycocotools_reads_it(folder, capsys):
    coco = COCO(str(folder / "annotations.json"))
    for i, annotation in enumerate(coco.loadAnns(coco.getAnnIds())):
        mask = coco.annToMask(annotation).astype(bool)
        assert (mask == np.roll(two_pieces(), i, axis=1)).all()
        assert annotation["area"] == mask.sum()
        ys, xs = np.nonzero(mask)
        assert annotation["bbox"] == [xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()]
        assert annotation["iscrowd"] == 0 and annotation["id"] == i + 1
    capsys.readouterr()


def test_same_frames_same_bytes(tmp_path):
    one, two = make(tmp_path / "a"), make(tmp_path / "b")
    for path in sorted(p for p in one.rglob("*") if p.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()
    assert ds.Dataset(one).id == ds.Dataset(two).id


def test_a_hand_of_no_pixel_is_left_out(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    pixels, empty = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), bool)
    record = ds.write_sample(tmp_path, ds.Sample("x", pixels, (ds.Instance(empty),)))
    assert record["annotations"] == []
    ds.assemble(tmp_path, [record], {})
    info = ds.Dataset(tmp_path).info
    assert (info["images"], info["hands"], info["empty"]) == (1, 0, 1)


def test_a_mask_may_cover_the_forearm(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    pixels = np.zeros((4, 5, 3), np.uint8)
    kinds = ds.CATEGORIES.values()
    instances = [ds.Instance(np.eye(4, 5, shift, dtype=bool), category=kind) for shift, kind in enumerate(kinds)]
    records = [ds.write_sample(tmp_path, ds.Sample("x", pixels, tuple(instances)))]
    ds.assemble(tmp_path, records, {})
    dataset = ds.Dataset(tmp_path)
    assert [a["category_id"] for a in dataset.annotations(dataset.images[0])] == [1, 2]
    assert dataset.categories == ds.CATEGORIES == {1: "hand", 2: "hand+forearm"}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (lambda: ds.Sample("../x", np.zeros((4, 5, 3), np.uint8), ()), "is not a plain file name"),
        (lambda: ds.Sample("x\udcff", np.zeros((4, 5, 3), np.uint8), ()), "is not a plain file name"),
        (lambda: ds.Sample("x", np.zeros((4, 5, 3)), ()), "uint8, not .* float64"),
        (lambda: ds.Instance(np.zeros((4, 5), bool), category=""), "a category is a name, not ''"),
        (
            lambda: ds.Sample("x", np.zeros((4, 5, 3), np.uint8), (ds.Instance(np.zeros((5, 4), bool)),)),
            "the mask is 4x5, its image 5x4",
        ),
    ],
)
def test_a_wrong_frame_is_refused(frame, message):
    with pytest.raises(ds.DatasetError, match=message):
        frame()


def test_polygons_and_plain_rle_are_decoded():
    square = ds.decode_mask([[2, 1, 6, 1, 6, 4, 2, 4]], 8, 10)
    assert square[1:4, 2:6].all() and square.sum() == 12
    plain = ds.decode_mask({"size": [2, 2], "counts": [1, 2, 1]}, 2, 2)
    assert (plain == [[False, True], [True, False]]).all()


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ("", "the RLE is damaged or cut short"),
        ("P", "the RLE is damaged or cut short"),  # more of the run is to follow
        ("t0", "the RLE is damaged or cut short"),  # no symbol of six bits
        ("(4", "the RLE is damaged or cut short"),
        ("5O", "the RLE has a run of negative length"),  # 5 and -1
        ("PPPPPPP04", "the RLE has a run that is too long"),  # 0 in 8 symbols, and 4
        ("3", "the runs of the RLE do not add up to the image's pixels"),
    ],
)
def test_runs_that_do_not_fill_their_image_are_refused(counts, problem):
    """By pycocotools they are decoded to what is in memory."""
    assert ds.decode_mask({"size": [2, 2], "counts": "13"}, 2, 2).tolist() == [[False, True], [True, True]]
    with pytest.raises(ds.DatasetError, match=problem):
        ds.decode_mask({"size": [2, 2], "counts": counts}, 2, 2)


def test_16_bit_greys_are_read_by_their_upper_half(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(2, axis=0)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    assert ds.read_mask(tmp_path / "ramp.png")[0].tolist() == [False] * 128 + [True] * 128
    assert (ds.read_image(tmp_path / "ramp.png")[0, :, 0] == np.arange(256)).all()


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_part_is_a_dataset_of_its_own(folder, tmp_path):
    whole = ds.Dataset(folder)
    ds.copy_subset(whole, [whole.images[2], whole.images[0]], tmp_path / "part")
    part = ds.Dataset(tmp_path / "part")
    assert [(i["id"], i["file_name"]) for i in part] == [(1, "f2.png"), (2, "f0.png")]
    assert (part.masks(part.images[0])[0] == whole.masks(whole.images[2])[0]).all()
    assert [ds.check_image(part, image) for image in part] == [[], []]
    told = {"seed": 0, "images": 2, "hands": 2, "part_of": whole.id}
    assert part.info == {**told, "images_sha256": images_digest(part.folder, part)}
    with pytest.raises(FolderError, match="part is there already"):
        ds.copy_subset(whole, whole.images, tmp_path / "part")


def test_what_a_kill_left_of_a_part_is_removed(folder, tmp_path):
    (tmp_path / ".part.tmp/images").mkdir(parents=True)
    ds.copy_subset(ds.Dataset(folder), ds.Dataset(folder).images[:1], tmp_path / "part")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part", "set"]


def test_a_part_with_a_missing_image_leaves_nothing(folder, tmp_path):
    whole = ds.Dataset(folder)
    (folder / "masks" / "f1.png").unlink()
    with pytest.raises(ds.DatasetError, match=r"f1\.png is missing"):
        ds.copy_subset(whole, whole.images, tmp_path / "part")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set"]


def test_a_part_of_a_dataset_that_has_no_masks_folder(folder, tmp_path):
    shutil.rmtree(folder / "masks")
    source = ds.Dataset(folder)
    ds.copy_subset(source, source.images[:2], tmp_path / "part")
    assert len(ds.Dataset(tmp_path / "part")) == 2 and not (tmp_path / "part" / "masks").exists()


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left") as found:
        write_atomic(tmp_path / "a.json", b"1")
    assert found.value.filename == str(tmp_path / "a.json") and not list(tmp_path.iterdir())


def test_links_are_followed_and_devices_stay(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomic(tmp_path / "pipe", b"told")
    assert os.read(reader, 9) == b"told" and (tmp_path / "pipe").is_fifo()
    os.close(reader)


@pytest.mark.parametrize("shape", [(1, 1), (40, 61), (40, 61, 3), (3, 1, 3)])
def test_our_png_is_read_back_by_pillow(shape, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(ds.encode_image(pixels, "png"))
    with Image.open(tmp_path / "a.png") as image:
        image.verify()
    assert (np.asarray(Image.open(tmp_path / "a.png")) == pixels).all()


@pytest.mark.parametrize("fill", [0, 0.01, 0.5, 1])
@pytest.mark.parametrize("corner", [False, True])
def test_our_rle_is_pycocotools_own(fill, corner):
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (7, 9), (40, 60)):
        mask = rng.random(shape) < fill
        mask[0, 0] = mask[-1, -1] = corner
        theirs = rle.encode(np.asfortranarray(mask, np.uint8))
        assert ds.encode_mask(mask) == {"size": list(shape), "counts": theirs["counts"].decode()}


@pytest.mark.parametrize("rows", [(0, 0), (0, 1), (3, 5), (0, 40), (39, 40), (12, 30)])
@pytest.mark.parametrize("width", [61, 64])
def test_rows_that_repeat_are_read_back_too(rows, width):
    pixels = np.full((40, width, 3), (250, 240, 230), np.uint8)
    pixels[rows[0] : rows[1], 5:20] = np.random.default_rng(0).integers(0, 255, (rows[1] - rows[0], 15, 3))
    for values in (pixels, np.ascontiguousarray(pixels[..., 0])):
        with Image.open(io.BytesIO(ds.encode_png(values))) as image:
            assert (np.asarray(image) == values).all()


def test_the_id_covers_settings_and_images(tmp_path):
    """Equal annotations alone are not the same dataset: skin and light differ in the images only."""
    one = make(tmp_path / "one")
    assert ds.Dataset(make(tmp_path / "same")).id == ds.Dataset(one).id
    other = make(tmp_path / "other")
    path = other / "images" / "f1.png"
    path.write_bytes(ds.encode_png(255 - ds.read_image(path)))
    data = ds.Dataset(other)
    assert check(other, 1, lambda done, total: None) == [
        f"{other / 'images'} differs from what dataset.json says was written; an image was changed"
    ]
    ds.copy_subset(data, data.images, tmp_path / "copy")
    assert ds.Dataset(tmp_path / "copy").id != ds.Dataset(one).id
    lit = make(tmp_path / "lit")
    info = json.loads((lit / "dataset.json").read_text())
    (lit / "dataset.json").write_text(json.dumps({**info, "settings": {"skin_tone": 0.95}}))
    assert ds.Dataset(lit).id != ds.Dataset(one).id


def test_a_dataset_without_a_digest_of_its_images_keeps_the_id_it_had(folder):
    info = json.loads((folder / "dataset.json").read_text())
    del info["images_sha256"]
    (folder / "dataset.json").write_text(json.dumps(info))
    assert ds.Dataset(folder).id == hashlib.sha256((folder / "annotations.json").read_bytes()).hexdigest()[:12]
