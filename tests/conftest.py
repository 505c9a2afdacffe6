"""A small rendering run, made once for all tests that look at it or make it again."""

import json

import numpy as np
import pytest
from run_samples import FRAMES, InProcess

from generator.frame.settings import RenderSettings
from generator.hand import pose, pose_sets
from generator.pipeline import run


@pytest.fixture(scope="session")
def poses_file(tmp_path_factory):
    """Few poses, so that no time goes into judging many."""
    turned = [pose.with_angles(forearm_x=x, forearm_z=z) for x in range(-30, 31, 5) for z in range(-90, 91, 36)]
    poses = pose_sets.PoseSet(("few",) * len(turned), np.arange(len(turned)), np.array(turned))
    path = tmp_path_factory.mktemp("poses") / "few.csv"
    path.write_bytes(pose_sets.dump(poses))
    return path


@pytest.fixture(scope="session")
def settings(poses_file):
    return RenderSettings(
        pose_set=str(poses_file), count=FRAMES, resolution=(160, 90), skin_tone="random", shape="random"
    )


@pytest.fixture(scope="session")
def whole(settings, tmp_path_factory):
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("run") / "whole"
    told = []
    assert run.render(settings, out, 1, lambda done, total: told.append((done, total)))
    assert told[0] == (0, FRAMES) and told[-1] == (FRAMES, FRAMES)
    return out


@pytest.fixture
def in_process(monkeypatch):
    """Runs of this test render without starting a process for it."""
    monkeypatch.setattr(run, "Workers", InProcess)


@pytest.fixture
def settings_file(settings, tmp_path):
    values = {k: v for k, v in settings.to_json().items() if v is not None}
    path = tmp_path / "run.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return path


@pytest.fixture
def window():
    """The scene's panel of the add-on, in an empty file."""
    import bpy

    import blender_addon

    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_addon.register()
    yield bpy.context.scene.handforge
    blender_addon.unregister()


@pytest.fixture
def armature(window):
    """A hand that the add-on has added."""
    import bpy

    from blender_addon import hand

    assert bpy.ops.handforge.add_hand() == {"FINISHED"}
    return hand.active(bpy.context)
