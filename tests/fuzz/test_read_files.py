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
import torch
from fuzz import changed, rounds
from PIL import Image
from run_samples import frame
from scipy import io
from trainer_samples import TINY, write_blobs, write_recipe

from generator.frame import frame_spec
from generator.frame import settings as render_settings
from generator.hand import fitting, pose_sets
from generator.pipeline import frame_file, records, run_folder, shards
from generator.pipeline.records import PARTIAL, Records
from generator.rigs import bone_map
from handforge.dataset import Dataset
from handforge.dataset.exporters import export_dataset
from handforge.dataset.importers import hgr
from handforge.dataset.importers.annotated import Notes
from handforge.dataset.importers.annotations import import_annotations, read_annotations
from handforge.dataset.importers.egohands import import_egohands
from handforge.dataset.importers.folder import About
from handforge.dataset.scene import scene
from handforge.dataset.subsets import sample, zoom
from handforge.dataset.validate import check
from handforge.errors import HandforgeError
from trainer.config import recipe_file as recipes
from trainer.config import study as studies
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
            lambda: (pool := ImagePool([Dataset(data)], ImageSettings(64, 96))).decode(range(len(pool))),
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


VIA = {
    "a": {
        "filename": "a.jpg",
        "regions": [
            {
                "shape_attributes": {"name": "polygon", "all_points_x": [1, 20, 9], "all_points_y": [1, 3, 20]},
                "region_attributes": {"label": "hand"},
            },
            {
                "shape_attributes": {"name": "ellipse", "cx": 20, "cy": 20, "rx": 9, "ry": 5, "theta": 0.5},
                "region_attributes": {"label": "hand"},
            },
            {
                "shape_attributes": {"name": "rect", "x": 2, "y": 3, "width": 20, "height": 10},
                "region_attributes": {"label": "hand"},
            },
        ],
    }
}
VOC = """<annotation>
<filename>a.jpg</filename>
<size><width>64</width><height>48</height></size>
<object><name>hand</name>
<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object>
<object><name>hand</name>
<polygon><x1>1</x1><y1>1</y1><x2>20</x2><y2>3</y2><x3>9</x3><y3>20</y3></polygon></object>
</annotation>"""
CVAT_VIDEO = """<annotations><version>1.1</version>
<meta><task><size>8</size>
<original_size><width>64</width><height>48</height></original_size></task></meta>
<track id="0" label="hand">
<polygon frame="1" outside="0" keyframe="1" points="1,1;20,3;9,20"/>
<polygon frame="5" outside="0" keyframe="1" points="5,1;24,3;13,20"/>
<polygon frame="6" outside="1" keyframe="1" points="5,1;24,3;13,20"/>
</track>
</annotations>"""


@pytest.mark.parametrize(
    ("name", "text"), [("via.json", json.dumps(VIA)), ("voc/a.xml", VOC), ("video.xml", CVAT_VIDEO)]
)
def test_annotations_of_further_tools(tmp_path, name, text):
    images, path = tmp_path / "images", tmp_path / name
    images.mkdir()
    Image.new("RGB", (64, 48)).save(images / "a.jpg")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    source = path.parent if name.startswith("voc") else path

    def read(number):
        if name == "video.xml":
            read_annotations(source, Notes())
            return
        out = tmp_path / f"out{number}"
        try:
            import_annotations(source, images, out, About("hand"), ("hand",), boxes=True)
        finally:
            shutil.rmtree(out, ignore_errors=True)

    tried([path], read, 200)


def test_public_sets(tmp_path):
    video, points = tmp_path / "ego/_LABELLED_SAMPLES/CARDS", tmp_path / "points.xml"
    video.mkdir(parents=True)
    Image.new("RGB", (64, 48)).save(video / "frame_0001.jpg")
    kinds = [(name, object) for name in ("myleft", "myright", "yourleft", "yourright")]
    polygons = np.empty((1, 1), kinds)
    polygons[0, 0] = (np.array([[1.0, 1], [20, 3], [9, 20]]), *[np.empty((0, 0))] * 3)
    io.savemat(video / "polygons.mat", {"polygons": polygons})
    ends = "".join(f'<FeaturePoint category="Wrist" x="{x}" y="40"/>\n' for x in (10, 30))
    points.write_text(f'<hand>\n{ends}<FeaturePoint category="Tip" x="20" y="5"/>\n</hand>')
    listed = tmp_path / "list.txt"
    listed.write_text("# those without heads\nCARDS/frame_0001.jpg\n")

    def read(number):
        out = tmp_path / f"out{number}"
        hgr._points(points)
        try:
            import_egohands(tmp_path / "ego", out, About("hand"), files=listed if number % 2 else None)
        finally:
            shutil.rmtree(out, ignore_errors=True)

    tried([video / "polygons.mat", points, listed], read, 150)


def test_studies(tmp_path):
    write_recipe(tmp_path / "r.toml", TINY)
    study = tmp_path / "study.toml"
    study.write_text((Path(__file__).parents[2] / "trainer/studies/claim.toml").read_text())

    def read(number):
        studies.load(str(study))

    tried([study], read, 200)


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
    description = {"architecture": networks.architecture(SMALL).to_json(), "images": images, "sessions": []}
    checkpoint.write_network(tmp_path / "network.safetensors", weights, description)
    return tmp_path


def test_networks(network):
    def read(number):
        _, description = networks.load(network / "network.safetensors")
        networks.categories_of(description)

    tried([network / "network.json"], read, 25)


def test_states_of_trainings(network):
    state = network / checkpoint.STATE
    model = networks.start(SMALL, ImageSettings(64, 96), 0)
    checkpoint.write_state(state, model, torch.optim.SGD(model.parameters(), lr=0.1), {"session": 1, "step": 2})
    original = state.read_bytes()
    head, weights = original[: (end := 8 + int.from_bytes(original[:8], "little"))], original[end:]
    small = network / "head.json"
    small.write_bytes(head[8:].rstrip())

    def read(number):
        changed_head = small.read_bytes()
        state.write_bytes(
            len(changed_head).to_bytes(8, "little") + changed_head + weights[: len(weights) // (number % 5 + 1)]
        )
        checkpoint.read_state(state)

    tried([small], read, 20)


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
