"""The importers of published sets (EgoHands, HGR, 11K Hands), on small files of their true layout."""

import numpy as np
import pytest
from importer_samples import SIZE, SQUARE, imported, refused, run, square_mask, write_image
from PIL import Image
from scipy import io
from trainer_samples import blob

from handforge.dataset.importers.hands11k import before_white

# ---------------------------------------------------------------- EgoHands


@pytest.fixture
def egohands(tmp_path):
    """Two videos of two frames; MATLAB counts pixels from 1, so the square's outline is half a pixel further."""
    kind = np.dtype([(name, object) for name in ("myleft", "myright", "yourleft", "yourright")])
    for video in ("CARDS_COURTYARD_B_T", "PUZZLE_OFFICE_S_H"):
        folder = tmp_path / "ego/_LABELLED_SAMPLES" / video
        polygons = np.zeros((1, 2), kind)
        for i in range(2):
            write_image(folder / f"frame_{i * 7 + 11:04d}.jpg")
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
    refused(run("egohands", egohands, tmp_path / "out", "--sample-seed", 0), "say how many, by --count")
    listed.write_text("CARDS_COURTYARD_B_T/frame_0012.jpg")
    refused(run("egohands", egohands, tmp_path / "out", "--files", listed), "lists CARDS_COURTYARD_B_T/frame_0012.jpg")
    listed.write_text("# nothing")
    refused(run("egohands", egohands, tmp_path / "out", "--files", listed), "lists no image; write one on a line")
    refused(run("egohands", egohands, tmp_path / "out", "--files", tmp_path / "gone"), "gone is missing")
    listed.write_bytes("frame_ä".encode("latin-1"))
    refused(
        run("egohands", egohands, tmp_path / "out", "--files", listed), "list.txt is not UTF-8 (byte 6); save it as"
    )
    listed.write_text("\ufeff" + names[0].replace("/", "\\") + "\r\n", "utf-8")  # as Windows' editor saves it
    assert run("egohands", egohands, tmp_path / "out", "--files", listed).exit_code == 0


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.array([[1.0, 1], [20, 3], [9, np.nan]]), "frame_0011.jpg: an outline in polygons.mat: a polygon lies far"),
        (np.array([[1.0, 1]]), "frame_0011.jpg: an outline in polygons.mat has the shape (1, 2), it must be (3 or"),
        (np.array([[1j, 1], [20, 3], [9, 20]]), "polygons.mat is damaged or not EgoHands'"),
        (np.array([["a", "b"]]), "polygons.mat is damaged or not EgoHands'"),
    ],
)
def test_egohands_wrong_outlines(egohands, tmp_path, points, message):
    path = egohands / "_LABELLED_SAMPLES/CARDS_COURTYARD_B_T/polygons.mat"
    polygons = io.loadmat(path)["polygons"]
    polygons[0, 0]["myright"] = points
    io.savemat(path, {"polygons": polygons})
    refused(run("egohands", egohands, tmp_path / "out"), message)


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
        write_image(source / "original_images" / f"{name}.jpg")
        speckled = mask.copy()
        speckled[0, :3] = True
        Image.fromarray(~speckled).convert("1").save(source / "skin_masks" / f"{name}.bmp")
    assert run("hgr", source, tmp_path / "out").exit_code == 0
    dataset = imported(tmp_path / "out")
    assert [image["group"] for image in dataset] == ["hgr1_id01", "hgr1_id01", "hgr2B_id02"]
    assert dataset.categories[dataset.annotations(dataset.images[0])[0]["category_id"]] == "hand+forearm"
    assert dataset.info["scene"] == {"all_hands": True}
    assert all((dataset.masks(image)[0] == mask).all() for image in dataset)
    write_image(source / "original_images" / "holiday.jpg")
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
    write_image(source / "original_images/1_P_hgr1_id01_1.jpg")
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


def test_hgr_names_a_mask_of_another_size(arm, tmp_path):
    Image.new("1", (32, 30)).save(arm / "skin_masks/1_P_hgr1_id01_1.bmp")
    refused(run("hgr", arm, tmp_path / "out"), "1_P_hgr1_id01_1.bmp is 32x30, its image 80x60; both must have the same")


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
        write_image(source / "Hands" / f"Hand_000000{i}.jpg")
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
    refused(run("hands11k", hands11k, tmp_path / "other"), "HandInfo.csv is not a CSV file that can be read")
    (hands11k / "HandInfo.csv").write_text("a,b\n1,2\n")
    refused(run("hands11k", hands11k, tmp_path / "other"), "HandInfo.csv does not have the columns id")
    refused(run("hands11k", tmp_path, tmp_path / "other"), "HandInfo.csv is missing")


def test_an_image_that_hands11k_lists_twice_is_refused(hands11k, tmp_path):
    table = hands11k / "HandInfo.csv"
    table.write_text(table.read_text() + table.read_text().splitlines()[1] + "\n")
    refused(run("hands11k", hands11k, tmp_path / "out"), "several rows for Hand_0000000; remove all but one")
    assert not (tmp_path / "out").exists()


def test_a_plain_wall_has_no_hand():
    assert not before_white(np.full((20, 30, 3), 255, np.uint8)).any()
