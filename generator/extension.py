"""The add-on as an extension for Blender: one zip with everything in it, to be dropped on Blender's window.

The zip holds the add-on with this package and the hand's mesh inside its own package, its manifest, and wheels of the
libraries it needs of which Blender has none. They are fetched by pip; nothing else needs the network, and the installed
extension nothing.
"""

from __future__ import annotations

import ast
import io
import json
import platform
import re
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

LIBRARIES = (
    *("click", "rich", "markdown-it-py", "mdurl", "pygments", "pillow", "pycocotools"),
    *("pydantic", "annotated-types", "typing-extensions", "typing-inspection"),
)
"""What ``generator`` imports, and what these need (the third to fifth are rich's, the last three pydantic's, whose
compiled core :func:`_fetch` adds in the one version that fits); numpy comes with Blender."""

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
_OWN = ("generator", "handforge")
_FRONT_DOOR = ("handforge/__main__.py", "handforge/api.py", "handforge/cli.py")
"""What joins all packages stays outside: Blender has neither trainer nor evaluation."""


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
    files, wheels = _own_files(), dict[str, bytes]()
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


def _own_files() -> dict[str, bytes]:
    """The add-on, with this package, the floor it stands on and the meshes inside its own package."""
    root, found = _ADDON.parent, {}
    for base, folder in ((_ADDON, _ADDON), *((root, root / name) for name in _OWN)):
        for path in (*folder.rglob("*.py"), *folder.rglob("*.toml"), *folder.rglob("*.md")):
            place, source = path.relative_to(base), path.read_text("utf-8")
            if place.as_posix() in _FRONT_DOOR:
                continue
            found[place.as_posix()] = (_within_addon(place, source) if path.suffix == ".py" else source).encode()
    meshes = (hand_mesh.SHIPPED, foot.SHIPPED)
    return found | {path.relative_to(root).as_posix(): path.read_bytes() for path in meshes}


def _within_addon(path: Path, source: str) -> str:
    """A module's source, importing our packages from the add-on's own: extensions share what lies at the top.

    :param path: where the module lies in the add-on's package.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] in _OWN for alias in node.names):
            raise ExtensionError(f"{path}, line {node.lineno}: only 'from ... import ...' can be moved into an add-on")
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in _OWN:
            line = lines[node.lineno - 1]
            lines[node.lineno - 1] = line.replace("from ", "from " + "." * len(path.parts), 1)
    return "".join(lines)


def _fetch(target: str, python: str) -> dict[str, bytes]:
    """The libraries' wheels for one Python, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version", python, "--dest", folder]
        for tag in PLATFORMS[target]:
            command += ["--platform", tag]
        _run_pip([*command, *LIBRARIES], python)
        _run_pip([*command, _core(next(Path(folder).glob("pydantic-*.whl")))], python)
        return {_plain_tag(path.name, python): path.read_bytes() for path in sorted(Path(folder).iterdir())}


def _run_pip(command: list[str], python: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise ExtensionError(f"pip cannot fetch the libraries for Python {python} ({' '.join(said[-1:])})")


def _core(pydantic: Path) -> str:
    """The requirement of pydantic's wheel on its compiled core, of which it takes one version only."""
    with zipfile.ZipFile(pydantic) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        found = re.search(r"^Requires-Dist: (pydantic-core==[\w.]+)", wheel.read(name).decode(), re.MULTILINE)
    if found is None:
        raise ExtensionError(f"{pydantic.name} does not say which pydantic-core it needs; use another release of it")
    return found[1]


def _plain_tag(name: str, python: str) -> str:
    """A wheel's name with this Python alone instead of "this and newer" (abi3), which Blender before 5 cannot read."""
    start, _, abi, rest = name.rsplit("-", 3)
    if abi != "abi3":
        return name
    only = "cp" + python.replace(".", "")
    return f"{start}-{only}-{only}-{rest}"
