"""Every file that the product reads, changed at random: it is read, or refused by an error of our own that says why.

``FUZZ_MINUTES=5 pytest -m slow tests/fuzz`` goes on for that long with each kind; otherwise a few dozen of a fixed seed
are tried.
"""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from fuzz import changed, rounds
from run_samples import frame
from trainer_samples import TINY, write_blobs, write_recipe

from generator.frame import frame_spec
from generator.frame import settings as render_settings
from generator.hand import fitting, pose_sets
from generator.pipeline import frame_file, records, run_folder, shards
from generator.pipeline.records import PARTIAL, Records
from generator.rigs import bone_map
from handforge.dataset import Dataset
from handforge.dataset.exporters import export_dataset
from handforge.dataset.importers.annotations import import_annotations
from handforge.dataset.importers.folder import About
from handforge.dataset.scene import scene
from handforge.dataset.subsets import sample, zoom
from handforge.dataset.validate import check
from handforge.errors import HandforgeError
from trainer.config import recipe_file as recipes
from trainer.config.recipe import ImageSettings, Network
from trainer.data.images import ImagePool
from trainer.loop.run_folder import RunFolder
from trainer.models import checkpoint, networks

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SMALL = Network(backbone="resnet18", init="none", channels=16, representation_size=16)


def tried(paths, read, count, seed=0):
    """Change one of the files, read, and put the file back; again and again."""
    for number, rng in enumerate(rounds(count, seed)):
        path = paths[rng.integers(len(paths))]
        original = path.read_bytes()
        path.write_bytes(content := changed(original, path.suffix, rng))
        try:
            read(number)
        except HandforgeError as error:
            assert str(error).strip(), f"an error without words at {path.name} = {content[:3000]!r}"
        except Exception as error:
            raise AssertionError(f"round {number}, {path.name} = {content[:3000]!r}") from error
        finally:
            path.write_bytes(original)


@pytest.fixture
def data(tmp_path):
    return write_blobs(tmp_path / "data", count=3, hands=2, joints=True)


def test_datasets(data, tmp_path):
    def read(number):
        out = tmp_path / f"out{number}"
        opened = Dataset(data)
        scene(opened), opened.id
        found = check(data, 1, lambda done, total: None)
        uses = (
            lambda: ImagePool([Dataset(data)], ImageSettings(64, 96)),
            lambda: sample(opened, out, 1, number),
            lambda: list(zoom(opened, out, 2.0)),
            lambda: export_dataset(opened, out, ("labelme", "cvat", "yolo")[number % 3]),
        )
        try:
            uses[number % 4]()
        except HandforgeError:
            assert found or number % 4, "check found nothing wrong, and training refuses it"
            raise
        finally:
            shutil.rmtree(out, ignore_errors=True)

    tried([data / "annotations.json", data / "annotations.json", data / "dataset.json"], read, 80)


@pytest.mark.parametrize("format", ["coco", "labelme", "cvat", "yolo"])
def test_annotations_of_tools(data, tmp_path, format):
    if format == "coco":
        source, images = tmp_path / "labels.json", data / "images"
        shutil.copyfile(data / "annotations.json", source)
        paths = [source]
    else:
        export_dataset(Dataset(data), tmp_path / "made", format)
        folder = tmp_path / "made"
        images = folder if format == "labelme" else folder / "images"
        source = {"labelme": folder, "cvat": folder / "annotations.xml", "yolo": folder / "labels"}[format]
        paths = [source] if source.is_file() else sorted([*source.glob("*.json"), *source.glob("*.txt")])

    def read(number):
        out = tmp_path / f"out{number}"
        try:
            import_annotations(source, images, out, About("hand"), ("hand",))
        finally:
            shutil.rmtree(out, ignore_errors=True)

    tried(paths, read, 30)


def test_recipes_and_settings(tmp_path):
    recipe, settings = write_recipe(tmp_path / "r.toml", TINY), tmp_path / "s.toml"
    settings.write_text(render_settings._preset_text("varied"))

    def read(number):
        recipes.load(str(recipe))
        render_settings.load(settings)

    tried([recipe, settings], read, 400)


def test_poses_bone_maps_and_joints(tmp_path):
    poses, bones, joints = tmp_path / "p.csv", tmp_path / "b.toml", tmp_path / "j.json"
    chosen = pose_sets.select("l2")
    poses.write_bytes(pose_sets.dump(chosen.take(np.arange(3))))
    bones.write_text((Path(__file__).parents[2] / "blender_addon/maps/webxr_right.toml").read_text())
    joints.write_text(json.dumps({"landmarks": [[{"x": 0.1, "y": 0.2, "z": 0.3}] * 21]}))

    def read(number):
        pose_sets.select(str(poses))
        bone_map.load(bones)
        fitting.read_joints(joints, (640, 480))

    tried([poses, bones, joints], read, 400)


def test_frames(tmp_path):
    settings = render_settings.load(None, {"count": 2, "pose_set": "l2"})
    path = tmp_path / "frame.json"
    path.write_text(json.dumps(frame_file.draw(settings, 0)))

    def read(number):
        asked = frame_file._read(path)
        render_settings.load(None, asked["settings"])
        frame_spec.from_json(asked["frame"])

    tried([path], read, 100)


def test_shards(tmp_path):
    part = tmp_path / "part"
    settings = run_folder.named(render_settings.load(None, {"count": 3}))
    run = {"settings": settings, "poses_sha256": "0", "versions": {"handforge": "0"}, "frames": 3, "counts": {}}
    run_folder.claim(part, run)
    written = Records(part)
    for number in range(3):
        written.add(number, *frame(number))
    written.close()
    (lines,) = (part / PARTIAL).glob("records-*")
    lines = lines.rename(lines.with_name("records-x.jsonl"))
    single = part / PARTIAL / "records-y.json"  # one record as a file that is changed by its values

    def read(number):
        lines.write_bytes(b"\n".join([*lines.read_bytes().split(b"\n")[2:], single.read_bytes()]))
        out = tmp_path / f"out{number}"
        try:
            shards.merge(out, [part])
        finally:
            lines.write_bytes(whole)
            shutil.rmtree(out, ignore_errors=True)

    whole = lines.read_bytes()
    single.write_bytes(whole.split(b"\n")[1])
    tried([part / PARTIAL / "run.json", single], read, 40)
    assert len(records.read_records(part)) == 3


@pytest.fixture
def network(tmp_path):
    weights = networks.start(SMALL, ImageSettings(64, 96), 0).state_dict()
    images = {"min_size": 64, "max_size": 96, "augmentation": "none"}
    description = {"architecture": networks.architecture(SMALL), "images": images, "sessions": []}
    checkpoint.write_network(tmp_path / "network.safetensors", weights, description)
    return tmp_path


def test_networks(network):
    def read(number):
        _, description = networks.load(network / "network.safetensors")
        networks.categories_of(description)

    tried([network / "network.json"], read, 25)


def test_training_runs(tmp_path):
    run = tmp_path / "run"
    recipe = recipes.load(str(write_recipe(tmp_path / "r.toml", TINY))).as_dict()
    header = {
        **{"command": ["repeat"], "recipe": recipe, "seed": 0, "data": {"path": "/x", "id": "1", "images": 3}},
        **{"real": None, "categories": [{"id": 1, "name": "hand"}], "replicate": None, "precision": "float32"},
        **{"processes": 1, "threads": 1},
    }
    folder = RunFolder(run, header, resume=False)
    folder.create()
    row = dict.fromkeys(folder.columns, 1.0)
    for step in (1, 2):
        folder.add_row(row | {"session": 1, "step": step})
    folder.close()

    def read(number):
        again = RunFolder(run, header, resume=True)
        again.rows_until(1, 2, cut=False)
        again.write([], None)

    content = {path: path.read_bytes() for path in (run / "run.json", run / "losses.csv")}
    with warnings.catch_warnings():
        tried(list(content), read, 80)
