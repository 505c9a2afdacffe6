"""Cycles' result: rendered into a multilayer EXR file and read here, as Blender's images have none of its passes."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import bpy
import numpy as np

from generator.blender.redirect_output import redirect_output
from generator.errors import EngineError


def render() -> dict[str, np.ndarray]:
    """Render the scene; each pass by name ("Combined", an AOV's name ...) as (H, W, channels) float32."""
    path = Path(bpy.app.tempdir, "handforge.exr")
    bpy.context.scene.render.filepath = str(path)
    try:
        with redirect_output():
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
    """The passes in a file such as :func:`prepare` has written: one part, uncompressed, all channels float32.

    The pixels of such a file are an array as they lie. Blender's own reader, OpenImageIO, takes several times as long,
    and not every Blender has it for Python. Format: https://openexr.com/en/latest/OpenEXRFileLayout.html.
    """
    try:
        data = path.read_bytes()
        attributes, start = _header(data)
        left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
        names = _channels(attributes["channels"])
        rows, columns = bottom - top + 1, right - left + 1
        row = np.dtype([("y", "<i4"), ("bytes", "<i4"), ("pixels", "<f4", (len(names), columns))])
        lines = np.frombuffer(data, row, rows, start + 8 * rows)  # after where each row begins
        if (lines["y"] != np.arange(top, bottom + 1)).any():
            raise ValueError("rows are missing")
    except (FileNotFoundError, KeyError, IndexError, ValueError, struct.error) as error:
        raise OSError(
            errno.ENOSPC,
            "no whole image came back from Blender; is the folder for temporary files full?",
            str(path.parent),
        ) from error
    passes: dict[str, list[int]] = {}
    for index in sorted(range(len(names)), key=lambda index: "RGBA".find(names[index][-1])):
        passes.setdefault(names[index].split(".")[-2], []).append(index)  # LAYER.PASS.CHANNEL
    return {name: np.moveaxis(lines["pixels"][:, channels], 1, 2) for name, channels in passes.items()}


def _header(data: bytes) -> tuple[dict[str, bytes], int]:
    """The attributes of a file, by name, and where they end."""
    attributes, at = {}, 8  # after what says that it is EXR, and which
    while data[at]:
        name_end = data.index(0, at)
        type_end = data.index(0, name_end + 1)
        size = struct.unpack_from("<i", data, type_end + 1)[0]
        attributes[data[at:name_end].decode()] = data[type_end + 5 : type_end + 5 + size]
        at = type_end + 5 + size
    return attributes, at + 1


def _channels(listed: bytes) -> list[str]:
    """The names in a list of channels, each of which 16 bytes on its kind follow."""
    names, at = [], 0
    while listed[at]:
        end = listed.index(0, at)
        names.append(listed[at:end].decode())
        at = end + 17
    return names
