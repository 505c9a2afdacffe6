"""The task classification by the real commands: learned, continued, predicted, scored, reported, exported."""

import csv
import json
import os
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from trainer_samples import blob, edit_annotations, refused, write_recipe, write_shapes

from evaluation.cli import main as evaluation
from evaluation.metrics import classification
from handforge.dataset import Dataset, DatasetError, check_image
from trainer.cli import main
from trainer.config.categories import choose
from trainer.config.recipe import ImageSettings, Network
from trainer.data.images import ImagePool
from trainer.loop import repetition
from trainer.models import layer_freezing, networks
from trainer.models.classifier import Classifier

RECIPE = """
subsets = 2
[network]
task = "classification"
backbone = "resnet18"
init = "none"
[images]
min_size = 64
max_size = 64
[session]
steps = 20
batch = 6
lr = 0.0003
optimizer = "adamw"
[[sessions]]
trainable_layers = ["all", "heads"]
"""
COLORS = {"blue": (40, 60, 220), "green": (40, 180, 60), "red": (220, 40, 40)}


def invoke(*words, command=main):
    return CliRunner().invoke(command, [str(word) for word in words])


def write_classes(folder, count=6, seed=0):
    """A folder a class, each image a disc of its colour anywhere before grey."""
    rng = np.random.default_rng(seed)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((64, 64, 3), rng.integers(90, 170), np.uint8)
            pixels[blob((64, 64), rng.uniform(22, 42, 2), rng.uniform(12, 20))] = color
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    for name, count, seed in (("train", 12, 0), ("test", 6, 1)):
        done = invoke("import", "classes", write_classes(folder / f"{name}_images", count, seed), folder / name)
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("classified")
    recipe = write_recipe(folder / "classes.toml", RECIPE)
    words = ("--recipe", recipe, "--data", data / "train", "--device", "cpu")
    done = invoke("repeat", *words, "--out", folder / "run")
    assert done.exit_code == 0, done.output
    out = folder / "run/predictions/test"
    done = invoke("predict", "--weights", folder / "run", data / "test", "--out", out, "--overlays")
    assert done.exit_code == 0, done.output
    return words, folder / "run"


def test_a_folder_a_class_becomes_a_dataset(data, tmp_path):
    train = Dataset(data / "train")
    assert [(c.id, c.name) for c in train.category_list] == [(1, "blue"), (2, "green"), (3, "red")]
    assert [image["file_name"] for image in train][::12] == ["blue_0.png", "green_0.png", "red_0.png"]
    for image in train:
        (annotation,) = train.annotations(image)
        assert train.category(annotation) == image["file_name"].split("_")[0]
        assert annotation["bbox"] == [0, 0, 64, 64] and check_image(train, image) == []
    for name in ("a/b_c", "a_b/c"):
        (tmp_path / "near" / name).parent.mkdir(parents=True)
        Image.new("RGB", (32, 32)).save(tmp_path / "near" / f"{name}.png")
    assert invoke("import", "classes", tmp_path / "near", tmp_path / "two").exit_code == 0
    assert [image["file_name"] for image in Dataset(tmp_path / "two")] == ["a_b_c.png", "a_b_c_2.png"]
    (tmp_path / "one/only").mkdir(parents=True)
    refused(invoke("import", "classes", tmp_path / "one", tmp_path / "out"), "one holds 1 folders")
    (tmp_path / "one/empty").mkdir()
    refused(invoke("import", "classes", tmp_path / "one", tmp_path / "out"), "holds no image")
    refused(invoke("import", "classes", tmp_path / "gone", tmp_path / "out"), "gone is not a folder")


def test_colours_are_learned_and_scored(data, run, tmp_path):
    """Other images of the same three colours: nothing less than all of them."""
    _, folder = run
    out = tmp_path / "scores.json"
    done = invoke(
        "score", data / "test", folder, "--session", "best", "--of", "classes", "--json", out, command=evaluation
    )
    assert done.exit_code == 0, done.output
    scores = json.loads(out.read_text())
    words = ("score", data / "test", folder / "predictions/test", "--json", tmp_path / "same.json")
    assert invoke(*words, command=evaluation).exit_code == 0
    assert json.loads((tmp_path / "same.json").read_text()) == scores
    assert scores["top1"] == scores["mean_recall"] == 1 and scores["images"] == 18
    assert scores["classes"]["red"] == {"images": 6, "recall": 1, "precision": 1}
    counts = np.array(scores["confusion"]["counts"])
    assert (counts == np.diag([6, 6, 6, 0])).all()
    record = json.loads((folder / "predictions/test/predict.json").read_text())
    assert record["task"] == "classification" and len(list((folder / "predictions/test/overlays").iterdir())) == 18
    done = invoke("report", folder, "--out", tmp_path / "report.html", command=evaluation)
    assert done.exit_code == 0 and "sets of predictions scored: 1" in done.output
    page = (tmp_path / "report.html").read_text()
    assert "top-1 <b>1.000</b> of 18 images" in page and "classes of images, top-1 1.000" in page
    assert "of the paper" not in page and "mask IoU" not in page
    refused(
        invoke("predict", "--weights", folder, data / "test", "--out", tmp_path / "masks", "--masks"),
        "predicts no masks",
    )


def test_losses_layers_and_saturation_are_as_of_other_tasks(run):
    _, folder = run
    with (folder / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["session", "step", "loss", "loss_classification", "lr"] and len(rows) == 40
    sessions = json.loads((folder / "run.json").read_text())["sessions"]
    assert [(s["subset"], s["images"], s["layers"]) for s in sessions] == [(1, 18, "all"), (2, 18, "heads")]
    assert all("saturation_step" in session for session in sessions)


def test_a_run_resumes_exactly(run, tmp_path, monkeypatch):
    words, folder = run
    monkeypatch.setattr(repetition, "STATE_EVERY_STEPS", 4)  # it is stopped at steps of which no state was written
    add_row = repetition.RunFolder.add_row

    def stop(self, row):
        add_row(self, row)
        if row["step"] == 5 + 10 * (row["session"] - 1):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repetition.RunFolder, "add_row", stop)
        for _ in range(2):
            assert invoke("repeat", *words, "--out", tmp_path / "run", "--resume").exit_code == 130
    assert invoke("repeat", *words, "--out", tmp_path / "run", "--resume").exit_code == 0
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (folder / name).read_bytes()


def network(**more):
    chosen = Network(**{"task": "classification", "backbone": "resnet18", "init": "none", **more})
    return networks.start(chosen, ImageSettings(64, 96), 0, choose_three())


def choose_three():
    return tuple(networks.categories.built_in(name) for name in COLORS)


@pytest.mark.parametrize("task", ["classification", "semantic"])
def test_layer_words_name_the_head_and_the_bodys_stages(task):
    model = network(task=task, channels=16)
    for word, stages in (("heads", ()), ("5+", (4,)), ("3+", (2, 3, 4)), ("all", (1, 2, 3, 4))):
        layer_freezing.train_layers(model, word)
        trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
        assert {name for name, _ in model.named_parameters() if name.startswith("classifier.")} <= trained
        layers = {name.split(".")[2] for name in trained if name.startswith("backbone.body.layer")}
        assert layers == {f"layer{stage}" for stage in stages}


def test_what_pads_an_image_does_not_count():
    """One image alone, and beside a wider one that makes the batch wider: the same loss to within the seam."""
    model = network().eval()
    rng = torch.Generator().manual_seed(0)
    narrow, wide = torch.rand(3, 64, 64, generator=rng), torch.rand(3, 64, 96, generator=rng)
    with torch.inference_mode():
        alone, beside = model([narrow])[0]["probabilities"], model([narrow, wide])[0]["probabilities"]
    assert alone.shape == (3,) and alone.sum() == pytest.approx(1)
    assert torch.allclose(alone, beside, atol=0.05)


def test_a_single_class_is_refused(data, tmp_path):
    """Its loss is 0 from the first step on: there is nothing to tell apart."""
    train = data / "train"
    words = ("--recipe", write_recipe(tmp_path / "r.toml", RECIPE), "--data", train, "--out", tmp_path / "run")
    done = invoke("repeat", *words, "--categories", "red")
    refused(done, f"two classes or more apart, and {train} has one, red; handforge dataset import classes")


def test_an_image_of_two_categories_is_refused(tmp_path):
    shapes = write_shapes(tmp_path / "shapes", {"circle": 1, "square": 2}, count=2)
    recipe = write_recipe(tmp_path / "classes.toml", RECIPE)
    words = ("repeat", "--recipe", recipe, "--data", shapes, "--out", tmp_path / "run")
    refused(invoke(*words), "shapes000.png has circle and square", "needs images of one category each")
    opened = Dataset(shapes)
    pool = ImagePool([opened], ImageSettings(64, 96), classes=choose([opened], ["square"]), whole=True)
    assert [target["labels"].tolist() for target in pool.batch([1, 0], None).targets] == [[1], [1]]
    edit_annotations(shapes, lambda c: c.update(annotations=c["annotations"][:2]))
    opened = Dataset(shapes)
    with pytest.raises(DatasetError, match=r"shapes001\.png has no object that is learned"):
        ImagePool([opened], ImageSettings(64, 96), classes=choose([opened], ["square"]), whole=True)


def test_augmented_images_keep_their_class(data):
    """The whole image is of the class: no window without its object, no other image beside it."""
    opened = Dataset(data / "train")
    for name in ("studio", "photo", "decoys"):
        pool = ImagePool([opened], ImageSettings(64, 64, name), whole=True)
        batch = pool.batch([0, 12, 24, 1], [3])
        assert [target["labels"].item() for target in batch.targets] == [1, 2, 3, 1]


def test_a_classifier_starts_from_the_body_of_another_task(run, tmp_path):
    _, folder = run
    start = networks.start(
        Network(task="detection", backbone="resnet18", init=str(folder), channels=16, representation_size=16),
        ImageSettings(64, 96),
        0,
    )
    body, trained = start.backbone.body.state_dict(), networks.load(folder)[0].backbone["body"].state_dict()
    assert all(torch.equal(body[name], tensor) for name, tensor in trained.items())


def test_scores_by_hand(data, tmp_path):
    """18 images: one red taken for blue, one red without a prediction, all others right."""
    test = Dataset(data / "test")
    results = [
        {"image_id": image["id"], "category_id": category, "bbox": [0, 0, 64, 64], "score": score}
        for image in test
        for category, score in ((test.annotations(image)[0]["category_id"], 0.6), (2, 0.1))
    ]
    results = [entry for entry in results if entry["image_id"] != 18]
    results.append({"image_id": 17, "category_id": 1, "bbox": [0, 0, 64, 64], "score": 0.7})
    (tmp_path / "results.json").write_text(json.dumps(results))
    found = classification.score(test, tmp_path / "results.json")
    assert (found.images, found.top1) == (18, pytest.approx(16 / 18))
    assert found.mean_recall == pytest.approx((1 + 1 + 4 / 6) / 3)
    assert found.classes["blue"] == classification.ClassMetrics(6, 1.0, pytest.approx(6 / 7))
    assert found.confusion.counts == [[6, 0, 0, 0], [0, 6, 0, 0], [1, 0, 4, 1], [0, 0, 0, 0]]
    several = shutil.copytree(data / "test", tmp_path / "several")
    edit_annotations(several, lambda c: c["annotations"].append({**c["annotations"][0], "id": 99, "category_id": 3}))
    found = classification.score(Dataset(several), tmp_path / "results.json")
    assert found.images == 17 and found.notes == ["1 of 18 images have no class or several; left out"]


def test_classifications_are_compared_image_by_image(data, run, tmp_path):
    """A copy in which 6 of 18 images are taken for another class: top-1 is a third lower, and it is significant."""
    _, folder = run
    worse = shutil.copytree(folder, tmp_path / "worse")
    results = json.loads((worse / "predictions/test/results.json").read_text())
    test = Dataset(data / "test")
    blue = {image["id"] for image in test if test.category(test.annotations(image)[0]) == "blue"}
    for entry in results:
        if entry["image_id"] in blue:
            entry["category_id"] = {1: 2, 2: 1}.get(entry["category_id"], entry["category_id"])
    (worse / "predictions/test/results.json").write_text(json.dumps(results))
    out = tmp_path / "compared.json"
    both = [path / "predictions/test" for path in (folder, worse)]
    done = invoke("compare", data / "test", *both, "--json", out, command=evaluation)
    assert done.exit_code == 0, done.output
    assert [row["top1"] for row in json.loads(out.read_text())] == [1, pytest.approx(12 / 18)]
    line = next(line for line in done.output.splitlines() if line.split()[:2] == ["2", "top-1"])
    difference, low, high = map(float, line.split()[2:5])
    assert line.split()[5:] == ["18", "images"]
    assert difference == -0.333 and low < difference < high < 0
    refused(
        invoke("compare", data / "test", *both, "--iou", "0.4", command=evaluation),
        "--iou is for masks; leave it out for classes of images",
    )
    done = invoke("ablation", folder, worse, command=evaluation)
    assert done.exit_code == 0, done.output
    base, other = (row for line in done.output.splitlines() if (row := line.split())[:1] == ["test"])
    assert "1.000" in base
    assert other[-7:-2] == ["0.667", "0.667", f"{difference:+.3f}", f"{low:+.3f}", f"{high:+.3f}"]
    assert other[-2:] == ["18", "images"]


def test_coco_weights_are_of_other_tasks(data, tmp_path):
    recipe = write_recipe(tmp_path / "c.toml", RECIPE.replace("resnet18", "resnet50"))
    done = invoke("train", "--recipe", recipe, "--data", data / "train", "--init", "coco", "--out", tmp_path / "run")
    refused(done, "init coco does not exist for task classification")


def test_timm_backbones_classify():
    chosen = Network(task="classification", backbone="mobilenetv3_small_050", init="none")
    model = networks.start(chosen, ImageSettings(64, 64), 0, choose_three())
    assert isinstance(model, Classifier) and model.classifier.logits.out_features == 3
    with torch.inference_mode():
        assert model.eval()([torch.rand(3, 64, 64)])[0]["probabilities"].shape == (3,)


def test_names_that_are_not_utf8_are_written_with_their_bytes(tmp_path):
    write_classes(tmp_path / "images", 2, 0)
    strange = (tmp_path / "images/red").rename(tmp_path / "images" / os.fsdecode(b"r\xe9d"))
    next(strange.iterdir()).rename(strange / os.fsdecode(b"caf\xe9.png"))
    done = invoke("import", "classes", tmp_path / "images", tmp_path / "out")
    assert done.exit_code == 0, done.output
    dataset = Dataset(tmp_path / "out")
    assert "r%E9d_caf%E9.png" in {image["file_name"] for image in dataset}
    assert "r%E9d" in {category.name for category in dataset.category_list}
