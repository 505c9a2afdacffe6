"""A real Blender window, driven by mouse and keyboard: BLENDER=/path/to/blender make test-ui

Needs Xvfb, xdotool and ImageMagick's import. The images of the window stay in pytest's folder of temporary files,
which the test prints.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from generator import extension

pytestmark = pytest.mark.ui

DISPLAY = ":93"
SIZE = (1600, 1000)
PATIENCE = 120
"""Seconds that anything may take; a Blender that draws in software on a busy machine is slow."""

# Where things are in the sidebar, pixels from its upper left corner.
TABS_X = 278
ADD_HAND, FIST, ABOUT_X, PIP_FLEXION = (130, 46), (45, 203), (150, 378), (70, 670)
HAND_HEADER, GENERATE, CANCEL = (45, 16), (140, 413), (140, 157)


def tools():
    """Why the test cannot run; empty if it can."""
    if not os.environ.get("BLENDER"):
        return "BLENDER is not set; BLENDER=/path/to/blender make test-ui runs this"
    missing = [tool for tool in ("Xvfb", "xdotool", "import") if shutil.which(tool) is None]
    return f"{', '.join(missing)} not found (Debian: apt install xvfb xdotool imagemagick)" if missing else ""


class Window:
    """One Blender under a virtual screen."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        self.pictures = 0
        self.state_file = folder / "state.json"
        self.log = (folder / "blender.log").open("w")
        self.screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"], stderr=self.log)
        time.sleep(1)
        script = shutil.copy(Path(__file__).with_name("inside.py"), folder)
        command = [os.environ["BLENDER"], "-noaudio", "-p", "0", "0", str(SIZE[0]), str(SIZE[1])]
        command += ["--python", script, "--", str(self.state_file)]
        self.blender = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)

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
        self.read_image("waited_in_vain")
        pytest.fail(f"{what}: not within {PATIENCE} s; the window shows {self.state()}")

    def mouse(self, *words):
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True)

    def place(self, offset):
        x, y, _, _ = self.state()["sidebar"]
        return x + offset[0], y + offset[1]

    def click(self, offset):
        x, y = self.place(offset)
        self.mouse("mousemove", x - 3, y - 2, "sleep", 0.5)
        self.mouse("mousemove", x, y, "sleep", 0.5, "mousedown", 1, "sleep", 0.15, "mouseup", 1, "sleep", 0.5)

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

    def press(self, keys):
        x, y = self.place((-300, 400))
        self.mouse("mousemove", x, y, "sleep", 0.5, "key", keys, "sleep", 1)

    def picture(self, name):
        time.sleep(3)  # until the window shows what its state is
        self.pictures += 1
        path = self.folder / f"{self.pictures}_{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)


@pytest.fixture
def window(tmp_path):
    if reason := tools():
        pytest.skip(reason)
    resources = tmp_path / "resources"
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(resources), "DISPLAY": DISPLAY}
    environment["LIBGL_ALWAYS_SOFTWARE"] = "1"
    archive = extension.build(tmp_path, extension.this_platform())
    install = [os.environ["BLENDER"], "--command", "extension", "install-file", "-r", "user_default", "-e", archive]
    subprocess.run(install, env=environment, check=True, capture_output=True)
    opened = Window(tmp_path, environment)
    yield opened
    opened.close()
    print(f"images of the window: {tmp_path}")


def open_tab(window):
    """The tab "Hand" is below others, whose number differs from version to version."""
    window.wait("the sidebar opens", lambda state: state["sidebar"][2] > 100)
    time.sleep(3)
    for y in range(240, 60, -30):
        window.click((TABS_X, y))
        if window.soon(lambda state: state["tab"] == "Hand", 4):  # a second click on an open tab would close it
            return
    pytest.fail("there is no tab called Hand")


def test_a_hand_is_posed_judged_and_rendered(window):
    open_tab(window)

    def added(state):
        return state["hands"] == 1

    state = window.until("a hand is added", lambda: window.click(ADD_HAND), added, seconds=40)  # two would be too many
    assert state["hand"]["text"] == "plausible" and not any(state["hand"]["pose"])
    window.read_image("hand")

    def bent(state):
        return state["hand"]["pose"][22] > 0.2

    window.until("a slider bends", lambda: window.drag(PIP_FLEXION, 60, bent), bent)
    window.read_image("slider")

    window.until("the fist is taken", lambda: window.click(FIST), lambda state: state["hand"]["pose"][10] > 1.0)
    window.read_image("fist")

    def reason(expected):
        return lambda state: state["hand"]["reason"] == expected

    far = reason("out of reach")
    state = window.until("the verdict turns", lambda: window.drag(ABOUT_X, 60, far), far)
    assert state["hand"]["marked"] == ["forearm"]
    window.read_image("verdict")
    window.until("undo brings it back", lambda: window.press("ctrl+z"), reason(""))

    def rendering(state):
        return state["job"] and state["job"][0] > 0

    closed = ["HANDFORGE_PT_generate"]
    window.until(  # a second click would open it again
        "the panel closes", lambda: window.click(HAND_HEADER), lambda state: state["panels"] == closed, seconds=40
    )
    window.until("rendering starts", lambda: window.click(GENERATE), lambda state: state["job"])
    window.wait("images are rendered", rendering)
    window.read_image("rendering")
    state = window.until("rendering stops", lambda: window.click(CANCEL), lambda state: state["job"] is None)
    assert state["message"].startswith("stopped at")
    window.read_image("stopped")
    pictures = list((window.folder / "pictures" / "images").iterdir())
    assert pictures and not (window.folder / "pictures" / "annotations.json").exists()

    window.until("rendering goes on", lambda: window.click(GENERATE), lambda state: state["job"])
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
            if b"hand_generator" in command and str(folder).encode() in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found
