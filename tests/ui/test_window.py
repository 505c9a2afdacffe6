"""A real Blender window, driven by mouse and keyboard: BLENDER=/path/to/blender make test-ui

Needs Xvfb, xdotool and ImageMagick's import. The pictures of the window stay in pytest's folder of temporary files,
which each test prints.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator import extension
from generator.hand import kinematics, pose
from generator.hand.anatomy import skeleton
from generator.hand.pose_presets import PRESETS

pytestmark = pytest.mark.ui

SIZE = (1600, 1000)
PATIENCE = 120
"""Seconds that anything may take; a Blender that draws in software on a busy machine is slow."""

# Where things are in the sidebar, pixels from its upper left corner.
TABS_X = 278
ADD_HAND, RENDER_POSE, FIST, ABOUT_X = (136, 45), (136, 118), (125, 203), (190, 510)


def tools():
    """Why the tests cannot run; empty if they can."""
    if not os.environ.get("BLENDER"):
        return "BLENDER is not set; BLENDER=/path/to/blender make test-ui runs this"
    missing = [tool for tool in ("Xvfb", "xdotool", "import") if shutil.which(tool) is None]
    return f"{', '.join(missing)} not found (Debian: apt install xvfb xdotool imagemagick)" if missing else ""


class Window:
    """One Blender under a virtual screen."""

    def __init__(self, folder, archive):
        self.folder, self.pictures = folder, 0
        self.state_file, log = folder / "state.json", folder / "blender.log"
        self.log = log.open("w")
        reading, writing = os.pipe()
        screen = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
        self.screen = subprocess.Popen(screen, stderr=self.log, pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading) as told:
            display = f":{told.readline().strip()}"
        self.environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "resources"), "DISPLAY": display}
        self.environment["LIBGL_ALWAYS_SOFTWARE"] = "1"
        script = shutil.copy(Path(__file__).with_name("inside.py"), folder)
        command = [os.environ["BLENDER"], "-noaudio", "-p", "0", "0", str(SIZE[0]), str(SIZE[1])]
        command += ["--python", script, "--", str(archive), str(self.state_file)]
        self.blender = subprocess.Popen(command, env=self.environment, stdout=self.log, stderr=self.log)

    def close(self):
        for process in (self.blender, self.screen):
            process.terminate()
            process.wait(20)
        self.log.close()

    def state(self):
        return json.loads(self.state_file.read_text())

    def wait(self, what, condition):
        """Wait until the state fulfils a condition."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.blender.poll() is None, (self.folder / "blender.log").read_text()
            if self.state_file.exists() and condition(self.state()):
                return self.state()
            time.sleep(0.2)
        self.picture("waited_in_vain")
        pytest.fail(f"{what}: not within {PATIENCE} s; the window shows {self.state()}, pictures in {self.folder}")

    def mouse(self, *words):
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True)

    def place(self, offset):
        x, y, _, _ = self.state()["sidebar"]
        return x + offset[0], y + offset[1]

    def click(self, offset):
        self.click_at(*self.place(offset))

    def click_at(self, x, y):
        self.mouse("mousemove", round(x) - 3, round(y) - 2, "sleep", 0.4, "mousemove", round(x), round(y), "sleep", 0.4)
        self.mouse("mousedown", 1, "sleep", 0.15, "mouseup", 1, "sleep", 0.4)

    def drag(self, offset, pixels, seen):
        """Drag sideways, and hold on until a slow Blender has seen it: otherwise it takes it for a click."""
        x, y = self.place(offset)
        self.mouse("key", "Escape", "mousemove", x - 3, y - 2, "sleep", 0.5, "mousemove", x, y, "sleep", 0.5)
        self.mouse("mousedown", 1)
        for step in range(1, 5):  # a busy Blender sees only the last of moves that follow each other fast
            self.mouse("sleep", 1.2, "mousemove", x + pixels * step // 4, y)
        self.soon(seen, 30)
        self.mouse("sleep", 0.5, "mouseup", 1, "sleep", 0.5)

    def until(self, what, action, condition, tries=4, seconds=10):
        """Do something until it has had its effect: a busy Blender misses clicks, as people know."""
        for _ in range(tries - 1):
            action()
            if self.soon(condition, seconds):
                return self.state()
        action()
        return self.wait(what, condition)

    def soon(self, condition, seconds):
        """Whether the state comes to fulfil a condition."""
        end = time.monotonic() + seconds
        while not condition(self.state()):
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    def over_view(self):
        x, y = self.place((-300, 500))
        self.mouse("mousemove", x - 2, y, "sleep", 0.3, "mousemove", x, y, "sleep", 0.5)

    def press(self, keys):
        self.over_view()
        self.mouse("key", keys, "sleep", 1)

    def search(self, name):
        """Find an operator with F3, and run it."""
        self.press("Escape")
        self.press("F3")
        self.mouse("type", "--delay", "80", name)
        self.mouse("sleep", 2, "key", "Return", "sleep", 1)

    def picture(self, name):
        time.sleep(3)  # until the window shows what its state is
        self.pictures += 1
        path = self.folder / f"{self.pictures}_{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)


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
    print(f"pictures of the window: {tmp_path}")


def open_tab(window):
    """The tab "Hand" is below others, whose number differs from version to version."""
    window.wait("the sidebar opens", lambda state: state["sidebar"][2] > 100)
    time.sleep(3)
    for y in range(240, 60, -30):
        window.click((TABS_X, y))
        if window.soon(lambda state: state["tab"] == "Hand", 4):  # a second click on an open tab would close it
            return
    pytest.fail("there is no tab called Hand")


def add_hand(window):
    open_tab(window)
    added = lambda state: state["hands"] == 1 and state["hand"]["text"]  # noqa: E731
    return window.until("a hand is added", lambda: window.click(ADD_HAND), added, seconds=40)  # two would be too many


def about(state, wanted):
    return np.allclose(state["hand"]["pose"][8:], PRESETS[wanted][8:], atol=1e-3)


def test_right_after_installing_a_hand_is_posed_judged_and_rendered(window):
    state = add_hand(window)
    assert state["hand"]["text"] == "plausible" and not any(state["hand"]["pose"])
    window.picture("hand")
    window.until("the fist is taken", lambda: window.click(FIST), lambda state: about(state, "fist"))

    far = lambda state: state["hand"]["reason"] == "out of reach"  # noqa: E731
    state = window.until("the verdict turns", lambda: window.drag(ABOUT_X, 90, far), far)
    assert state["hand"]["marked"] == ["forearm"]
    window.picture("verdict")
    plausible = lambda state: state["hand"]["reason"] == ""  # noqa: E731
    window.until("undo brings it back", lambda: window.press("ctrl+z"), plausible)

    shown = lambda state: "Hand overlay" in state["editors"] or state["preview"]  # noqa: E731
    state = window.until("the pose is rendered", lambda: window.click(RENDER_POSE), shown, seconds=60)
    assert state["preview"] == ""
    window.picture("rendered")

    def rendering(state):
        return state["job"] and state["job"][0] > 0

    started = lambda state: state["job"] or state["message"]  # noqa: E731
    window.until("rendering starts", lambda: window.search("Generate"), started, seconds=20)
    window.wait("images are rendered", rendering)
    window.picture("rendering")
    stopped = lambda state: state["job"] is None  # noqa: E731
    state = window.until("rendering stops", lambda: window.search("Cancel"), stopped)
    assert state["message"].startswith("Stopped at")
    window.picture("stopped")
    images = list((window.folder / "images" / "images").iterdir())
    assert images and not (window.folder / "images" / "annotations.json").exists()

    window.until("rendering goes on", lambda: window.search("Generate"), lambda state: state["job"], seconds=20)
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
    window.until("back", lambda: window.press("shift+Left"), lambda state: state["frame"] == 1 and about(state, "bind"))
    again = lambda state: state["frame"] == 2 and about(state, "fist")  # noqa: E731
    window.until("again", lambda: window.press("shift+Right"), again)
    window.picture("keyed")
    files = [window.folder / f"frame_{number}.png" for number in (1, 2)]
    window.press("ctrl+F12")
    end = time.monotonic() + PATIENCE
    while not all(path.exists() for path in files) and time.monotonic() < end:
        time.sleep(1)
    time.sleep(2)
    first, second = (np.asarray(Image.open(path).convert("L"), float) for path in files)
    assert np.abs(first - second).max() > 40, "the fingers have moved in the render"


def test_a_fingertip_is_dragged(window):
    add_hand(window)
    shown = lambda state: len(state["hand"]["handles"]) == 5  # noqa: E731
    window.until("handles are shown", lambda: window.search("Fingertip Handles"), shown)
    before = np.array(window.state()["hand"]["pose"])
    window.over_view()
    x, y = window.place((-300, 500))
    window.mouse("key", "g", "sleep", 1)
    for step in range(1, 6):
        window.mouse("mousemove", x - 3 * step, y + 12 * step, "sleep", 0.8)
    window.mouse("mousedown", 1, "sleep", 0.15, "mouseup", 1, "sleep", 2)
    window.picture("dragged")
    after = np.array(window.state()["hand"]["pose"])
    index = pose.FINGER_SLICE["index"]
    assert np.abs(after[index] - before[index]).max() > 0.1
    np.testing.assert_array_equal(np.delete(after, np.arange(28)[index]), np.delete(before, np.arange(28)[index]))
    low, high = pose.LIMITS.T
    assert (after >= low - 1e-5).all() and (after <= high + 1e-5).all()


def test_a_pose_is_fitted_to_clicked_joints(window):
    add_hand(window)
    window.until("the camera is there", lambda: window.search("Hand Camera"), lambda state: "joints" in state["hand"])
    window.press("Home")  # the camera's frame fills the view
    time.sleep(3)
    window.search("Click Joints")
    for x, y in window.state()["hand"]["joints"]:
        window.click_at(x, y)
    state = window.wait("the pose is fitted", lambda state: state["fit"])
    window.picture("fitted")
    error = float(state["fit"].split(" are ")[1].split(" px")[0])
    assert error < 2, "of an image 320 pixels wide"
    wanted = [0.2, 0.4, -0.3]
    np.testing.assert_allclose(state["hand"]["pose"][3:6], wanted, atol=0.25)
    clicked = PRESETS["grasp"].copy()
    clicked[3:6] = wanted
    found, known = (
        kinematics.keypoints(np.array([0, 0, 0, *one[3:]]), skeleton()) for one in (state["hand"]["pose"], clicked)
    )
    assert np.linalg.norm(found - known, axis=1).mean() < 0.02, "metres; a click is half a pixel wide of a joint"
