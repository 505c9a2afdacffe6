"""The importers of public sets and of drawn annotations, on small files of the true layout."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy import io
from trainer_samples import blob

from handforge.dataset import Dataset, check_image, encode_mask
from handforge.dataset.importers.hands11k import before_white
from trainer.cli import main

SIZE = (80, 60)
SQUARE = [(10, 20), (30, 20), (30, 45), (10, 45)]
"""x, y; as COCO counts, it covers columns 10 to 29 and rows 20 to 44."""


def run(*words):
    return CliRunner().invoke(main, ["import", *map(str, words)])


def imported(out):
    """The dataset, whose every record must hold."""
    dataset = Dataset(out)
    for image in dataset:
        assert check_image(dataset, image) == []
    return dataset


def refused(done, *parts):
    assert done.exit_code == 2, done.output
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    for part in parts:
        assert part in lines[0]


def square_mask(points=SQUARE):
    (left, top), (right, bottom) = points[0], points[2]
    mask = np.zeros(SIZE[::-1], bool)
    mask[top:bottom, left:right] = True
    return mask


def picture(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (120, 130, 140)).save(path)


# ---------------------------------------------------------------- EgoHands


@pytest.fixture
def egohands(tmp_path):
    """Two videos of two frames; MATLAB counts pixels from 1, so the square's outline is half a pixel further."""
    kind = np.dtype([(name, object) for name in ("myleft", "myright", "yourleft", "yourright")])
    for video in ("CARDS_COURTYARD_B_T", "PUZZLE_OFFICE_S_H"):
        folder = tmp_path / "ego/_LABELLED_SAMPLES" / video
        polygons = np.zeros((1, 2), kind)
        for i in range(2):
            picture(folder / f"frame_{i * 7 + 11:04d}.jpg")
            none = np.zeros((0, 0))
            outline = np.array(SQUARE, float) + 0.5
            rights = [outline + np.array(shift) if i else none for shift in ((40, 0), (20, 10))]
            polygons[0, i] = (outline, rights[0], none, rights[1])
        io.savemat(folder / "polygons.mat", {"polygons": polygons})
    return tmp_path / "ego"


def test_egohands_right_hands_only_and_all(egohands, tmp_path):
    assert run("egohands", egohands, tmp_path / "right").exit_code == 0
    right = imported(tmp_path / "right")
    assert [image["file_name"] for image in right][:2] == [
        "CARDS_COURTYARD_B_T_frame_0011.png",
        "CARDS_COURTYARD_B_T_frame_0018.png",
    ]
    assert [image["group"] for image in right] == ["CARDS_COURTYARD_B_T"] * 2 + ["PUZZLE_OFFICE_S_H"] * 2
    assert [len(right.annotations(image)) for image in right] == [0, 2, 0, 2]
    assert right.info["scene"] == {"all_hands": False}
    shifted = square_mask([(x + 40, y) for x, y in SQUARE])
    assert (right.masks(right.images[1])[0] == shifted).all()
    assert run("egohands", egohands, tmp_path / "all", "--hands", "all", "--count", 2).exit_code == 0
    every = imported(tmp_path / "all")
    assert len(every) == 2 and every.info["scene"] == {"all_hands": True}
    assert [a["side"] for a in every.annotations(every.images[0])] == ["left"]
    assert (every.masks(every.images[0])[0] == square_mask()).all()


def test_egohands_by_a_list_and_at_random(egohands, tmp_path):
    names = [
        f"{video}/frame_{n}.jpg" for video in ("CARDS_COURTYARD_B_T", "PUZZLE_OFFICE_S_H") for n in ("0011", "0018")
    ]
    listed = tmp_path / "list.txt"
    listed.write_text(f"# no head\n{names[3]}\n\n{names[0]}  # nor here\n{names[3]}\n")
    assert run("egohands", egohands, tmp_path / "two", "--files", listed).exit_code == 0
    made = [image["file_name"] for image in imported(tmp_path / "two")]
    assert made == [names[number].replace("/", "_").replace("jpg", "png") for number in (0, 3)]
    drawn = set()
    for seed in range(8):
        out = tmp_path / str(seed)
        assert run("egohands", egohands, out, "--count", 2, "--sample-seed", seed).exit_code == 0
        drawn.add(tuple(image["file_name"] for image in imported(out)))
    assert all(first < second for first, second in drawn) and len(drawn) > 2
    assert imported(tmp_path / "0").info["settings"]["seed"] == 0
    listed.write_text("CARDS_COURTYARD_B_T/frame_0012.jpg")
    refused(run("egohands", egohands, tmp_path / "out", "--files", listed), "lists CARDS_COURTYARD_B_T/frame_0012.jpg")
    listed.write_text("# nothing")
    refused(run("egohands", egohands, tmp_path / "out", "--files", listed), "lists no image; write one on a line")
    refused(run("egohands", egohands, tmp_path / "out", "--files", tmp_path / "gone"), "gone is not a list")


def test_egohands_wrong_layout(egohands, tmp_path):
    refused(run("egohands", tmp_path, tmp_path / "out"), "holds no _LABELLED_SAMPLES/VIDEO/polygons.mat")
    refused(run("egohands", egohands, tmp_path / "out", "--count", 9), "9 images were asked for, there are 4")
    video = egohands / "_LABELLED_SAMPLES/CARDS_COURTYARD_B_T"
    (video / "frame_0018.jpg").unlink()
    refused(run("egohands", egohands, tmp_path / "out"), "2 entries for 1 images")
    (video / "polygons.mat").write_bytes(b"MATLAB 5.0 cut short")
    refused(run("egohands", egohands, tmp_path / "out"), "polygons.mat is damaged")
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- HGR


def test_hgr_masks_are_inverted_and_people_are_groups(tmp_path):
    source = tmp_path / "hgr"
    (source / "skin_masks").mkdir(parents=True)
    mask = blob(SIZE, (40, 30), 14)
    for name in ("1_P_hgr1_id01_1", "1_P_hgr1_id01_2", "O_A_hgr2B_id02_1"):
        picture(source / "original_images" / f"{name}.jpg")
        speckled = mask.copy()
        speckled[0, :3] = True
        Image.fromarray(~speckled).convert("1").save(source / "skin_masks" / f"{name}.bmp")
    assert run("hgr", source, tmp_path / "out").exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [image["group"] for image in dataset] == ["hgr1_id01", "hgr1_id01", "hgr2B_id02"]
    assert dataset.categories[dataset.annotations(dataset.images[0])[0]["category_id"]] == "hand+forearm"
    assert dataset.info["scene"] == {"all_hands": True}
    assert all((dataset.masks(image)[0] == mask).all() for image in dataset)
    picture(source / "original_images" / "holiday.jpg")
    refused(run("hgr", source, tmp_path / "other"), "holiday.jpg is not named as HGR's")


ARM = [(30, 0), (50, 0), (50, 60), (30, 60)]
"""A hand above a forearm; the wrist is at y = 25."""


def points_file(*points, hands=1):
    listed = "".join(f'<FeaturePoint category="{kind}" x="{x}" y="{y}" />' for kind, x, y in points)
    empty = '<hand id="2"></hand>' * (hands - 1)
    return f'<?xml version="1.0"?><IMAGE name="a.jpg"><hand id="1">{listed}</hand>{empty}</IMAGE>'


@pytest.fixture
def arm(tmp_path):
    source = tmp_path / "hgr"
    for folder in ("skin_masks", "feature_points"):
        (source / folder).mkdir(parents=True)
    picture(source / "original_images/1_P_hgr1_id01_1.jpg")
    Image.fromarray(~square_mask(ARM)).convert("1").save(source / "skin_masks/1_P_hgr1_id01_1.bmp")
    return source


@pytest.mark.parametrize("ends", [((30, 25), (50, 25)), ((50, 25), (30, 25))])
def test_hgr_is_cut_off_at_the_wrist(arm, tmp_path, ends):
    tips = [("Finger tip", 33, 2), ("Finger tip", 45, 4)]
    xml = points_file(*tips, *[("Wrist", *end) for end in ends], hands=2)
    (arm / "feature_points/1_P_hgr1_id01_1.xml").write_text(xml)
    done = run("hgr", arm, tmp_path / "hand", "--mask", "hand")
    assert done.exit_code == 0 and "no feature_points" not in done.output
    hand = imported(tmp_path / "hand")
    assert (hand.masks(hand.images[0])[0] == square_mask([(30, 0), (50, 0), (50, 25), (30, 25)])).all()
    assert hand.annotations(hand.images[0])[0]["category_id"] == 1
    assert run("hgr", arm, tmp_path / "skin").exit_code == 0
    skin = imported(tmp_path / "skin")
    assert (skin.masks(skin.images[0])[0] == square_mask(ARM)).all()
    (annotation,) = skin.annotations(skin.images[0])
    assert (annotation["category_id"], annotation["wrist"]) == (2, [[50, 25], [30, 25]])  # the hand is on the right


def test_hgr_without_feature_points(arm, tmp_path):
    refused(run("hgr", arm, tmp_path / "hand", "--mask", "hand"), "1_P_hgr1_id01_1.xml is missing, by which to cut")
    (arm / "feature_points").rmdir()
    done = run("hgr", arm, tmp_path / "skin")
    assert done.exit_code == 0 and "has no feature_points" in done.output
    skin = imported(tmp_path / "skin")
    assert "wrist" not in skin.annotations(skin.images[0])[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<IMAGE><hand>", "is damaged or not HGR's"),
        ("<IMAGE/>", "0 points of the category Wrist and 0 others"),
        (points_file(("Wrist", 30, 25), ("Tip", 3, 2)), "1 points of the category Wrist and 1 others"),
        (points_file(("Wrist", 30, 25), ("Wrist", 50, 25)), "2 points of the category Wrist and 0 others"),
        (points_file(("Wrist", 30, "left")), "is damaged or not HGR's"),
        (points_file(("Wrist", 30, "nan"), ("Wrist", 50, 25), ("Tip", 3, 2)), "a point that is nowhere"),
        (points_file(("Wrist", 30, 25), ("Wrist", 500, 25), ("Tip", 3, 2)), "no wrist goes from 30, 25 to 500, 25"),
        (points_file(("Wrist", 30, 25), ("Wrist", 30, 25), ("Tip", 3, 2)), "no wrist goes from 30, 25 to 30, 25"),
    ],
)
def test_hgr_wrong_feature_points(arm, tmp_path, content, message):
    (arm / "feature_points/1_P_hgr1_id01_1.xml").write_text(content)
    refused(run("hgr", arm, tmp_path / "out"), "1_P_hgr1_id01_1.xml", message)
    assert not (tmp_path / "out").exists()


def test_what_is_said_of_a_source_goes_into_the_dataset(arm, hands11k, tmp_path):
    words = ("--mask", "hand+forearm", "--background", "desk", "--scale", "near")
    assert run("hands11k", hands11k, tmp_path / "out", *words).exit_code == 0
    dataset = imported(tmp_path / "out")
    assert dataset.info["scene"] == {"background": "desk", "scale": "near", "all_hands": True}
    assert dataset.info["settings"]["mask"] == "hand+forearm"
    assert {a["category_id"] for image in dataset for a in dataset.annotations(image)} == {2}


# ---------------------------------------------------------------- 11K Hands


@pytest.fixture
def hands11k(tmp_path):
    source = tmp_path / "11k"
    rows = ["id,age,gender,skinColor,accessories,nailPolish,aspectOfHand,imageName,irregularities"]
    for i, aspect in enumerate(("dorsal left", "palmar right")):
        rows.append(f"000100{i},25,male,fair,0,0,{aspect},Hand_000000{i}.jpg,0")
        picture(source / "Hands" / f"Hand_000000{i}.jpg")
        shade = np.linspace(250, 215, SIZE[0])[None, :, None].repeat(SIZE[1], 0).repeat(3, 2)
        shade[blob(SIZE, (40, 34), 16)] = (205, 160, 140)
        Image.fromarray(shade.astype(np.uint8)).save(source / "Hands" / f"Hand_000000{i}.jpg", quality=95)
    (source / "HandInfo.csv").write_text("\n".join(rows) + "\n")
    return source


def test_hands11k_from_the_white_background(hands11k, tmp_path):
    assert run("hands11k", hands11k, tmp_path / "out").exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [image["group"] for image in dataset] == ["0001000", "0001001"]
    assert [dataset.annotations(image)[0]["side"] for image in dataset] == ["left", "right"]
    truth = blob(SIZE, (40, 34), 16)
    for image in dataset:
        mask = dataset.masks(image)[0]
        assert (mask & truth).sum() / (mask | truth).sum() > 0.9


def test_hands11k_with_masks_and_wrong_files(hands11k, tmp_path):
    (hands11k / "masks").mkdir()
    for i in range(2):
        Image.fromarray(square_mask()).save(hands11k / "masks" / f"Hand_000000{i}.png")
    assert run("hands11k", hands11k, tmp_path / "out", "--count", 1).exit_code == 0
    dataset = imported(tmp_path / "out")
    assert len(dataset) == 1 and (dataset.masks(dataset.images[0])[0] == square_mask()).all()
    (hands11k / "HandInfo.csv").write_bytes(b"id\xff")
    refused(run("hands11k", hands11k, tmp_path / "other"), "HandInfo.csv is no CSV file that can be read")
    (hands11k / "HandInfo.csv").write_text("a,b\n1,2\n")
    refused(run("hands11k", hands11k, tmp_path / "other"), "HandInfo.csv has not the columns id")
    refused(run("hands11k", tmp_path, tmp_path / "other"), "HandInfo.csv is missing")


def test_a_picture_that_hands11k_lists_twice_is_refused(hands11k, tmp_path):
    table = hands11k / "HandInfo.csv"
    table.write_text(table.read_text() + table.read_text().splitlines()[1] + "\n")
    refused(run("hands11k", hands11k, tmp_path / "out"), "two images are called Hand_0000000; each needs a name")
    assert not (tmp_path / "out").exists()


def test_a_plain_wall_has_no_hand():
    assert not before_white(np.full((20, 30, 3), 255, np.uint8)).any()


# ---------------------------------------------------------------- annotations that people drew


def coco(path):
    mask = {"size": [SIZE[1], SIZE[0]], "counts": encode_mask(square_mask())["counts"]}
    flat = [float(v) for point in SQUARE for v in point]
    things = [(1, 7, [flat]), (2, 7, mask), (2, 3, [[0, 0, 5, 0, 5, 5]])]
    content = {
        "images": [{"id": i, "file_name": f"shot_{i}.jpg", "width": 80, "height": 60} for i in (1, 2)],
        "categories": [{"id": 7, "name": "hand"}, {"id": 3, "name": "cup"}],
        "annotations": [
            {"id": n, "image_id": image, "category_id": kind, "segmentation": code}
            for n, (image, kind, code) in enumerate(things, start=1)
        ],
    }
    path.write_text(json.dumps(content))
    return path


def cvat(path):
    points = ";".join(f"{x:.2f},{y:.2f}" for x, y in SQUARE)
    rle = ",".join(["0", str(20 * 25)])
    path.write_text(
        f"""<?xml version="1.0"?><annotations><version>1.1</version>
        <image id="0" name="shot_1.jpg" width="80" height="60"><polygon label="hand" points="{points}"/></image>
        <image id="1" name="shot_2.jpg" width="80" height="60">
          <mask label="hand" rle="{rle}" left="10" top="20" width="20" height="25"/>
          <polygon label="cup" points="0,0;5,0;5,5"/></image></annotations>"""
    )
    return path


def labelme(path):
    path.mkdir()
    for i in (1, 2):
        shapes = [{"label": "hand", "points": [list(map(float, p)) for p in SQUARE], "shape_type": "polygon"}]
        content = {"version": "5", "shapes": shapes, "imagePath": f"..\\shots\\shot_{i}.jpg", "imageData": None}
        (path / f"shot_{i}.json").write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("write, name", [(coco, "a.json"), (cvat, "a.xml"), (labelme, "labels")])
def test_annotations_of_three_tools_say_the_same(tmp_path, write, name):
    for i in (1, 2, 3):
        picture(tmp_path / "shots" / f"shot_{i}.jpg")
    source = write(tmp_path / name)
    done = run("annotations", source, tmp_path / "shots", tmp_path / "out")
    assert done.exit_code == 0, done.output
    dataset = imported(tmp_path / "out")
    assert [image["file_name"] for image in dataset] == ["shot_1.png", "shot_2.png"]  # the third is not annotated
    for image in dataset:
        masks = dataset.masks(image)
        assert len(masks) == 1 and (masks[0] == square_mask()).all()
    refused(
        run("annotations", source, tmp_path / "shots", tmp_path / "other", "--label", "foot"),
        "has nothing labelled 'foot' (there is",
        "hand",
    )


def test_damaged_annotations_are_named(tmp_path):
    picture(tmp_path / "shots" / "shot_1.jpg")
    endless = '{"images": [{"id": 1, "file_name": "a.jpg", "width": 1e999, "height": 1}]}'
    for name, text in (
        *(("a.json", '{"images": 3}'), ("a.xml", "<annotations><image"), ("b.json", "{"), ("c.json", endless)),
    ):
        (tmp_path / name).write_text(text)
        done = run("annotations", tmp_path / name, tmp_path / "shots", tmp_path / "out")
        refused(done, f"{name} is not {'valid JSON' if name == 'b.json' else 'a COCO, CVAT'}")
    refused(run("annotations", tmp_path / "no.json", tmp_path / "shots", tmp_path / "out"), "no.json is missing")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("write, name", [(coco, "a.json"), (cvat, "a.xml"), (labelme, "labels")])
def test_pictures_of_another_size_than_annotated_are_refused(tmp_path, write, name):
    picture(tmp_path / "shots" / "shot_1.jpg", (40, 30))
    source = write(tmp_path / name)
    if write is labelme:
        for path in source.iterdir():
            path.write_text(json.dumps({**json.loads(path.read_text()), "imageWidth": 80, "imageHeight": 60}))
    done = run("annotations", source, tmp_path / "shots", tmp_path / "out")
    refused(done, "shot_1.jpg is 40x30, but its annotations were drawn on 80x60; give those images")
    picture(tmp_path / "others" / "photo.jpg")
    done = run("annotations", source, tmp_path / "others", tmp_path / "out")
    refused(done, "others has no image that", "lists: ", "shot_1.jpg for one; photo.jpg is there")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ('left="10"', 'left="70"', "500 pixels in a box of 20x25 at 70, 20"),
        ('left="10"', 'left="-5"', "500 pixels in a box of 20x25 at -5, 20"),
        ('rle="0,500"', 'rle="0,99999999999999"', "99999999999999 pixels in a box of 20x25 at 10, 20"),
        ('rle="0,500"', 'rle="-1,501"', "500 pixels in a box of 20x25 at 10, 20"),
    ],
)
def test_a_cvat_mask_that_does_not_fit_is_refused(tmp_path, old, new, problem):
    picture(tmp_path / "shots" / "shot_1.jpg")
    path = cvat(tmp_path / "a.xml")
    path.write_text(path.read_text().replace(old, new))
    done = run("annotations", path, tmp_path / "shots", tmp_path / "out")
    refused(done, f"image shot_2.jpg: a mask cannot be read ({problem} in 80x60 pixels)")


# ---------------------------------------------------------------- video


@pytest.fixture
def video(tmp_path):
    from fractions import Fraction

    from handforge.dataset.video import Writer

    with Writer(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for i in range(6):
            frame = np.full((SIZE[1], SIZE[0], 3), 40 * i, np.uint8)
            writer.write(frame)
    return tmp_path / "clip.mp4"


def test_frames_of_a_video_with_masks_or_annotations(video, tmp_path):
    (tmp_path / "masks").mkdir()
    for i in (1, 4):
        Image.fromarray(square_mask()).save(tmp_path / "masks" / f"frame_{i:05d}.png")
    assert run("video", video, tmp_path / "out", "--truth", tmp_path / "masks").exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [(image["file_name"], image["frame"]) for image in dataset] == [
        ("clip_000001.png", 1),
        ("clip_000004.png", 4),
    ]
    assert {image["group"] for image in dataset} == {"clip.mp4"}
    assert abs(int(dataset.read_image(dataset.images[1]).mean()) - 160) < 8
    assert run("video", video, tmp_path / "drawn", "--truth", coco(tmp_path / "a.json")).exit_code == 0
    assert [image["frame"] for image in imported(tmp_path / "drawn")] == [1, 2]


def test_several_masks_of_a_frame_are_several_hands(video, tmp_path):
    (tmp_path / "masks").mkdir()
    other = square_mask([(40, 5), (60, 5), (60, 30), (40, 30)])
    for side, mask in (("left", square_mask()), ("right", other)):
        Image.fromarray(mask).save(tmp_path / "masks" / f"frame_{side}_00001.png")
    assert run("video", video, tmp_path / "out", "--truth", tmp_path / "masks").exit_code == 0
    (image,) = imported(tmp_path / "out")
    masks = imported(tmp_path / "out").masks(image)
    assert [(mask == true).all() for mask, true in zip(masks, (square_mask(), other), strict=True)] == [True, True]


def test_frames_beside_labelmes_files_are_no_masks(video, tmp_path):
    folder = labelme(tmp_path / "labels")
    for i in (1, 2):
        picture(folder / f"shot_{i}.jpg")
    assert run("video", video, tmp_path / "out", "--truth", folder).exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [(dataset.masks(image)[0] == square_mask()).all() for image in dataset] == [True, True]


def test_wrong_videos(video, tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(square_mask()).save(tmp_path / "masks/99.png")
    refused(run("video", video, tmp_path / "out", "--truth", tmp_path / "masks"), "ends before frame 99")
    (tmp_path / "fake.mp4").write_bytes(b"no video at all")
    refused(
        run("video", tmp_path / "fake.mp4", tmp_path / "out", "--truth", tmp_path / "masks"), "is damaged or no video"
    )
    refused(run("video", tmp_path / "no.mp4", tmp_path / "out", "--truth", tmp_path / "masks"), "no.mp4 is missing")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tool", ["cvat", "labelme"])
def test_outlines_of_one_group_are_one_hand(tmp_path, tool):
    """A pencil before a hand cuts it in two; annotators group the parts."""
    picture(tmp_path / "shots" / "shot_1.jpg")
    parts = [[(10, 20), (20, 20), (20, 45), (10, 45)], [(24, 20), (30, 20), (30, 45), (24, 45)]]
    others = [(50, 20), (60, 20), (60, 45)], [(65, 20), (75, 20), (75, 45)]
    groups = [(parts[0], 1), (parts[1], 1), *((other, None) for other in others)]
    if tool == "labelme":
        source = tmp_path / "labels"
        source.mkdir()
        shapes = [{"label": "hand", "points": points, "group_id": group} for points, group in groups]
        (source / "a.json").write_text(json.dumps({"shapes": shapes, "imagePath": "shot_1.jpg"}))
    else:
        source, written = tmp_path / "a.xml", ""
        for points, group in groups:
            text = ";".join(f"{x},{y}" for x, y in points)
            written += f'<polygon label="hand" points="{text}" group_id="{group or 0}"/>'
        source.write_text(
            f'<annotations><image name="shot_1.jpg" width="80" height="60">{written}</image></annotations>'
        )
    assert run("annotations", source, tmp_path / "shots", tmp_path / "out").exit_code == 0
    dataset = imported(tmp_path / "out")
    hand, *others = dataset.masks(dataset.images[0])
    assert len(others) == 2 and hand[20:45, 10:20].all() and hand[20:45, 24:30].all() and hand.sum() == 25 * 16
