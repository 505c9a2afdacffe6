"""Several datasets in one run, and what is held out for validation."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from trainer_samples import TINY, edit_annotations, invoke, refused, repeat, stopped_after, write_blobs, write_recipe

from handforge.dataset import Dataset
from trainer.config.recipe_file import load as load_recipe
from trainer.errors import RecipeError
from trainer.loop import launch, repetition
from trainer.loop.run_folder import RunFolder


def several(recipe, sets, out, *more):
    words = [word for folder in sets for word in ("--data", folder)]
    return invoke("repeat", "--recipe", recipe, *words, "--out", out, "--device", "cpu", *more)


def test_several_datasets_are_learned_as_one(blobs, tmp_path):
    other = write_blobs(tmp_path / "other", count=4, size_wh=(100, 80))
    recipe = write_recipe(tmp_path / "r.toml", TINY.replace("subsets = 2", "subsets = 2\nvalidation = 0.2"))
    assert several(recipe, (blobs, other), tmp_path / "whole").exit_code == 0
    run = json.loads((tmp_path / "whole/run.json").read_text())
    assert [(part["id"], part["images"]) for part in run["data"]] == [
        (Dataset(d).id, len(Dataset(d))) for d in (blobs, other)
    ]
    assert [s["images"] for s in run["sessions"]] == [4, 4]
    subsets = json.loads((tmp_path / "whole/subsets.json").read_text())
    every = [name for part in (*subsets["subsets"], subsets["validation"]) for name in part]
    assert len(subsets["validation"]) == 2
    assert sorted(every) == sorted(f"{d}/{image['file_name']}" for d in (blobs, other) for image in Dataset(d))
    with stopped_after(3, session=2):
        assert several(recipe, (blobs, other), tmp_path / "stopped").exit_code == 130
    refused(several(recipe, (blobs,), tmp_path / "stopped", "--resume"), "holds another run", "data was")
    refused(several(recipe, (other, blobs), tmp_path / "stopped", "--resume"), "holds another run", "data 1.id was")
    moved = other.rename(tmp_path / "moved")
    assert several(recipe, (blobs, moved), tmp_path / "stopped", "--resume").exit_code == 0
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_dataset_given_twice_is_refused(blobs, tiny, tmp_path):
    copied = shutil.copytree(blobs, tmp_path / "copy")
    done = several(tiny, (blobs, copied), tmp_path / "run")
    refused(done, str(blobs), str(copied), "are the same dataset; give each once")
    assert not (tmp_path / "run").exists()


def test_a_group_of_two_datasets_is_kept_aside_together(tmp_path):
    one, two = write_blobs(tmp_path / "one", count=6), write_blobs(tmp_path / "two", count=9, size_wh=(90, 90))
    for folder in (one, two):
        edit_annotations(folder, lambda c: [image.update(group=image["id"] % 3) for image in c["images"]])
    recipe = replace(load_recipe("demo"), subsets=2, validation=0.4)
    plan = repetition.Plan([], recipe, (Dataset(one), Dataset(two)))
    subsets, aside = repetition.split(plan)
    groups = [image["group"] for _, image in plan.images]
    assert sorted([*aside, *subsets[0], *subsets[1]]) == list(range(15)) and len(aside) == 5
    assert {groups[i] for i in aside}.isdisjoint(groups[i] for part in subsets for i in part)


def test_what_is_trained_on_as_real_images_is_not_kept_aside(blobs, tmp_path):
    recipe = replace(load_recipe("demo"), subsets=2, validation=0.4)
    copied = shutil.copytree(blobs, tmp_path / "copy")
    with pytest.raises(RecipeError, match=f"{blobs} and {copied} are the same dataset; give each once"):
        repetition.Plan([], recipe, (Dataset(blobs),), (Dataset(copied),))
    data, real = write_blobs(tmp_path / "data", count=8), write_blobs(tmp_path / "real", count=3)
    edit_annotations(data, lambda c: [image.update(group="ab"[image["id"] % 2]) for image in c["images"]])
    edit_annotations(real, lambda c: c["images"][0].update(group="a"))
    recipe = replace(recipe, validation=0.5)
    for seed in range(4):
        plan = repetition.Plan([], recipe, (Dataset(data),), (Dataset(real),), seed=seed)
        assert {plan.images[int(number)][1]["group"] for number in repetition.split(plan)[1]} == {"b"}


def test_a_session_draws_from_its_subset_and_from_the_real_images(tmp_path, monkeypatch):
    """Images are numbered through: two sets of 4 and 2, then the real ones, 6 and 7 of one and 8 to 10 of the other."""
    data = [Dataset(write_blobs(tmp_path / f"{count}", count, size_wh=(70 + count, 60))) for count in (4, 2)]
    real = [Dataset(write_blobs(tmp_path / f"real{count}", count, size_wh=(90, 60))) for count in (2, 3)]
    recipe = load_recipe(str(write_recipe(tmp_path / "r.toml", TINY)))
    sessions = tuple(replace(recipe.sessions[0], subset=subset) for subset in (1, 2, 1, "each"))
    subsets = [np.array([0, 2, 5]), np.array([1, 3, 4])]
    monkeypatch.setattr(repetition, "split", lambda plan: (subsets, np.array([], int)))

    def drawn(real_sets):
        plan = repetition.Plan(
            [], replace(recipe, sessions=sessions, real_sets=real_sets), tuple(data), tuple(real), replicate=2
        )
        made = repetition.Repetition(plan, RunFolder(tmp_path / real_sets, plan.header(), resume=False))
        jobs = [made.job(number) for number in (1, 2, 3, 4)]
        assert [[part.tolist() for part in job.parts] for job in jobs[:3]] == [[], [], []]
        return [job.pool.tolist() for job in jobs[:3]], [part.tolist() for part in jobs[3].parts]

    one, other = [6, 6, 7, 7], [8, 8, 9, 9, 10, 10]
    first, second = (part.tolist() for part in subsets)
    pools, parts = drawn("together")
    assert pools == [first + one + other, second + one + other, first + one + other]
    assert parts == [first + one + other, second + one + other]
    pools, parts = drawn("in-turn")
    assert pools == [first + one, second + other, first + one]
    assert parts == [first + other, second + other]


def test_training_leaves_out_images_of_another_outline(tmp_path):
    data = write_blobs(tmp_path / "data", count=6)
    edit_annotations(data, lambda c: c["categories"].append({"id": 2, "name": "hand+forearm"}))
    edit_annotations(data, lambda c: [c["annotations"][number].update(category_id=2) for number in (0, 1)])
    words = {"recipe": "demo", "data": (data,), "out": tmp_path / "run", "words": [], "seed": 0, "device": "cpu"}
    for categories in (None, "hand"):
        plan = launch.plan("repeat", launch.Options(**words, workers=1, categories=categories))
        assert len(plan.images) == 4 and all(dataset.annotations(image) for dataset, image in plan.images)


def test_validation_keeps_groups_together(tmp_path):
    folder = write_blobs(tmp_path / "d", count=12)
    edit_annotations(folder, lambda c: [image.update(group=image["id"] % 4) for image in c["images"]])
    recipe = replace(load_recipe("demo"), subsets=2, validation=0.5)
    for seed in range(5):
        subsets, aside = repetition.split(repetition.Plan([], recipe, (Dataset(folder),), seed=seed))
        assert len(aside) == 6 and [len(part) for part in subsets] == [3, 3]
        assert sorted([*aside, *subsets[0], *subsets[1]]) == list(range(12))
        kept = {int(index) % 4 for index in aside}
        assert not kept & {int(index) % 4 for part in subsets for index in part}


def test_validation_without_images_is_refused(blobs, tmp_path):
    video = write_blobs(tmp_path / "video")
    edit_annotations(video, lambda c: [image.update(group="clip.mp4") for image in c["images"]])
    recipe = write_recipe(tmp_path / "aside.toml", TINY.replace("subsets = 2", "subsets = 2\nvalidation = 0.3"))
    parts = ("validation 0.3 means 2 of the 6 images", "6 at least belong together")
    refused(repeat(recipe, video, tmp_path / "run"), *parts)
    few = write_recipe(tmp_path / "few.toml", TINY.replace("subsets = 2", "subsets = 2\nvalidation = 0.05"))
    refused(repeat(few, blobs, tmp_path / "run"), "validation 0.05 means 0 of the 6 images", "1 at least")
    assert not (tmp_path / "run").exists()
