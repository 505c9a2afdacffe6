"""The add-on as an extension for Blender: one zip with everything in it, to be dropped on Blender's window.

The zip holds the add-on, its manifest, and wheels: this package with the meshed hand, and the libraries it needs of
which Blender has none. They are fetched by pip; nothing else needs the network, and the installed extension nothing.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from generator.mesh import foot, hand_mesh
from handforge import __version__
from handforge.errors import HandforgeError
from handforge.files import write_atomic

LIBRARIES = ("click", "rich", "markdown-it-py", "mdurl", "pygments", "platformdirs", "pillow", "pycocotools")
"""What ``generator`` imports, and what these need (the third to fifth are rich's); numpy comes with Blender."""

PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64",),
    "macos-x64": ("macosx_11_0_x86_64",),
}
"""Blender's names of the platforms it is released for, and the wheels that run there."""

PYTHONS = {
    "linux-x64": ("3.11", "3.13", "3.14"),
    "windows-x64": ("3.11", "3.13"),
    "macos-arm64": ("3.11", "3.13"),
    "macos-x64": ("3.11",),
}
"""Blender 4.2 to 5.0 have Python 3.11, from 5.1 on 3.13; the Blenders of Linux distributions have theirs. Intel Macs
have none after 4.5."""

_ADDON = Path(__file__).parents[1] / "blender_addon"


class ExtensionError(HandforgeError):
    """The extension cannot be built; the text says what is missing."""


def this_platform() -> str:
    """Blender's name of the platform that this runs on.

    :raises ExtensionError: if Blender has no release for it.
    """
    system = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}.get(platform.system(), platform.system())
    machine = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"{system}-{machine}"
    if name not in PLATFORMS:
        raise ExtensionError(f"there are no wheels for {name}; give one of {', '.join(PLATFORMS)}")
    return name


def build(out: Path, target: str, pythons: Sequence[str] = ()) -> Path:
    """Build the extension; the zip's path. The same versions give the same bytes.

    :param out: the folder to put it into; made if need be.
    :param target: one of :data:`PLATFORMS`.
    :param pythons: the versions of Python that it shall run with; otherwise :data:`PYTHONS` of the platform.
    :raises ExtensionError: if there is no such platform, pip cannot fetch the libraries, or the add-on is not beside
        this package.
    """
    if target not in PLATFORMS:
        raise ExtensionError(f"there is no platform {target!r}; the platforms are {', '.join(PLATFORMS)}")
    if not (_ADDON / "blender_manifest.toml").exists():
        raise ExtensionError(f"the add-on is not at {_ADDON}; build from handforge itself, not from inside Blender")
    sources = [*_ADDON.rglob("*.py"), *_ADDON.glob("maps/*.toml")]
    files = {path.relative_to(_ADDON).as_posix(): path.read_bytes() for path in sources}
    wheels = {f"wheels/handforge-{__version__}-py3-none-any.whl": _own_wheel()}
    for python in pythons or PYTHONS[target]:
        wheels |= {f"wheels/{name}": content for name, content in _fetch(target, python).items()}
    manifest = (_ADDON / "blender_manifest.toml").read_text("utf-8")
    lists = f"platforms = {json.dumps([target])}\nwheels = {json.dumps([f'./{name}' for name in wheels], indent=2)}\n"
    files["blender_manifest.toml"] = manifest.replace("[permissions]", f"{lists}\n[permissions]").encode()
    path = out / f"handforge-{__version__}-{target}.zip"
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(path, _zip(files | wheels))
    return path


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _own_wheel() -> bytes:
    """The generator and handforge, with the meshed hand, as a wheel (PEP 427)."""
    root = Path(__file__).parents[1]
    sources = [path for name in ("generator", "handforge") for path in (root / name).rglob("*.py")]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in sources}
    files["generator/mesh/hand.npz"] = hand_mesh.mean_hand()
    files["generator/mesh/foot.npz"] = foot.mean_foot()
    info = f"handforge-{__version__}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: handforge\nVersion: {__version__}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: handforge\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in sorted(files.items())]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    return _zip(files)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _fetch(target: str, python: str) -> dict[str, bytes]:
    """The libraries' wheels for one Python, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version", python, "--dest", folder]
        for tag in PLATFORMS[target]:
            command += ["--platform", tag]
        done = subprocess.run([*command, *LIBRARIES], capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
            raise ExtensionError(f"pip cannot fetch the libraries for Python {python} ({' '.join(said[-1:])})")
        return {_plain_tag(path.name, python): path.read_bytes() for path in sorted(Path(folder).iterdir())}


def _plain_tag(name: str, python: str) -> str:
    """A wheel's name with this Python alone instead of "this and newer" (abi3), which Blender before 5 cannot read."""
    start, _, abi, rest = name.rsplit("-", 3)
    if abi != "abi3":
        return name
    only = "cp" + python.replace(".", "")
    return f"{start}-{only}-{only}-{rest}"
