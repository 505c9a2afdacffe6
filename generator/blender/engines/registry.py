"""Which engines run here, and why the others do not."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from generator.blender.redirect_output import load_bpy, redirect_output
from generator.errors import EngineError
from generator.frame.settings import EngineName, RenderSettings

if TYPE_CHECKING:  # importing it imports bpy, which is done by load_bpy first
    from generator.blender.engines.plain import ArmDrawer
    from generator.blender.engines.render_layers import Engine
    from generator.blender.posed_frame import Stage

ON_GPU = ("eevee", "workbench")
"""Engines that are refused where OpenGL runs in software: eevee would take about half a minute an image there."""

FASTEST_FIRST: tuple[EngineName, ...] = ("raster", "cycles")


@functools.cache
def why_not(name: str) -> str:
    """Why an engine cannot run here; empty if it can."""
    load_bpy()
    import bpy

    if name == "cycles":
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
    if name in ON_GPU and (renderer := _software()):
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
        raise EngineError(f"the engine {name} draws hands before plain white; a room needs --engine {able[0]}")
    if name != "auto":
        if reason := why_not(name):
            raise EngineError(f"the engine {name} cannot run here: {reason}")
        return name
    reasons: dict[EngineName, str] = {engine: why_not(engine) for engine in FASTEST_FIRST if engine in able}
    for engine, reason in reasons.items():
        if not reason:
            return engine
    raise EngineError("no engine runs here: " + "; ".join(f"{e}: {r}" for e, r in reasons.items()))


def start(settings: RenderSettings, stage: Stage) -> Engine:
    """An engine, ready to render in the current scene; ``settings.engine`` is what :func:`choose` returned.

    :raises EngineError: if it cannot run, or cannot draw the scene.
    """
    if settings.scene == "indoor":
        from generator.blender.scene.indoor import IndoorScene

        return IndoorScene(settings, stage)
    from generator.blender.engines.plain import PlainScene

    return PlainScene(settings, stage, _drawer(choose(settings), settings.samples))


def _drawer(name: EngineName, samples: int) -> ArmDrawer:
    if name == "raster":
        from generator.blender.engines.raster import Raster

        return Raster()
    if name in ON_GPU:
        from generator.blender.engines import viewport

        return viewport.Eevee(samples) if name == "eevee" else viewport.Workbench(samples)
    from generator.blender.engines.cycles import Cycles

    return Cycles(samples)


def version() -> str:
    """Blender's version, as in 5.2.3."""
    load_bpy()
    import bpy

    return ".".join(str(part) for part in bpy.app.version)
