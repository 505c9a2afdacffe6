"""Fine-tuning by the real command: the network's own architecture, own images beside rendered ones."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from trainer_samples import TINY, refused, write_blobs, write_recipe

from handforge.dataset import Dataset
from trainer.cli import main
from trainer.config import categories
from trainer.config import recipe_file as recipes
from trainer.config.recipe import ImageSettings
from trainer.loop.fine_tune import training_options
from trainer.models import checkpoint, networks

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import fine_tuning

SHORT = "[session]\nsteps = 2\nbatch = 1\nrois_per_image = 8\nlr = 0.001\n"
GIVEN = {"words": [], "seed": 0, "device": "cpu", "workers": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A network of its own architecture, own and rendered images, and a recipe of two steps."""
    folder = tmp_path_factory.mktemp("fine")
    write_blobs(folder / "own", 3)
    write_blobs(folder / "rendered", 12)
    write_recipe(folder / "short.toml", SHORT)
    tiny = recipes.load(str(write_recipe(folder / "tiny.toml", TINY)))
    learned = (categories.built_in("hand"),)
    arch = networks.architecture(tiny.network, learned).to_json()
    description = {"task": "segmentation", "architecture": arch, "categories": categories.to_json(learned)}
    description |= {"images": tiny.as_dict()["images"], "recipe": "tiny", "seed": 0, "sessions": []}
    (folder / "start").mkdir()
    model = networks.start(tiny.network, tiny.images, 0, learned)
    checkpoint.write_network(folder / "start/network.safetensors", model.state_dict(), description)
    return folder


def made(place, *rendered, **more):
    given = {"init": str(place / "start"), "recipe": "fine-tune", "category": None, **GIVEN, **more}
    given["recipe"] = recipes.load(given["recipe"])
    return training_options(place / "own", place / "out", rendered, **given)


def test_network_and_size_are_those_of_the_start_and_the_rest_the_recipes(place):
    chosen = made(place).recipe
    assert (chosen.network.backbone, chosen.network.channels, chosen.network.representation_size) == (
        "test_resnet",
        16,
        16,
    )
    assert (chosen.images.min_size, chosen.images.max_size) == (64, 96)
    shared = recipes.load("fine-tune")
    assert chosen.sessions == shared.sessions and chosen.images.augmentation == shared.images.augmentation


def test_what_a_description_does_not_say_of_its_images_is_the_default(place, tmp_path):
    shutil.copytree(place / "start", tmp_path / "start")
    path = tmp_path / "start/network.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "images": {}}))
    assert made(place, init=str(tmp_path / "start")).recipe.images.min_size == ImageSettings.min_size


def test_own_images_are_half_of_those_mixed(place):
    alone = made(place)
    assert (alone.data, alone.real) == ((place / "own",), ())
    mixed = made(place, place / "rendered")
    assert (mixed.data, mixed.real, mixed.replicate) == ((place / "rendered",), (place / "own",), 4)


def test_the_category_is_what_the_own_masks_cover(place):
    assert made(place).recipe.network.category == "hand"
    assert made(place, category="hand+forearm").recipe.network.category == "hand+forearm"


def test_the_command_goes_on_from_the_weights(place):
    words = ["--data", place / "own", "--rendered", place / "rendered", "--init", place / "start"]
    words += ["--recipe", place / "short.toml", "--out", place / "run", "--device", "cpu", "--threads", 1]
    done = CliRunner().invoke(main, ["fine-tune", *map(str, words)])
    assert done.exit_code == 0, done.output
    record = json.loads((place / "run/run.json").read_text())
    assert record["command"][0] == "fine-tune" and record["replicate"] == 4 and record["real"]["images"] == 3
    assert record["sessions"][0]["images"] == 24
    before, after = (checkpoint.read_weights(place / name) for name in ("start", "run"))
    changes = [float((after[name] - tensor).abs().max()) for name, tensor in before.items()]
    assert 0 < max(changes) < 0.1  # two small steps from the same weights


def test_what_is_no_trained_network_is_refused(place, tmp_path):
    words = ["fine-tune", "--data", str(place / "own"), "--out", str(tmp_path / "run"), "--init"]
    refused(CliRunner().invoke(main, [*words, "imagenet"]), "--init imagenet is not a trained network")
    refused(CliRunner().invoke(main, [*words, str(tmp_path / "nowhere")]), "nowhere is missing")
    assert not (tmp_path / "run").exists()


def named(*names):
    return [{"file_name": f"{name}.jpg"} for name in names]


def test_the_benchmark_tests_other_people_than_it_trains_on():
    images = named(*(f"{g}_P_hgr1_id{p:02d}_{k}" for g in "12" for p in range(9) for k in range(4)))
    tested, others = fine_tuning.parts(images)
    people = {fine_tuning.person(i) for i in tested}, {fine_tuning.person(i) for i in others}
    assert not people[0] & people[1] and len(people[0]) == 4 and len(people[1]) == 5
    assert len(tested) + len(others) == len(images) == 72
    few, many = (fine_tuning.drawn(others, count, 1) for count in (5, 20))
    names = [{i["file_name"] for i in part} for part in (few, many)]
    assert len(names[0]) == 5 and names[0] < names[1] and fine_tuning.drawn(others, 5, 2) != few
    assert fine_tuning.person({"file_name": "x.jpg", "group": "anna"}) == "anna"
    with pytest.raises(SystemExit, match="does not say whose image it is"):
        fine_tuning.person({"file_name": "x.jpg"})


def test_the_benchmark_makes_its_datasets_once(tmp_path):
    data = write_blobs(tmp_path / "data", 8)
    content = json.loads((data / "annotations.json").read_text())
    for number, image in enumerate(content["images"]):
        image["group"] = f"p{number // 2}"
    (data / "annotations.json").write_text(json.dumps(content))
    for _ in range(2):
        fine_tuning.split(Dataset(data), tmp_path / "out", [1, 3], 1)
    sizes = {path.name: len(Dataset(path)) for path in (tmp_path / "out").iterdir()}
    assert sizes == {"test": 4, "train-1-0": 1, "train-3-0": 3}
    rows = [{"count": 0, "seed": 0, "hands": 4, "tp": 2, "fp": 1, "fn": 2, "mean_iou": None, "f1": 0.571}]
    assert fine_tuning.table(rows).splitlines()[2] == "| 0 | – | 4 | 2 | 1 | 2 | – | 0.571 |"
