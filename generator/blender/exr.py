"""Cycles' result: rendered into a multilayer EXR file and read back, which works headless in every version."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import bpy
import numpy as np

from generator.blender.silence import silence
from generator.errors import EngineError


def render() -> dict[str, np.ndarray]:
    """Render the scene; each pass by name ("Combined", an AOV's name ...) as (H, W, channels) float32."""
    path = Path(bpy.app.tempdir, "handforge.exr")
    bpy.context.scene.render.filepath = str(path)
    try:
        with silence():
            bpy.ops.render.render(write_still=True)
        return _read(path)
    except RuntimeError as error:
        raise EngineError(f"Blender could not render: {error}") from error
    finally:
        path.unlink(missing_ok=True)


def prepare(render: bpy.types.RenderSettings) -> None:
    """Have the renderer write what :func:`render` reads."""
    output = render.image_settings
    if hasattr(output, "media_type"):  # Blender 5.0 and newer
        output.media_type = "MULTI_LAYER_IMAGE"
    output.file_format = "OPEN_EXR_MULTILAYER"
    output.color_depth, output.exr_codec = "32", "NONE"
    if hasattr(output, "use_exr_interleave"):  # Blender 5: all passes in one part, as before
        output.use_exr_interleave = True
    render.use_file_extension = False


def _read(path: Path) -> dict[str, np.ndarray]:
    image = _open_image_io().ImageInput.open(str(path))
    names = list(image.spec().channelnames) if image else []
    pixels = image.read_image("float") if image else None
    if pixels is None:
        raise OSError(
            errno.ENOSPC,
            "no whole picture came back from Blender; is the folder for temporary files full?",
            str(path.parent),
        )
    image.close()
    passes: dict[str, list[int]] = {}
    for index, name in enumerate(names):  # LAYER.PASS.CHANNEL, those of a pass side by side
        passes.setdefault(name.split(".")[-2], []).append(index)
    return {name: pixels[..., channels[0] : channels[-1] + 1] for name, channels in passes.items()}


def _open_image_io():
    """Blender's own OpenImageIO, which a pip-installed bpy keeps off Python's path."""
    try:
        import OpenImageIO
    except ModuleNotFoundError:
        lib = Path(bpy.utils.resource_path("LOCAL")) / "python" / "lib"
        sys.path.append(str(lib / f"python3.{sys.version_info.minor}" / "site-packages"))
        try:
            import OpenImageIO
        except ModuleNotFoundError:
            raise EngineError(
                "this Blender has no OpenImageIO for Python, which reads what Cycles renders; install it (Debian: apt "
                "install python3-openimageio) or use --engine raster"
            ) from None
    return OpenImageIO
