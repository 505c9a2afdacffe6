"""One image at a time for the add-on's window, and what a frame that failed leaves to the next."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generator.blender.redirect_output import load_bpy
from generator.frame import settings as reader
from generator.frame.settings import RenderSettings
from generator.hand import pose
from generator.objects.own_objects import ObjectsError
from generator.pipeline.gui_preview import Previews
from handforge import dataset

SMALL = RenderSettings(resolution=(64, 64), engine="cycles", samples=1)
ROOM = replace(SMALL, scene="indoor", environment="random", skin_tone="random")


def preview(previews, settings, out):
    previews.render(settings, pose.bind(), 3, out)
    return dataset.Dataset(out)


def test_a_pose_is_shown_with_a_preset_whose_images_show_no_hand(tmp_path):
    objects = reader.load(Path("objects"), {"resolution": "64x64"})
    data = preview(Previews(), objects, tmp_path / "out")
    (annotation,) = data.annotations(next(iter(data)))
    assert data.category(annotation) == "hand"


def test_settings_that_cannot_be_rendered_keep_no_others_from_it(tmp_path):
    previews = Previews()
    first = preview(previews, SMALL, tmp_path / "first")
    (tmp_path / "objects").mkdir()
    with pytest.raises(ObjectsError, match="holds no object"):
        preview(previews, replace(ROOM, held=1.0, objects=str(tmp_path / "objects")), tmp_path / "none")
    again = preview(previews, SMALL, tmp_path / "again")
    images = [data.read_image(next(iter(data))) for data in (first, again)]
    np.testing.assert_array_equal(*images)


@pytest.mark.parametrize("settings", [replace(SMALL, sleeve="random"), ROOM], ids=["plain", "indoor"])
def test_a_frame_that_failed_leaves_nothing_to_the_next(settings, monkeypatch):
    """As where a full disk took Blender's image, and the frame is asked for once more."""
    load_bpy()
    from generator.blender.engines import exr
    from generator.blender.frame_renderer import FrameRenderer

    frames, render = FrameRenderer(settings), exr.render
    wanted = frames.frame(1, pose.bind(), {})

    def fail():
        raise OSError("no whole image came back from Blender")

    for number in range(4):  # some with a sleeve, all with other props around
        monkeypatch.setattr(exr, "render", fail)
        with pytest.raises(OSError, match="no whole image"):
            frames.frame(number, pose.bind(), {})
    monkeypatch.setattr(exr, "render", render)
    np.testing.assert_array_equal(frames.frame(1, pose.bind(), {}).image, wanted.image)


def test_what_a_hand_wears_goes_with_it_where_it_is_left_out():
    """An edited frame, in which the second hand touches what the first one holds."""
    load_bpy()
    from generator.blender.frame_renderer import FrameRenderer

    settings = replace(ROOM, num_hands=2, held=1.0)
    frames = FrameRenderer(settings)
    drawn = (frames.decide(number, pose.bind()) for number in range(40))
    spec = next(one for one in drawn if one.grasp is not None and len(one.hands) == 2 and one.around.arm_wear)
    first, second = spec.hands
    touching = replace(second, pose=first.pose * np.where(np.isin(np.arange(28), [0, 4, 5]), -1, 1))
    around = replace(spec.around, arm_wear=tuple(replace(one, arm=1) for one in spec.around.arm_wear))
    sample = frames.render(replace(spec, hands=(first, touching), around=around), {})
    assert len(sample.instances) == 1
