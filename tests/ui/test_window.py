"""A real Blender window, driven by mouse and keyboard: BLENDER=/path/to/blender make test-ui

Needs Xvfb, xdotool and ImageMagick's import. The images of the window stay in pytest's folder of temporary files,
which each test prints.
"""

import time
from pathlib import Path

import numpy as np
import pytest
from blender_window import ABOUT_X, FIST, PATIENCE, RENDER_POSE, Window, add_hand, frame, tools
from PIL import Image

from generator import extension
from generator.hand import fitting, kinematics, pose, sweep_map
from generator.hand.anatomy import skeleton
from generator.hand.pose_presets import PRESETS

pytestmark = pytest.mark.ui

MAP = "Hand sweep"
"""The image with a sweep's map."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    if reason := tools():
        pytest.skip(reason)
    return extension.build(tmp_path_factory.mktemp("zip"), extension.this_platform())


@pytest.fixture
def window(tmp_path, archive):
    opened = Window(tmp_path, archive)
    yield opened
    opened.close()
    print(f"images of the window: {tmp_path}")


def about(state, wanted):
    return np.allclose(state["hand"]["pose"][8:], PRESETS[wanted][8:], atol=1e-3)


def test_right_after_installing_a_hand_is_posed_judged_and_rendered(window):
    state = add_hand(window)
    assert state["hand"]["text"] == "plausible" and not any(state["hand"]["pose"])
    window.wait("the view goes near, so that the fingers have their handles", lambda state: state["hand"]["fingers"])
    window.image("hand")
    window.until("the fist is taken", lambda: window.click(FIST), lambda state: about(state, "fist"))

    far = lambda state: state["hand"]["reason"] == "out of reach"  # noqa: E731
    state = window.until("the verdict turns", lambda: window.drag_slider(ABOUT_X, -95, far), far)
    assert state["hand"]["marked"] == ["forearm"]
    window.image("verdict")
    plausible = lambda state: state["hand"]["reason"] == ""  # noqa: E731
    window.until("undo brings it back", lambda: window.press("ctrl+z"), plausible)

    shown = lambda state: "Hand overlay" in state["editors"] or state["preview"]  # noqa: E731
    state = window.until("the pose is rendered", lambda: window.click(RENDER_POSE), shown, seconds=60)
    assert state["preview"] == ""
    window.image("rendered")
    again = lambda: window.mouse("mousedown", 1, "sleep", 0.15, "mouseup", 1, "sleep", 0.4)  # noqa: E731
    anew = lambda later: later["rendered_at"] > state["rendered_at"] and not later["rendering"]  # noqa: E731
    window.until("the button takes a second click without a move of the mouse", again, anew, seconds=60)

    def rendering(state):
        return state["job"] and state["job"][0] > 0

    started = lambda state: state["job"] or state["message"]  # noqa: E731
    window.until("rendering starts", lambda: window.search("Generate"), started, seconds=20)
    window.wait("images are rendered", rendering)
    window.image("rendering")
    stopped = lambda state: state["job"] is None  # noqa: E731
    state = window.until("rendering stops", lambda: window.search("Cancel"), stopped)
    assert state["message"].startswith("Stopped at")
    window.image("stopped")
    images = list((window.folder / "images" / "images").iterdir())
    assert images and not (window.folder / "images" / "annotations.json").exists()

    (beside,) = window.state()["editors"].values()
    going_on = lambda state: state["job"]  # noqa: E731
    window.until("rendering goes on", lambda: window.search("Generate", beside), going_on, seconds=20)
    window.wait("rendering goes on", rendering)
    window.blender.kill()
    end = time.monotonic() + 20
    while running(window.folder) and time.monotonic() < end:
        time.sleep(0.5)
    assert not running(window.folder), "the processes that render outlived the window"


def running(folder):
    """Processes of the extension's that belong to this test."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            if b"handforge_run" in command and str(folder).encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_keyframes_are_keyed_played_and_rendered(window):
    add_hand(window)
    window.until("the camera is there", lambda: window.search("Hand Camera"), lambda state: "joints" in state["hand"])
    window.until("the first is keyed", lambda: window.search("Key Hand Pose"), lambda state: state["keys"])
    window.until("the last frame", lambda: window.press("shift+Right"), lambda state: state["frame"] == 2)
    window.until("a fist", lambda: window.click(FIST), lambda state: about(state, "fist"))
    window.search("Key Hand Pose")
    back = lambda state: state["frame"] == 1 and about(state, "bind")  # noqa: E731
    window.until("back", lambda: window.press("shift+Left"), back)
    again = lambda state: state["frame"] == 2 and about(state, "fist")  # noqa: E731
    window.until("again", lambda: window.press("shift+Right"), again)
    window.image("keyed")
    window.until("back", lambda: window.press("shift+Left"), back)
    files = [window.folder / f"frame_{number}.png" for number in (1, 2)]
    window.press("ctrl+F12")
    end = time.monotonic() + PATIENCE
    while not all(path.exists() for path in files) and time.monotonic() < end:
        time.sleep(1)
    time.sleep(2)
    first, second = (np.asarray(Image.open(path).convert("L"), float) for path in files)
    assert np.abs(first - second).max() > 40, "the fingers have moved in the render"
    window.wait("the hand is at the window's frame again", back)


def test_a_fingertip_is_dragged(window):
    add_hand(window)
    shown = lambda state: len(state["hand"]["handles"]) == 5  # noqa: E731
    window.until("handles are shown", lambda: window.search("Fingertip Handles"), shown)
    before = np.array(window.state()["hand"]["pose"])
    window.over_view()
    x, y = window.place((-120, 500))
    window.mouse("key", "g", "sleep", 1)
    for step in range(1, 6):
        window.mouse("mousemove", x - 3 * step, y + 12 * step, "sleep", 0.8)
    window.mouse("mousedown", 1, "sleep", 0.15, "mouseup", 1, "sleep", 2)
    window.image("dragged")
    after = np.array(window.state()["hand"]["pose"])
    index = pose.FINGER_SLICE["index"]
    assert np.abs(after[index] - before[index]).max() > 0.1
    np.testing.assert_array_equal(np.delete(after, np.arange(28)[index]), np.delete(before, np.arange(28)[index]))
    low, high = pose.LIMITS.T
    assert (after >= low - 1e-5).all() and (after <= high + 1e-5).all()


def test_fingers_are_curled_and_spread_by_their_handles(window):
    add_hand(window)
    state = frame(window)
    before = np.array(state["hand"]["pose"])
    index = pose.FINGER_SLICE["index"]
    window.image("handles")

    def drag(handle, part):
        x, y, *way = window.state()["hand"]["fingers"][handle]
        window.drag((x, y), part * np.array(way))

    bent = lambda state: state["hand"]["pose"][index][0] > 0.4  # noqa: E731
    window.until("a finger curls", lambda: drag("index curl", 0.5), bent)
    time.sleep(3)
    curled = np.array(window.state()["hand"]["pose"])
    assert curled[index][2] > 0.4 and curled[index][1] == before[index][1]
    assert curled[index][3] == pytest.approx(fitting.DIP_OF_PIP * curled[index][2], abs=1e-5)
    np.testing.assert_array_equal(np.delete(curled, np.arange(28)[index]), np.delete(before, np.arange(28)[index]))
    window.image("curled")
    little = pose.FINGER_SLICE["little"].start + 1
    wide = lambda state: state["hand"]["pose"][little] < -0.1  # noqa: E731
    window.until("a finger spreads", lambda: drag("little spread", -0.3), wide)
    time.sleep(3)
    state = window.state()
    wanted = curled.copy()
    wanted[little] = state["hand"]["pose"][little]
    np.testing.assert_allclose(state["hand"]["pose"], wanted, atol=1e-6)
    window.image("spread")
    window.until("undo takes it back", lambda: window.press("ctrl+z"), lambda state: not state["hand"]["pose"][little])


def test_bones_rotated_in_pose_mode_stop_at_their_limits(window):
    add_hand(window)
    fingers = frame(window)["hand"]["fingers"]
    x, y, *_ = fingers["index spread"]  # at the upper end of the bone, which is as long as the rest of the finger
    to_x, to_y, *_ = fingers["index curl"]
    chosen = lambda state: state["hand"]["selected"] == ["index_proximal"]  # noqa: E731
    bone = x - 0.6 * (to_x - x), y - 0.6 * (to_y - y)
    # a second click at the same place would take the selection away
    window.until("the bone is selected", lambda: window.click_at(*bone), chosen, seconds=40)
    flexion = pose.FINGER_SLICE["index"].start

    def rotate():
        window.press("r")
        window.mouse("key", "x", "key", "x", "sleep", 1, "type", "--delay", "200", "120")
        window.mouse("sleep", 1, "key", "Return", "sleep", 1)

    window.until("the finger bends", rotate, lambda state: state["hand"]["pose"][flexion] > 1, seconds=30)
    time.sleep(3)
    assert window.state()["hand"]["pose"][flexion] == pytest.approx(pose.LIMITS[flexion, 1], abs=1e-5)
    window.image("rotated")


def test_a_photograph_is_matched(window):
    path = window.folder / "photographs" / "hand.jpg"
    path.parent.mkdir()
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28  # the focal length on 35 mm film
    Image.linear_gradient("L").resize((640, 480)).save(path, exif=exif)
    add_hand(window)
    opened = lambda state: state["browser"]  # noqa: E731
    window.until("the file browser opens", lambda: window.search("Load Photograph"), opened)
    time.sleep(3)
    window.mouse("mousemove", 500, 400, "sleep", 1, "key", "Down", "sleep", 2)
    window.image("chosen")
    loaded = lambda state: state["photos"]  # noqa: E731
    state = window.until("it is loaded", lambda: window.mouse("key", "Return"), loaded)
    window.image("photograph")
    assert state["photos"] == ["hand.jpg"] and state["seen_by"] == [28, 640, 480] and "joints" in state["hand"]

    window.press("Home")  # the camera's frame fills the view
    time.sleep(3)
    begun = lambda state: "HANDFORGE_OT_click_joints" in state["modal"]  # noqa: E731
    window.until("joints can be clicked", lambda: window.search("Click Joints"), begun)
    for number, (x, y) in enumerate(window.state()["hand"]["joints"]):
        taken = lambda state, number=number: len(state["clicked"]) > number or state["fit"]  # noqa: E731
        window.until("a joint is clicked", lambda x=x, y=y: window.click_at(x, y), taken, seconds=30)
    state = window.wait("the pose is fitted", lambda state: state["fit"])
    window.image("fitted")
    error = float(state["fit"].split(" are ")[1].split(" px")[0])
    assert error < 2, "of an image 640 pixels wide"
    wanted = [0.2, 0.4, -0.3]
    np.testing.assert_allclose(state["hand"]["pose"][3:6], wanted, atol=0.25)
    clicked = PRESETS["grasp"].copy()
    clicked[3:6] = wanted
    found, known = (
        kinematics.keypoints(np.array([0, 0, 0, *one[3:]]), skeleton()) for one in (state["hand"]["pose"], clicked)
    )
    assert np.linalg.norm(found - known, axis=1).mean() < 0.02, "metres; a click is half a pixel wide of a joint"


def crossed(image, x, y):
    """Whether an image of the window shows the map's cross within a pose of a place."""
    pixels = np.asarray(Image.open(image).convert("RGB"), int)
    marked = np.abs(pixels - sweep_map.MARK).max(axis=-1) < 30
    return marked[y - 9 : y + 10, x + 40].any() and marked[y - 60, x - 9 : x + 10].any()


def test_a_pose_is_picked_from_the_map_of_a_sweep(window):
    add_hand(window)
    shown = lambda state: MAP in state["editors"]  # noqa: E731
    window.until("the map is shown", lambda: window.search("Count and Map"), shown, seconds=60)
    window.image("map")
    place = window.state()["editors"][MAP]
    begun = lambda state: "HANDFORGE_OT_pose_from_map" in state["modal"]  # noqa: E731
    window.until("poses can be picked", lambda: window.search("Pick From Map", place), begun)
    x, y = round(place[0] + 60), round(place[1] - 50)
    moved = lambda state: any(state["hand"]["pose"][3:6])  # noqa: E731
    window.until("a pose is picked", lambda: window.click_at(x, y), moved)
    end = time.monotonic() + 60
    while not crossed(window.image("picked"), x, y):
        assert time.monotonic() < end, "the cross comes to where the map was clicked"
    ended = lambda state: not state["modal"]  # noqa: E731
    window.until("Escape ends it", lambda: window.press("Escape"), ended)
