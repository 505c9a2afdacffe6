"""Picture files: encoded quickly, and read with every fault named."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from generator.dataset.frame import DatasetError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MAX_PIXELS = 100_000_000
"""Pictures larger than this are refused rather than decoded."""


def encode_picture(picture: np.ndarray, suffix: str) -> bytes:
    """A picture's file as bytes; ``suffix`` is png, jpg or webp (jpg at quality 92, webp at 85)."""
    if suffix == "png":
        return encode_png(picture)
    options: dict[str, dict[str, Any]] = {
        "jpg": {"format": "JPEG", "quality": 92},
        "webp": {"format": "WEBP", "quality": 85, "method": 2},
    }
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, **options[suffix])
    return buffer.getvalue()


def encode_png(picture: np.ndarray) -> bytes:
    """A (H, W, 3) or (H, W) uint8 picture as PNG: three times as fast as Pillow, which tries all filters on each row.

    Each row is its difference to the one above (filter 2, "up"), and equal bytes are run-length coded; for pictures
    that are mostly plain, files are smaller too.
    """
    height, width = picture.shape[:2]
    values = picture.reshape(height, -1)
    rows = np.empty((height, 1 + values.shape[1]), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=rows[1:, 1:])
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if picture.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packer.compress(rows) + packer.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def read_picture(path: Path) -> np.ndarray:
    """A picture as (H, W, 3) uint8 RGB, turned upright by its EXIF orientation if it has one.

    :raises DatasetError: if it is missing, is no picture, is truncated, or is larger than :data:`MAX_PIXELS`.
    """
    return np.asarray(_open(path, "RGB"))


def read_mask(path: Path) -> np.ndarray:
    """A mask picture as (H, W) bool: true where it is brighter than half. Errors as :func:`read_picture`."""
    return np.asarray(_open(path, "L")) > 127


def _open(path: Path, mode: str) -> Image.Image:
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DatasetError(f"{path} has {image.width}x{image.height} pixels, more than {MAX_PIXELS:,}")
            image.load()
            return ImageOps.exif_transpose(image).convert(mode)
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing") from None
    except UnidentifiedImageError:
        raise DatasetError(f"{path} is no picture that can be read") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path} is damaged or cut short ({error})") from error
