"""A small rendering run, made once for all tests that look at it or make it again."""

import logging
import signal
from dataclasses import replace

import numpy as np
import pytest
from run_samples import FRAMES, InProcess, write_settings

from generator.frame.settings import RenderSettings
from generator.hand import pose, pose_sets
from generator.pipeline import run
from handforge.console import PACKAGES


def pytest_configure():
    """Ctrl-C works in tests also where a shell began them with ``&``, which has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def messages():
    """``--quiet`` of a command, which holds for its process, silences the test that gives it and no test after it."""
    yield
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def poses_file(tmp_path_factory):
    """Few poses, so that no time goes into judging many."""
    rotated = [pose.with_angles(forearm_x=x, forearm_z=z) for x in range(-30, 31, 5) for z in range(-90, 91, 36)]
    poses = pose_sets.PoseSet(("few",) * len(rotated), np.arange(len(rotated)), np.array(rotated))
    path = tmp_path_factory.mktemp("poses") / "few.csv"
    path.write_bytes(pose_sets.dump(poses))
    return path


@pytest.fixture(scope="session")
def settings(poses_file):
    return RenderSettings(pose_set=str(poses_file), count=FRAMES, resolution=(160, 90), skin_tone="random")


@pytest.fixture(scope="session")
def lasting(settings):
    """Those of a run that lasts some seconds, in which it can be ended; each hand has a mesh of its own."""
    return replace(settings, shape="random")


@pytest.fixture(scope="session")
def whole(settings, tmp_path_factory):
    """A run that nothing disturbed."""
    return _undisturbed(settings, tmp_path_factory)


@pytest.fixture(scope="session")
def lasting_whole(lasting, tmp_path_factory):
    """One that lasts, which nothing disturbed."""
    return _undisturbed(lasting, tmp_path_factory)


def _undisturbed(settings, tmp_path_factory):
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
    return write_settings(tmp_path / "run.toml", settings)


@pytest.fixture
def lasting_file(lasting, tmp_path):
    return write_settings(tmp_path / "lasting.toml", lasting)


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
