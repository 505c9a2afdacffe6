"""The images of Blender's window: docs/posing.webp, 15 seconds of posing a hand, and docs/panel.webp.

BLENDER=/path/to/blender python docs/window.py [posing|panel]      minutes; Debian's xvfb, xdotool and imagemagick
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from generator import extension
from generator.hand.pose_presets import PRESETS

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests" / "support"))
from blender_window import ABOUT_X, RENDER_POSE, SIZE, Window, add_hand, frame, tools  # type: ignore[import-not-found]  # noqa: E402

SECONDS = 15
WIDTH = 800
"""Pixels of the animation."""
LAST = 4
"""How many times as long as the others the last image is shown."""

WIDE = (1680, 1050)
"""Pixels of the window that is shown with a rendered pose beside it."""

PAN, ZOOM = 8, 4
"""Keys that move the view up and clicks of the wheel, from a view of the whole arm to one of the hand."""

ASIDE, OUT = 5, 3
"""Keys that move the camera's view beside the sidebar and clicks of the wheel, from a frame that fills all."""

COLUMNS = 3
FIRST_PRESET, BESIDE, BELOW = (54, 198), 79, 23
"""Where the presets' buttons are in the sidebar, pixels."""


@contextmanager
def opened(size: tuple[int, int]) -> Iterator[Window]:
    """A Blender with the extension just installed and a hand that fills the view."""
    if reason := tools():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder:
        window = Window(Path(folder), extension.build(Path(folder), extension.this_platform()), size)
        try:
            add_hand(window)
            frame(window)
            for _ in range(PAN):
                window.press("ctrl+KP_8")
            for _ in range(ZOOM):
                window.mouse("click", 4, "sleep", 1)
            yield window
        finally:
            window.close()


def choose(window: Window, name: str) -> None:
    """Click a preset."""
    row, column = divmod(list(PRESETS).index(name), COLUMNS)
    place = FIRST_PRESET[0] + BESIDE * column, FIRST_PRESET[1] + BELOW * row
    taken = lambda state: np.allclose(state["hand"]["pose"][8:], PRESETS[name][8:], atol=1e-3)  # noqa: E731
    window.until(f"{name} is taken", lambda: window.click(place), taken)


def render(window: Window) -> None:
    """Render the pose, and wait until it is shown."""
    shown = lambda state: "Hand overlay" in state["editors"] or state["preview"]  # noqa: E731
    window.until("the pose is rendered", lambda: window.click(RENDER_POSE), shown, seconds=60)
    window.image("rendered")


def posing(window: Window) -> None:
    """Presets, a slider and its verdict, the fingers' arrows, a fingertip's handle, a rendered pose."""
    window.image("hand")
    for name in ("two", "pinch", "grasp"):
        choose(window, name)
        window.image(name)

    def dragged() -> None:
        window.image("dragged")

    for angle in np.radians(range(-25, -126, -25)):
        window.drag_slider(ABOUT_X, -16, lambda state, angle=angle: state["hand"]["pose"][3] < angle + 0.1)
        dragged()
    upright = lambda state: not state["hand"]["pose"][3]  # noqa: E731
    window.until("the arm is upright", lambda: window.press("ctrl+z"), upright, tries=9)
    choose(window, "open")
    window.image("open")
    for handle, part in (("index curl", 0.7), ("little spread", -0.5)):
        x, y, *way = window.state()["hand"]["fingers"][handle]
        window.drag((x, y), part * np.array(way), each=dragged)
    window.search("Fingertip Handles")
    window.over_view()
    window.mouse("key", "g", "sleep", 1)
    x, y = window.place((-120, 500))
    for step in range(1, 6):
        window.mouse("mousemove", x - 3 * step, y + 16 * step)
        window.image("tip")
    window.mouse("mousedown", 1, "sleep", 0.15, "mouseup", 1, "sleep", 2)
    render(window)


def panel(window: Window) -> None:
    """The generator's camera, and a rendered pose with its mask."""
    choose(window, "point")
    window.until("the camera is there", lambda: window.search("Hand Camera"), lambda state: "joints" in state["hand"])
    render(window)
    window.over_view()
    window.press("Home")
    for _ in range(OUT):
        window.mouse("click", 5, "sleep", 1)
    for _ in range(ASIDE):
        window.press("ctrl+KP_6")
    window.image("panel")


def main(name: str) -> None:
    """Drive the window, and put the images together."""
    with opened(WIDE if name == "panel" else SIZE) as window:
        {"posing": posing, "panel": panel}[name](window)
        paths = sorted(window.folder.glob("*.png"), key=lambda path: int(path.name.split("_")[0]))
        shots = [Image.open(path).convert("RGB") for path in paths]
        path = DOCS / f"{name}.webp"
        if name == "panel":
            shots[-1].save(path, quality=80, method=6)
        else:
            small = [
                shot.resize((WIDTH, round(WIDTH * shot.height / shot.width)), Image.Resampling.LANCZOS)
                for shot in shots
            ]
            times = [round(1000 * SECONDS / (len(small) - 1 + LAST))] * len(small)
            times[-1] *= LAST
            small[0].save(path, save_all=True, append_images=small[1:], duration=times, loop=0, quality=70, method=2)
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ("posing", "panel"):
        main(chosen)
