"""A real Blender window under a virtual screen, driven by mouse and keyboard."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

SIZE = (1280, 860)
PATIENCE = 300
"""Seconds that anything may take; a Blender that draws in software on a busy machine is slow."""

# Where things are in the sidebar, pixels from its upper left corner.
TABS_X = 278
ADD_HAND, RENDER_POSE, FIST, ABOUT_X = (136, 45), (136, 134), (125, 219), (190, 526)


def tools():
    """Why the tests cannot run; empty if they can."""
    if not os.environ.get("BLENDER"):
        return "BLENDER is not set; BLENDER=/path/to/blender make test-ui runs this"
    missing = [tool for tool in ("Xvfb", "xdotool", "import") if shutil.which(tool) is None]
    return f"{', '.join(missing)} not found (Debian: apt install xvfb xdotool imagemagick)" if missing else ""


class Window:
    """One Blender under a virtual screen."""

    def __init__(self, folder, archive, size=SIZE):
        self.folder, self.images = folder, 0
        self.state_file, log = folder / "state.json", folder / "blender.log"
        self.log = log.open("w")
        reading, writing = os.pipe()
        screen = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size[0]}x{size[1]}x24"]
        self.screen = subprocess.Popen(screen, stderr=self.log, pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading) as told:
            display = f":{told.readline().strip()}"
        self.environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "resources"), "DISPLAY": display}
        self.environment["LIBGL_ALWAYS_SOFTWARE"] = "1"
        script = shutil.copy(Path(__file__).with_name("inside_blender.py"), folder)
        command = [os.environ["BLENDER"], "-noaudio", "-p", "0", "0", str(size[0]), str(size[1])]
        command += ["--python", script, "--", str(archive), str(self.state_file)]
        self.blender = subprocess.Popen(command, env=self.environment, stdout=self.log, stderr=self.log)

    def close(self):
        self.blender.kill()  # it has nothing to save
        self.screen.terminate()
        for process in (self.blender, self.screen):
            process.wait(PATIENCE)
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
        self.image("waited_in_vain")
        shown = self.state() if self.state_file.exists() else (self.folder / "blender.log").read_text()
        pytest.fail(f"{what}: not within {PATIENCE} s; the window shows {shown}, images in {self.folder}")

    def mouse(self, *words):
        command = ["xdotool", *map(str, words)]
        return subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def place(self, offset):
        x, y, _, _ = self.state()["sidebar"]
        return x + offset[0], y + offset[1]

    def click(self, offset):
        self.click_at(*self.place(offset))

    def click_at(self, x, y):
        self.mouse("mousemove", round(x) - 3, round(y) - 2, "sleep", 0.4, "mousemove", round(x), round(y), "sleep", 0.4)
        self.mouse("mousedown", 1, "sleep", 0.15, "mouseup", 1, "sleep", 0.4)

    def drag_slider(self, offset, pixels, seen):
        """Drag sideways, and hold on until a slow Blender has seen it: otherwise it takes it for a click."""
        x, y = self.place(offset)
        self.mouse("key", "Escape", "mousemove", x - 3, y - 2, "sleep", 0.5, "mousemove", x, y, "sleep", 0.5)
        self.mouse("mousedown", 1, "sleep", 1.2, "mousemove", x - 6, y)
        end = time.monotonic() + 10
        while self.mouse("getmouselocation", "--shell").startswith(f"X={x - 6}\n") and time.monotonic() < end:
            time.sleep(0.2)  # Blender hides the mouse and puts it elsewhere, from where it is moved on
        first = int(np.copysign(6, pixels))  # of which Blender sees only that a drag begins
        self.mouse("mousemove_relative", "--", first, 0, "sleep", 4, "mousemove_relative", "--", pixels, 0)
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
        x, y = self.place((-120, 500))
        self.mouse("mousemove", x - 2, y, "sleep", 0.3, "mousemove", x, y, "sleep", 0.5)

    def drag(self, place, way, each=lambda: None):
        """Drag something in the view, both in pixels of the screen, slowly enough for a slow Blender."""
        x, y = place
        self.mouse("mousemove", round(x) - 3, round(y) - 2, "sleep", 1, "mousemove", round(x), round(y), "sleep", 1)
        self.mouse("mousedown", 1, "sleep", 0.5)
        for step in range(1, 6):
            self.mouse("mousemove", round(x + way[0] * step / 5), round(y + way[1] * step / 5), "sleep", 0.8)
            each()
        self.mouse("mouseup", 1, "sleep", 1)

    def press(self, keys):
        self.over_view()
        self.mouse("key", keys, "sleep", 1)

    def search(self, name, place=None):
        """Find an operator with F3 over the 3D View or another place, and run it."""
        self.press("Escape")
        if place:
            self.mouse("mousemove", *map(round, place), "sleep", 1)
        self.mouse("key", "F3", "sleep", 1, "type", "--delay", "80", name)
        self.mouse("sleep", 2, "key", "Return", "sleep", 1)

    def image(self, name):
        time.sleep(3)  # until the window shows what its state is
        self.images += 1
        path = self.folder / f"{self.images}_{name}.png"
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)
        return path


def open_tab(window):
    """The tab "Hand" is below others, whose number differs from version to version."""
    window.wait("the sidebar opens", lambda state: state["sidebar"][2] > 100)
    time.sleep(3)
    for seconds in (4, 12, 36):
        for y in range(240, 60, -30):
            window.click((TABS_X, y))
            if window.soon(lambda state: state["tab"] == "Hand", seconds):  # a second click on it would close it
                return
    pytest.fail("there is no tab called Hand")


def add_hand(window):
    open_tab(window)
    added = lambda state: state["hands"] == 1 and state["hand"]["text"]  # noqa: E731
    return window.until("a hand is added", lambda: window.click(ADD_HAND), added, seconds=40)  # two would be too many


def frame(window):
    """Look at the hand from the front, as large as fits; the state, with its fingers' handles."""
    window.press("KP_1")
    time.sleep(3)  # the view turns slowly
    shown = lambda state: state["hand"]["fingers"]  # noqa: E731
    window.until("the hand fills the view", lambda: window.press("Home"), shown)
    time.sleep(3)
    return window.state()
