"""The dataset contract: what is written is read back, by us and by pycocotools, and damage is named."""

import errno
import hashlib
import io
import json
import os
import re
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
        assert dataset.read_image(image).shape == (40, 60, 3)
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
    picture, empty = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), bool)
    assert ds.write_sample(tmp_path, ds.Sample("x", picture, (ds.Instance(empty),)))["annotations"] == []


def test_a_mask_may_cover_the_forearm(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    picture = np.zeros((4, 5, 3), np.uint8)
    kinds = ds.CATEGORIES.values()
    instances = [ds.Instance(np.eye(4, 5, shift, dtype=bool), category=kind) for shift, kind in enumerate(kinds)]
    records = [ds.write_sample(tmp_path, ds.Sample("x", picture, tuple(instances)))]
    ds.assemble(tmp_path, records, {})
    dataset = ds.Dataset(tmp_path)
    assert [a["category_id"] for a in dataset.annotations(dataset.images[0])] == [1, 2]
    assert dataset.categories == ds.CATEGORIES == {1: "hand", 2: "hand+forearm"}


def test_a_category_may_be_read_alone(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    picture = np.zeros((4, 5, 3), np.uint8)
    arm = ds.Instance(np.eye(4, 5, dtype=bool), category="hand+forearm")
    ds.assemble(tmp_path, [ds.write_sample(tmp_path, ds.Sample("x", picture, (arm,)))], {})
    for category in (None, "hand+forearm"):
        dataset = ds.Dataset(tmp_path, category)
        assert len(dataset.annotations(dataset.images[0])) == 1
    with pytest.raises(ds.DatasetError, match=r"has no mask of the category hand; make one with --mask hand, or ask"):
        ds.Dataset(tmp_path, "hand")


def test_hands_alone_are_one_category(folder):
    assert ds.Dataset(folder).categories == {1: "hand"}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (lambda: ds.Sample("../x", np.zeros((4, 5, 3), np.uint8), ()), "is no plain file name"),
        (lambda: ds.Sample("x\udcff", np.zeros((4, 5, 3), np.uint8), ()), "is no plain file name"),
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


def test_a_part_with_a_missing_picture_leaves_nothing(folder, tmp_path):
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


class TestDamage:
    """Every fault is named with its file."""

    def test_no_folder(self, tmp_path):
        with pytest.raises(ds.DatasetError, match="nowhere is no folder"):
            ds.Dataset(tmp_path / "nowhere")

    def test_unfinished(self, tmp_path):
        with pytest.raises(ds.DatasetError, match=r"holds no annotations\.json"):
            ds.Dataset(tmp_path)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "is not valid JSON"),
            ("[" * 100_000, "is not valid JSON"),
            ("1" * 5000, "is not valid JSON"),
            ('{"x": NaN}', "is not valid JSON .it holds NaN, which JSON does not have"),
            ('{"images": [{"id": 1, "file_name": "a", "x": 1e999}], "annotations": []}', "image 1 holds what"),
            ("[]", "is not in COCO's form"),
            ('{"images": [], "annotations": []}', "the dataset is empty"),
            ('{"images": [{"id": 1}], "annotations": []}', "'file_name'"),
            *(
                (f'{{"images": [], "annotations": {bad}}}', "is not in COCO's form")
                for bad in ("null", '["x"]', "[{}]")
            ),
        ],
    )
    def test_annotations_json(self, folder, text, message):
        (folder / "annotations.json").write_text(text)
        with pytest.raises(ds.DatasetError, match=message):
            ds.Dataset(folder)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda c: c["images"][0].update(file_name="../../etc/passwd"), "leaves the dataset's folder"),
            (lambda c: c["images"][0].update(file_name="/etc/passwd"), "leaves the dataset's folder"),
            (lambda c: c["images"][0].update(width=0), "image 1 has the width 0"),
            (lambda c: c["images"][1].update(id=1), "an image id stands twice"),
            (lambda c: c["annotations"][1].update(image_id=9), "annotation 2 belongs to image 9"),
            (
                lambda c: c["annotations"][1].update(image_id=[1]),
                r"annotation 2 has the image_id \[1\]; it must be a num",
            ),
            (lambda c: c["annotations"][1].update(category_id=[1]), r"annotation 2 has the category_id \[1\]; it must"),
            (lambda c: c["annotations"][1].update(id=[1]), r"annotation \[1\] has the id \[1\]; it must be a number"),
            (lambda c: c["categories"][0].update(name=["hand"]), "the name of a category is no text"),
            (lambda c: c["images"][0].update(id="1"), "an image has the id '1'; ids are whole numbers"),
            (lambda c: c["images"][0].update(id=[1]), r"an image has the id \[1\]; ids are whole numbers"),
            (lambda c: c["images"][0].update(id=1.0), r"an image has the id 1\.0; ids are whole numbers"),
            (lambda c: c["images"][0].update(file_name=5), "image 1 has the file name 5"),
            (lambda c: c["images"][0].update(file_name="\udcff.png"), "image 1 holds what .* surrogates not allowed"),
            (lambda c: c["images"][1].update(file_name="./f0.png"), r"several images have the file name f0\.png; each"),
            (lambda c: c["images"][0].update(width=10**9), "image 1 has 1000000000x40 pixels, more than 100,000,000"),
            (lambda c: c["images"][0].update(truths="depth"), "image 1: truths is 'depth', it must be a list"),
            (lambda c: c["images"][0].update(group=["a"]), r"image 1: group is \['a'\], it must be a text or a number"),
            (lambda c: c["annotations"][1].pop("category_id"), "is not in COCO's form .*'category_id'"),
        ],
    )
    def test_fields(self, folder, change, message):
        edit(folder, change)
        with pytest.raises(ds.DatasetError, match=message):
            ds.Dataset(folder)

    def test_a_folder_that_is_no_utf8(self, tmp_path):
        with pytest.raises(ds.DatasetError, match=r"the folder .*udcff' holds what cannot be written"):
            ds.Dataset(tmp_path / "\udcff")

    def test_missing_and_truncated_picture(self, folder):
        path = folder / "images" / "f0.png"
        dataset = ds.Dataset(folder)
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(ds.DatasetError, match=r"f0\.png is damaged or cut short"):
            dataset.read_image(dataset.images[0])
        path.write_bytes(b"text")
        with pytest.raises(ds.DatasetError, match=r"f0\.png is not an image"):
            dataset.read_image(dataset.images[0])
        path.unlink()
        with pytest.raises(ds.DatasetError, match=r"f0\.png is missing"):
            dataset.read_image(dataset.images[0])

    def test_one_wrong_byte(self, tmp_path):
        """Pillow decodes it to something; the file's own checksums know."""
        folder = make(tmp_path / "set")
        path = folder / "images" / "f1.png"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        dataset = ds.Dataset(folder)
        with pytest.raises(ds.DatasetError, match=r"f1\.png is damaged or cut short"):
            dataset.read_image(dataset.images[1])

    def test_an_annotation_without_id(self, folder):
        edit(folder, lambda content: content["annotations"][0].pop("id"))
        with pytest.raises(ds.DatasetError, match=r"annotations\.json is not in COCO's form \(KeyError\('id'\)"):
            ds.Dataset(folder)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[]", "holds no object"),
            ("{", "is not valid JSON"),
            ('{"scale": NaN}', "is not valid JSON"),
            (r'{"by": "\udcff"}', "holds what cannot be written as JSON"),
        ],
    )
    def test_dataset_json(self, folder, text, message):
        (folder / "dataset.json").write_text(text)
        with pytest.raises(ds.DatasetError, match=rf"dataset\.json {message}"):
            _ = ds.Dataset(folder).info

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                lambda c: c["annotations"][1].update(keypoints=[1, 2]),
                "annotation 2: keypoints must be 21 times 3 numbers",
            ),
            (lambda c: c["annotations"][1].update(wrist="x"), "annotation 2: wrist must be 2 times 2 numbers"),
            (
                lambda c: c["annotations"][1].update(wrist=[10**400] * 4),
                "annotation 2: wrist must be 2 times 2 numbers",
            ),
            (lambda c: c["annotations"][1].update(keypoints_3d=[1] * 60), "keypoints_3d need keypoints and their"),
            (lambda c: c["images"][1].update(camera="x"), r"f1\.png: camera is 'x', it must be 3 times 3 numbers"),
            (lambda c: c["images"][1].update(camera=[[0, 0, 0]] * 3), "3 times 3 numbers, a matrix with an inverse"),
            (
                lambda c: c["categories"][0].update(id=5),
                "annotation 2: category 1 is not listed; there are 5",
            ),
        ],
    )
    def test_what_is_said_of_a_hand(self, folder, change, message):
        edit(folder, change)
        dataset = ds.Dataset(folder)
        (problem,) = ds.check_image(dataset, dataset.images[1])
        assert re.search(message, problem)

    def test_picture_of_another_size(self, folder):
        Image.new("RGB", (30, 20)).save(folder / "images" / "f1.png")
        dataset = ds.Dataset(folder)
        with pytest.raises(ds.DatasetError, match=r"f1\.png is 30x20, annotations\.json says 60x40"):
            dataset.read_image(dataset.images[1])

    @pytest.mark.parametrize(
        ("segmentation", "message"),
        [
            (ds.encode_mask(two_pieces(20, 60)[:, ::-1]), "the mask is 60x20, its image 60x40"),
            (ds.encode_mask(np.zeros((40, 60), bool)), "the mask has no pixel"),
            ([], "a polygon is a list of x and y of at least three points"),
            ({"size": [40, 60]}, "cannot be decoded|no segmentation"),
            ("text", "cannot be decoded"),
        ],
    )
    def test_segmentation(self, folder, segmentation, message):
        edit(folder, lambda c: c["annotations"][0].update(segmentation=segmentation))
        dataset = ds.Dataset(folder)
        with pytest.raises(ds.DatasetError, match=message) as caught:
            dataset.masks(dataset.images[0])
        assert "annotation 1 of f0.png" in str(caught.value)

    def test_check_finds_what_differs(self, folder):
        edit(folder, lambda c: c["annotations"][0].update(area=3, bbox=[0, 0, 1, 1]))
        Image.fromarray(np.zeros((40, 60), np.uint8)).save(folder / "masks" / "f1.png")
        (folder / "masks" / "f2.png").unlink()
        dataset = ds.Dataset(folder)
        found = [ds.check_image(dataset, image) for image in dataset]
        assert "area says 3" in found[0][0] and "bbox says [0, 0, 1, 1]" in found[0][1]
        assert "differs from annotations.json in" in found[1][0]
        assert "f2.png is missing" in found[2][0]


@pytest.mark.parametrize("shape", [(1, 1), (40, 61), (40, 61, 3), (3, 1, 3)])
def test_our_png_is_read_back_by_pillow(shape, tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(ds.encode_image(picture, "png"))
    with Image.open(tmp_path / "a.png") as image:
        image.verify()
    assert (np.asarray(Image.open(tmp_path / "a.png")) == picture).all()


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
    picture = np.full((40, width, 3), (250, 240, 230), np.uint8)
    picture[rows[0] : rows[1], 5:20] = np.random.default_rng(0).integers(0, 255, (rows[1] - rows[0], 15, 3))
    for values in (picture, np.ascontiguousarray(picture[..., 0])):
        with Image.open(io.BytesIO(ds.encode_png(values))) as image:
            assert (np.asarray(image) == values).all()


def test_a_part_of_another_tools_dataset_of_hands_has_our_categories(folder, tmp_path):
    content = json.loads((folder / "annotations.json").read_text())
    content["categories"] = [{"id": 4, "name": "hand"}]
    for annotation in content["annotations"]:
        annotation["category_id"] = 4
    (folder / "annotations.json").write_text(json.dumps(content))
    theirs = ds.Dataset(folder)
    ds.copy_subset(theirs, theirs.images, tmp_path / "part")
    ours = ds.Dataset(tmp_path / "part")
    assert {a["category_id"] for image in ours for a in ours.annotations(image)} == {1}
    assert ours.categories == {1: "hand"}
    content["annotations"][0]["category_id"] = 1
    (folder / "annotations.json").write_text(json.dumps(content))
    theirs = ds.Dataset(folder)
    with pytest.raises(ds.DatasetError, match="annotation 1: category 1 is not listed"):
        ds.copy_subset(theirs, theirs.images, tmp_path / "other")
    assert not (tmp_path / "other").exists()


SHAPES = (
    ds.Category(3, "circle"),
    ds.Category(7, "face", ("nose", "left_eye", "right_eye"), ((1, 2), (1, 3)), "person"),
)


def shapes(folder):
    """One image with a circle, a face and a crowd of circles."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    masks = [np.roll(two_pieces(), shift, axis=1) for shift in (0, 5, 10)]
    points = np.array([[20.0, 10, 2], [15, 8, 2], [25, 8, 1]])
    instances = (
        ds.Instance(masks[0], category="circle"),
        ds.Instance(masks[1], points, category="face"),
        ds.Instance(masks[2], category="circle", crowd=True),
    )
    frame = ds.Sample("one", np.zeros((40, 60, 3), np.uint8), instances)
    ds.assemble(folder, [ds.write_sample(folder, frame, categories=SHAPES)], {}, SHAPES)
    return masks


def test_any_categories_are_written_and_read_back(tmp_path):
    masks = shapes(tmp_path / "shapes")
    dataset = ds.Dataset(tmp_path / "shapes")
    (image,) = dataset
    circle, face, crowd = dataset.annotations(image)
    assert dataset.category_list == SHAPES
    assert [dataset.category(a) for a in (circle, face, crowd)] == ["circle", "face", "circle"]
    assert [a["iscrowd"] for a in (circle, face, crowd)] == [0, 0, 1]
    assert face["keypoints"] == [20, 10, 2, 15, 8, 2, 25, 8, 1] and face["num_keypoints"] == 3
    assert dataset.category_of(face).flip_pairs == ((1, 2),)
    assert all((one == other).all() for one, other in zip(dataset.masks(image), masks, strict=True))
    assert (ds.read_mask(tmp_path / "shapes/masks/one.png") == masks[0] | masks[1]).all(), "a crowd is not in it"
    assert ds.check_image(dataset, image) == []
    assert (dataset.info["hands"], dataset.info["objects"]) == (0, 2)
    coco = COCO(str(dataset.path))
    assert coco.loadCats(7)[0]["skeleton"] == [[1, 2], [1, 3]]
    assert (coco.annToMask(coco.loadAnns(1)[0]) == masks[0]).all()


def test_a_subset_keeps_categories_that_are_no_hands(tmp_path):
    shapes(tmp_path / "shapes")
    source = ds.Dataset(tmp_path / "shapes")
    ds.copy_subset(source, source.images, tmp_path / "part")
    part = ds.Dataset(tmp_path / "part")
    assert part.category_list == SHAPES and part.annotations(part.images[0]) == source.annotations(source.images[0])


def test_what_is_of_no_category_is_refused(tmp_path):
    frame = ds.Sample("one", np.zeros((40, 60, 3), np.uint8), (ds.Instance(two_pieces(), category="cup"),))
    with pytest.raises(ds.DatasetError, match=r"one: 'cup' is not a category \(hand, hand\+forearm\)"):
        ds.encode_sample(frame)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.update(id="1"), "'hand' has the id '1'; ids are whole numbers"),
        (lambda c: c.update(keypoints=["wrist", 3]), "has a keypoint whose name is no text"),
        (lambda c: c.update(skeleton=[[1, 22]]), "a skeleton of other than pairs of its keypoints"),
        (lambda c: c.update(skeleton=[[1]]), "a skeleton of other than pairs of its keypoints"),
    ],
)
def test_a_wrong_category_is_named(folder, change, message):
    edit(folder, lambda content: change(content["categories"][0]))
    with pytest.raises(ds.DatasetError, match=message):
        ds.Dataset(folder)


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
