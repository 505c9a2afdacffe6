"""What one session does with gradients, steps and its end."""

import csv
import json
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from trainer_samples import TINY, edit_annotations, refused, repeat, write_blobs, write_recipe

from handforge.dataset import Dataset
from trainer.config.recipe_file import load as load_recipe
from trainer.data import feature_cache
from trainer.data.images import ImagePool
from trainer.errors import TrainingDivergedError
from trainer.loop import repetition, session
from trainer.models import layer_freezing, networks


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("blobs") / "data")


@pytest.fixture(scope="module")
def plain_job(blobs, tmp_path_factory):
    """A session of the tiny recipe without augmentation, and the recipe."""
    text = TINY.replace("studio", "none").replace("lr = 0.01", "lr = 0.01\nclip_norm = 1e9")
    recipe = load_recipe(str(write_recipe(tmp_path_factory.mktemp("recipe") / "plain.toml", text)))
    pool = ImagePool([Dataset(blobs)], recipe.images)
    cpu = torch.device("cpu")
    return session.SessionContext(1, recipe.sessions[0], pool, np.arange(6), 0, cpu, torch.float32), recipe


def gradient_of_one_step(job, recipe, first_step=0):
    model = networks.start(recipe.network, recipe.images, 0)
    with closing(session.run(model, job, session.begin(model, job.session), first_step)) as steps:
        row = next(steps)
    return row, {name: weight.grad for name, weight in model.named_parameters()}


@pytest.mark.parametrize("augmentation", ["none", "photo"])
def test_a_session_may_have_smaller_images_than_the_recipe(blobs, tmp_path, augmentation):
    """Images of 4:3 in 64x96 and in 96x128, as the network scales them; augmented ones have other aspects, too."""
    text = TINY.replace("studio", augmentation).replace("64\nmax_size = 96", "96\nmax_size = 128")
    text = text.replace('trainable_layers = ["all", "3+"]', "min_size = 64\nmax_size = 96\n[[sessions]]")
    recipe = load_recipe(str(write_recipe(tmp_path / "sizes.toml", text)))
    pool, cpu, sizes = ImagePool([Dataset(blobs)], recipe.images), torch.device("cpu"), []
    model = networks.start(recipe.network, recipe.images, 0)
    model.transform.register_forward_hook(lambda module, given, made: sizes.extend(made[0].image_sizes))
    for number, (largest, whole) in enumerate([((64, 96), (64, 85)), ((96, 128), (96, 128))], 1):
        job = session.SessionContext(number, recipe.sessions[number - 1], pool, np.arange(6), 0, cpu, torch.float32)
        with closing(session.run(model, job, session.begin(model, job.session))) as steps:
            assert len(list(steps)) == 4
        assert max(min(size) for size in sizes) <= largest[0] and max(max(size) for size in sizes) <= largest[1]
        assert augmentation != "none" or sizes == [whole] * 4
        sizes.clear()
        session.validate(model, job)
        assert sizes == [(96, 128)] * 6  # so that sessions compare
        sizes.clear()


def test_validation_draws_the_same_regions_in_every_session(plain_job):
    job, recipe = plain_job
    model = networks.start(recipe.network, recipe.images, 0)
    assert session.validate(model, job) == session.validate(model, replace(job, number=job.number + 1))


def test_accumulated_gradients_are_the_mean_of_their_batches(plain_job):
    job, recipe = plain_job
    (first, g1), (second, g2) = (gradient_of_one_step(job, recipe, step) for step in (0, 1))
    both, g = gradient_of_one_step(replace(job, session=replace(job.session, gradient_accumulation_steps=2)), recipe)
    assert np.isclose(both["loss"], (first["loss"] + second["loss"]) / 2)
    for name in g:
        torch.testing.assert_close(g[name], (g1[name] + g2[name]) / 2, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("task", ["segmentation", "detection", "keypoints", "semantic"])
@pytest.mark.parametrize("augmentation", ["none", "decoys"])
def test_images_without_a_hand_are_trained_on(tmp_path, task, augmentation):
    """Two of three images have no annotation, so with one image a batch most steps see no hand at all."""
    folder = write_blobs(tmp_path / "data", joints=True)

    def take_out(content):
        content["annotations"] = [entry for entry in content["annotations"] if entry["image_id"] % 3 == 0]

    edit_annotations(folder, take_out)
    recipe = write_recipe(tmp_path / "tiny.toml", TINY.replace("studio", augmentation))
    done = repeat(recipe, folder, tmp_path / "run", "--task", task)
    assert done.exit_code == 0, done.output
    with (tmp_path / "run/losses.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert len(losses) == 8 and np.isfinite(losses).all() and min(losses) > 0


def stopped_and_resumed(recipe, data, out, monkeypatch):
    """A run that is interrupted at its third step and then continued from there."""
    monkeypatch.setattr(repetition, "STATE_EVERY_STEPS", 1)
    add_row = repetition.RunFolder.add_row
    rows = []

    def stop_at_third(self, row):
        add_row(self, row)
        rows.append(row)
        if len(rows) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repetition.RunFolder, "add_row", stop_at_third)
        assert repeat(recipe, data, out).exit_code == 130
    assert repeat(recipe, data, out, "--resume").exit_code == 0


def test_a_session_ends_when_it_saturates_also_when_resumed(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(repetition, "has_stopped_falling", lambda losses, steps: len(losses) >= steps)
    text = TINY.replace("steps = 4", "steps = 4\nsaturation_patience = 2\ngradient_accumulation_steps = 2")
    recipe = write_recipe(tmp_path / "early.toml", text)
    done = repeat(recipe, blobs, tmp_path / "run")
    assert done.exit_code == 0, done.output
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert [entry["steps_done"] for entry in run["sessions"]] == [2, 2] and run["finished"]
    with (tmp_path / "run/losses.csv").open() as file:
        assert [(row["session"], row["step"]) for row in csv.DictReader(file)] == [
            ("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")
        ]  # fmt: skip
    stopped_and_resumed(recipe, blobs, tmp_path / "resumed", monkeypatch)
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_a_run_ends_when_validation_no_longer_falls(blobs, tmp_path, monkeypatch):
    losses = iter([3.0, 2.0, 2.5, 2.0, 1.0])
    monkeypatch.setattr(session, "validate", lambda model, job: next(losses))
    text = (
        TINY.replace("steps = 4", "steps = 1").replace("warmup_steps = 2", "").replace('"3+"', '"3+", "5+", "5+", "5+"')
    )
    text = text.replace("subsets = 2", "subsets = 2\nvalidation = 0.3\npatience = 2")
    done = repeat(write_recipe(tmp_path / "patient.toml", text), blobs, tmp_path / "run")
    assert done.exit_code == 0, done.output
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert [entry["validation_loss"] for entry in run["sessions"]] == [3.0, 2.0, 2.5, 2.0] and run["finished"]
    assert not (tmp_path / "run/state.safetensors").exists()


def test_patience_needs_validation(blobs, tmp_path):
    recipe = write_recipe(
        tmp_path / "bad.toml", "patience = -1\n" + TINY.replace("steps = 4", "steps = 4\nsaturation_patience = -1")
    )
    done = repeat(recipe, blobs, tmp_path / "run")
    assert done.exit_code == 2
    for name in ("sessions 1: saturation_patience", "; patience"):
        assert f"{name} is a whole number from 0 to 10,000,000, not -1" in done.stderr
    recipe = write_recipe(tmp_path / "bad.toml", "patience = 1\n" + TINY)
    assert "patience needs validation images" in repeat(recipe, blobs, tmp_path / "run").stderr


def test_tensorboard_gets_losses_and_images_and_changes_nothing(blobs, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recipe = write_recipe(tmp_path / "tiny.toml", TINY.replace("steps = 4", "steps = 2"))
    assert repeat(recipe, blobs, tmp_path / "plain").exit_code == 0
    done = repeat(recipe, blobs, tmp_path / "run", "--tensorboard")
    assert done.exit_code == 0, done.output
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    events = EventAccumulator(str(tmp_path / "run/tensorboard")).Reload()
    with (tmp_path / "run/losses.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    shown = events.Scalars("step/loss")
    assert [event.step for event in shown] == [1, 2, 3, 4]
    assert np.allclose([event.value for event in shown], losses)
    assert [event.step for event in events.Scalars("session/average_loss")] == [2, 4]
    assert events.Tags()["images"] == [f"found/blob{number:03d}.png" for number in range(4)]
    image = events.Images("found/blob000.png")[0]
    assert (image.width, image.height) == (160, 120)


def test_tensorboard_that_is_missing_is_named(blobs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    done = repeat(write_recipe(tmp_path / "tiny.toml"), blobs, tmp_path / "run", "--tensorboard")
    assert done.exit_code == 2 and "pip install 'handforge[tensorboard]'" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("layers", ["heads", "5+", "3+"])
def test_frozen_stages_need_no_gradients_and_give_the_same_when_kept(plain_job, layers):
    recipe = plain_job[1]
    model = networks.start(recipe.network, recipe.images, 0)
    layer_freezing.train_layers(model, layers)
    body, images = model.backbone.body, torch.rand(2, 3, 64, 96)
    plain = body(images)
    trained = {"heads": 0, "5+": 1, "3+": 3}[layers]
    assert [x.requires_grad for x in plain.values()] == [False] * (4 - trained) + [True] * trained
    with feature_cache.reused(model) as stages:
        stages.numbers = [7, 3]
        first = model.backbone.body(images)
        stages.numbers = [3, 7]
        again = model.backbone.body(torch.zeros_like(images))  # the images are known, so these are not looked at
    for name in plain:
        assert torch.allclose(first[name], plain[name], atol=1e-5)
        assert torch.equal(again[name], first[name].flip(0))
    assert model.backbone.body is body


def test_features_are_kept_of_frozen_stages_only_and_while_there_is_memory(plain_job, monkeypatch):
    recipe = plain_job[1]
    model = networks.start(recipe.network, recipe.images, 0)
    layer_freezing.train_layers(model, "all")
    with feature_cache.reused(model) as stages:
        assert stages is None
    layer_freezing.train_layers(model, "heads")
    monkeypatch.setattr(feature_cache, "memory_bytes", lambda: 0)
    images = torch.rand(1, 3, 64, 96)
    with feature_cache.reused(model) as stages:
        stages.numbers = [1]
        assert not torch.equal(model.backbone.body(images)["3"], model.backbone.body(images + 1)["3"])


def test_a_run_that_reuses_features_resumes_exactly(blobs, tmp_path, monkeypatch):
    recipe = write_recipe(tmp_path / "heads.toml", TINY.replace("studio", "none").replace('"all", "3+"', '"heads"'))
    assert repeat(recipe, blobs, tmp_path / "run").exit_code == 0
    stopped_and_resumed(recipe, blobs, tmp_path / "resumed", monkeypatch)
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "resumed" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_a_network_spoilt_by_its_last_step_ends_the_run_by_name(blobs, tmp_path):
    text = (
        TINY.replace("subsets = 2", "subsets = 1\nvalidation = 0.3")
        .replace("lr = 0.01", "lr = 1e30")
        .replace("warmup_steps = 2", "")
    )
    recipe = write_recipe(tmp_path / "wild.toml", text.replace("steps = 4", "steps = 1"))
    done = repeat(recipe, blobs, tmp_path / "run")
    refused(done, "the weights after session 1 have values above 1,000,000", "; lower lr")
    assert not (tmp_path / "run/network.safetensors").exists()


def test_layers_whose_trial_diverges_are_not_taken(plain_job, monkeypatch):
    job, recipe = plain_job
    monkeypatch.setattr(session, "TRIAL_STEPS", 1)
    model, whole = networks.start(recipe.network, recipe.images, 0), session.run

    def run(model, job, *rest):
        if job.session.trainable_layers in ("all", "3+"):
            raise TrainingDivergedError("session 1")
        return whole(model, job, *rest)

    monkeypatch.setattr(session, "run", run)
    assert list(session.try_layers(model, job, np.arange(2))) == ["4+", "5+", "heads"]
    monkeypatch.setattr(session, "LAYER_WORDS", ("all", "3+"))
    with pytest.raises(TrainingDivergedError, match="session 1: the loss diverges with any of the layers; lower lr"):
        session.try_layers(model, job, np.arange(2))
