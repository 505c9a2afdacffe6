"""Image files: read by Pillow with every fault named; PNG is written here, several times as fast as by Pillow."""

from __future__ import annotations

import io
import stat
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError, features

from handforge.dataset.records import DatasetError
from handforge.parse import is_lfs_pointer, lfs_text

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
"""What is decoded, by Pillow's names; an EPS or PDF, for which Pillow starts another program, is not an image here."""

IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif"),  # of a GIF the first frame
    *((".avif",) if features.check("avif") else ()),
    *(".heic", ".heif"),  # with pillow-heif
)
MAX_PIXELS = 100_000_000
"""Images larger than this are refused rather than decoded."""

PngImagePlugin.MAX_TEXT_CHUNK = 64 * 1024 * 1024  # colour profiles and texts of a megabyte are ordinary

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings an image upright, by its EXIF orientation."""


def encode_image(pixels: np.ndarray, suffix: str) -> bytes:
    """An image's file as bytes; ``suffix`` is png, jpg or webp (jpg at quality 92, webp at 85)."""
    if suffix == "png":
        return encode_png(pixels)
    options: dict[str, dict[str, Any]] = {
        "jpg": {"format": "JPEG", "quality": 92},
        "webp": {"format": "WEBP", "quality": 85, "method": 2},
    }
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options[suffix])
    return buffer.getvalue()


def encode_png(pixels: np.ndarray) -> bytes:
    """A (H, W, 3) or (H, W) image, uint8 or uint16, as PNG; several times as fast as Pillow, which tries all filters.

    Each row is its difference to the one above (filter 2, "up"), and equal bytes are run-length coded; for images
    that are mostly plain, files are smaller too.
    """
    height, width = pixels.shape[:2]
    bits, color = 8 * pixels.itemsize, 2 if pixels.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    rows = pixels.astype(pixels.dtype.newbyteorder(">"), copy=False).reshape(height, -1).view(np.uint8)
    chunks = ((b"IHDR", header), (b"IDAT", _deflate(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _deflate(values: np.ndarray) -> bytes:
    """The zlib stream (RFC 1950) of an image's rows, (H, bytes a row) uint8.

    Above and below what is drawn, rows repeat the one above them: the code of those is made once and kept.
    """
    height, stride = len(values), 1 + values.shape[1]
    words = values if values.shape[1] % 8 or not values.flags.c_contiguous else values.view(np.uint64)
    changes = np.flatnonzero((words[1:] != words[:-1]).any(axis=1)) + 1
    top, bottom = (int(changes[0]), int(changes[-1]) + 1) if changes.size else (height, height)
    rows = np.empty((1 + bottom - top, stride), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = values[0]
    np.subtract(values[top:bottom], values[top - 1 : bottom - 1], out=rows[1:, 1:])
    packer = zlib.compressobj(1, wbits=-15, strategy=zlib.Z_RLE)
    code = b"\x78\x01" + packer.compress(rows[0]) + packer.flush(zlib.Z_FULL_FLUSH) + _repeated(top - 1, stride)
    code += packer.compress(rows[1:]) + packer.flush(zlib.Z_FULL_FLUSH) + _repeated(height - bottom, stride)
    checksum = _add_repeated(zlib.adler32(rows[0]), top - 1, stride)
    checksum = _add_repeated(zlib.adler32(rows[1:], checksum), height - bottom, stride)
    return code + packer.flush() + struct.pack(">I", checksum)


def _repeated(count: int, stride: int) -> bytes:
    """Deflate's code of so many rows that repeat the one above: a 2 and zeros."""
    return b"".join(_repeated_power(bit, stride) for bit in range(count.bit_length()) if count >> bit & 1)


@lru_cache(64)
def _repeated_power(exponent: int, stride: int) -> bytes:
    packer = zlib.compressobj(1, wbits=-15, strategy=zlib.Z_RLE)
    return packer.compress((b"\2" + bytes(stride - 1)) * 2**exponent) + packer.flush(zlib.Z_FULL_FLUSH)


def _add_repeated(checksum: int, count: int, stride: int) -> int:
    """Adler-32 after so many rows of a 2 and zeros more."""
    low, high = checksum & 0xFFFF, checksum >> 16
    high += stride * (count * low + count * (count + 1))
    return high % 65521 << 16 | (low + 2 * count) % 65521


def read_image(path: Path) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB, turned upright by its EXIF orientation if it has one.

    :raises DatasetError: if it is missing, is no image, is truncated, is larger than :data:`MAX_PIXELS`, or has values
        of 32 bits, of which nothing says what is white.
    """
    return np.array(open_image(path, "RGB"))  # a copy: PyTorch warns of arrays that cannot be written to


def read_mask(path: Path) -> np.ndarray:
    """A mask image as (H, W) bool: true where it is brighter than half. What is transparent counts as black.

    :raises DatasetError: as :func:`read_image` does, or if it is neither black nor anywhere that bright.
    """
    image = open_image(path)
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        values = np.asarray(Image.alpha_composite(black, image.convert("RGBA")).convert("L"))
    else:
        values = np.asarray(_converted(image, "L", path))
    if 0 < values.max() <= 127:
        raise DatasetError(
            f"{path} is nowhere brighter than {values.max()} of 255; a mask is black, and white where the hand is"
        )
    return values > 127


def open_image(path: Path, mode: str | None = None) -> Image.Image:
    """An image, upright, in one of Pillow's modes or as it is. Errors as :func:`read_image`."""
    with image_header(path) as image:
        if image.format == "PNG":
            image.verify()  # load() passes over wrong checksums
    with image_header(path) as image:
        turned = upright(image)
        return turned if mode is None else _converted(turned, mode, path)


def exif_orientation(image: Image.Image) -> int:
    """The EXIF orientation of an image that was opened: 1 upright, 2 to 8 stored flipped or rotated."""
    try:
        stated = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # Pillow raises whatever damaged EXIF leads it to; the image itself may be whole
        return 1
    return stated if isinstance(stated, int) and stated in _UPRIGHT else 1


def upright(image: Image.Image) -> Image.Image:
    """An image that was opened, loaded and turned upright by its EXIF orientation.

    Pillow's own function writes EXIF anew for the turned image, and fails where that holds what it cannot write.
    """
    image.load()  # turns a TIFF
    method = _UPRIGHT.get(exif_orientation(image))
    return image if method is None else image.transpose(method)


@contextmanager
def image_header(path: Path) -> Iterator[Image.Image]:
    """Open an image of one of :data:`FORMATS`; its pixels are not decoded yet. Errors as :func:`read_image`."""
    try:
        kind = path.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # reading a pipe never ends
            raise DatasetError(f"{path} is not a regular file")
        if stat.S_ISREG(kind) and not path.stat().st_size:
            raise DatasetError(f"{path} is empty")
        with _opened(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DatasetError(f"{path} has {image.width}x{image.height} pixels, more than {MAX_PIXELS:,}")
            yield image
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing") from None
    except IsADirectoryError:
        raise DatasetError(f"{path} is a folder, not an image") from None
    except PermissionError:
        raise DatasetError(f"{path} may not be read; its permissions forbid it") from None
    except UnidentifiedImageError:
        if is_lfs_pointer(path):
            raise DatasetError(lfs_text(path)) from None
        raise DatasetError(f"{path} is not an image that can be read") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DatasetError(f"{path} is damaged or cut short ({error})") from error


_LIMIT_LIFTED = threading.Lock()


def _opened(path: Path) -> Image.Image:
    """Open an image without Pillow's own limit, which warns of images that are read here; other users keep it."""
    formats = _readable_formats(path)
    with _LIMIT_LIFTED:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _readable_formats(path: Path) -> tuple[str, ...]:
    """The formats of :data:`FORMATS` that can be read here.

    :raises DatasetError: if the file's name says HEIC and the library for it is not installed.
    """
    if path.suffix.lower() in (".heic", ".heif"):
        try:
            import pillow_heif
        except ModuleNotFoundError:
            raise DatasetError(f"{path} needs a library more: pip install 'handforge[heif]'") from None
        pillow_heif.register_heif_opener()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _converted(image: Image.Image, mode: str, path: Path) -> Image.Image:
    """An image in another mode, of its range; Pillow's convert cuts off at 255."""
    if image.mode in ("I", "F"):
        raise DatasetError(f"{path} has values of 32 bits, of which nothing says what is white; save it with 8 or 16")
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert(mode)
