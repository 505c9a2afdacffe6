"""Which engines run here, and why the others do not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generator.blender.redirect_output import load_bpy, redirect_output
from generator.errors import EngineError
from generator.frame.scene_kind import EngineName
from generator.frame.settings import RenderSettings

if TYPE_CHECKING:  # importing it imports bpy, which is done by load_bpy first
    from generator.blender.engines.plain import ArmDrawer
    from generator.blender.engines.render_layers import Engine
    from generator.blender.posed_frame import Stage


@dataclass(frozen=True)
class _Drawing:
    """A way to draw a hand by itself.

    :param start: makes it, for so many samples a pixel; imports bpy.
    :param needs: ``gpu``: it is refused where OpenGL runs in software, where eevee would take about half a minute an
        image.
    :param auto: whether ``auto`` may choose it.
    """

    start: Callable[[int], ArmDrawer]
    needs: Literal["cycles", "opengl", "gpu"]
    auto: bool = False


def _raster(_samples: int) -> ArmDrawer:
    from generator.blender.engines.raster import Raster

    return Raster()


def _cycles(samples: int) -> ArmDrawer:
    from generator.blender.engines.cycles import Cycles

    return Cycles(samples)


def _eevee(samples: int) -> ArmDrawer:
    from generator.blender.engines.viewport import Eevee

    return Eevee(samples)


def _workbench(samples: int) -> ArmDrawer:
    from generator.blender.engines.viewport import Workbench

    return Workbench(samples)


_ENGINES: dict[str, _Drawing] = {
    "raster": _Drawing(_raster, "opengl", auto=True),
    "cycles": _Drawing(_cycles, "cycles", auto=True),
    "eevee": _Drawing(_eevee, "gpu"),
    "workbench": _Drawing(_workbench, "gpu"),
}
"""By the words of the setting ``engine``, the fastest first."""


@functools.cache
def why_not(name: str) -> str:
    """Why an engine cannot run here; empty if it can."""
    load_bpy()
    import bpy

    needs = _ENGINES[name].needs
    if needs == "cycles":
        return "" if hasattr(bpy.types.Scene, "cycles") else "this Blender was built without Cycles"
    import gpu

    if not bpy.app.background:
        return ""
    if not hasattr(gpu, "init"):
        return (
            f"drawing without a window needs Blender 5.2 or newer, this is {bpy.app.version_string}; "
            "with Python 3.13, pip install 'bpy>=5.2' brings it, or use --engine cycles"
        )
    try:
        with redirect_output():
            gpu.init()
    except (RuntimeError, SystemError) as error:
        return (
            f"no OpenGL can be opened ({error}); a driver or Mesa's software one helps (Debian: apt install "
            "libegl1 libgl1-mesa-dri), or use --engine cycles"
        )
    if needs == "gpu" and (renderer := _software()):
        return (
            f"it needs a GPU and its driver, OpenGL is {renderer} here, which draws in software; "
            "use --engine raster or cycles"
        )
    return ""


def _software() -> str:
    """The name of OpenGL's renderer if it is software, else an empty string."""
    import gpu

    software = gpu.platform.device_type_get() == "SOFTWARE"
    return gpu.platform.renderer_get().partition("(")[0].strip() if software else ""


def choose(settings: RenderSettings) -> EngineName:
    """The name of the engine to use; ``auto`` becomes the fastest that runs here and can draw the scene.

    :raises EngineError: if it cannot.
    """
    name = settings.engine
    able = settings.kind.engines
    if name not in ("auto", *able):
        raise EngineError(f"the engine {name} draws plain scenes; an indoor scene needs --engine {able[0]}")
    if name != "auto":
        if reason := why_not(name):
            raise EngineError(f"the engine {name} cannot run here: {reason}")
        return name
    reasons = {engine: why_not(engine) for engine in able if _ENGINES[engine].auto}
    for engine, reason in reasons.items():
        if not reason:
            return engine
    raise EngineError("no engine runs here: " + "; ".join(f"{e}: {r}" for e, r in reasons.items()))


def start(settings: RenderSettings, stage: Stage) -> Engine:
    """An engine, ready to render in the current scene; ``settings.engine`` is what :func:`choose` returned.

    :raises EngineError: if it cannot run, or cannot draw the scene.
    """
    return _SCENES[settings.scene](settings, stage)


def _plain(settings: RenderSettings, stage: Stage) -> Engine:
    from generator.blender.engines.plain import PlainScene

    return PlainScene(settings, stage, _ENGINES[choose(settings)].start(settings.samples))


def _indoor(settings: RenderSettings, stage: Stage) -> Engine:
    from generator.blender.engines.indoor import IndoorScene

    return IndoorScene(settings, stage)


_SCENES: dict[str, Callable[[RenderSettings, Stage], Engine]] = {"plain": _plain, "indoor": _indoor}
"""By the words of the setting ``scene``."""


def version() -> str:
    """Blender's version, as in 5.2.3."""
    load_bpy()
    import bpy

    return ".".join(str(part) for part in bpy.app.version)
