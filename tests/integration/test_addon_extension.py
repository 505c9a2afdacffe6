"""The zip: what is in it, Blender's own check of it, and its installation into an empty user folder."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import bpy
import pytest

from generator import extension
from handforge import __version__

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    try:
        return extension.build(tmp_path_factory.mktemp("zip"), extension.this_platform(), [PYTHON])
    except extension.ExtensionError as error:
        pytest.skip(f"the zip cannot be built without a package index: {error}")


def test_the_zip_holds_what_the_manifest_names(archive):
    with zipfile.ZipFile(archive) as content:
        names = content.namelist()
        manifest = content.read("blender_manifest.toml").decode()
        modules = {name: content.read(name).decode() for name in names if name.endswith(".py")}
    wheels = [name for name in names if name.startswith("wheels/")]
    assert f'version = "{__version__}"' in manifest
    assert all(f'"./{name}"' in manifest for name in wheels)
    needed = ("click", "rich", "markdown_it_py", "mdurl", "pygments", "pillow", "pycocotools")
    needed += ("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection")
    assert {Path(name).name.split("-")[0] for name in wheels} == {*needed}
    meshed = {"generator/mesh/hand.npz", "generator/mesh/foot.npz"}
    own = {*meshed, "generator/cli.py", "generator/blender/rig.py", "handforge/files.py"}
    assert {"__init__.py", "operators/add.py", "maps/webxr_right.toml", "guide.md", *own} <= set(names)
    assert not any("__pycache__" in name for name in names)
    outside = re.compile(r"^\s*(from|import) (generator|handforge)\b", re.MULTILINE)
    assert not [name for name, source in modules.items() if outside.search(source)], "extensions share what is on top"


def test_imports_are_moved_into_the_addon():
    move = extension._within_addon
    source = "from generator.hand import (\n    pose,\n)\n\n\ndef f():\n    from handforge import files\n"
    assert move(Path("generator/hand/mesh.py"), source) == source.replace("from ", "from ...")
    assert move(Path("hand.py"), "from generator import x\nfrom . import y\n") == (
        "from .generator import x\nfrom . import y\n"
    )
    with pytest.raises(extension.ExtensionError, match=r"a\.py, line 1: only 'from"):
        move(Path("a.py"), "import generator.hand\n")


def test_wheels_for_this_python_and_newer_are_named_for_this_one():
    rename = extension._plain_tag
    assert rename("pycocotools-2.0.11-cp312-abi3-linux_x86_64.whl", "3.13") == (
        "pycocotools-2.0.11-cp313-cp313-linux_x86_64.whl"
    )
    assert rename("click-8.1-py3-none-any.whl", "3.11") == "click-8.1-py3-none-any.whl"


COMPILED = {
    "linux-x64": ("linux-x86_64", "manylinux_2_27_x86_64.manylinux_2_28_x86_64"),
    "windows-x64": ("win-amd64", "win_amd64"),
    "macos-arm64": ("macosx-11.00-arm64", "macosx_11_0_arm64"),
    "macos-x64": ("macosx-11.00-x86_64", "macosx_10_10_x86_64"),
}
"""What Python calls each of Blender's platforms, and what wheels do."""


def empty_wheel(folder, name, tags, needs=""):
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-{tags}.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """A folder in place of a package index, with wheels named as the real ones are."""
    folder = tmp_path_factory.mktemp("index")
    for library in {*extension.LIBRARIES} - {"pillow", "pycocotools"}:
        needs = "Requires-Dist: pydantic-core==1.0\n" if library == "pydantic" else ""
        empty_wheel(folder, library.replace("-", "_"), "py3-none-any", needs)
    for _, tag in COMPILED.values():
        for python in ("cp311", "cp313", "cp314"):
            empty_wheel(folder, "pillow", f"{python}-{python}-{tag}")
            empty_wheel(folder, "pydantic_core", f"{python}-{python}-{tag}")
    for tag in ("manylinux_2_27_x86_64.manylinux_2_28_x86_64", "win_amd64", "macosx_10_9_universal2"):
        empty_wheel(folder, "pycocotools", f"cp311-cp311-{tag}")
        empty_wheel(folder, "pycocotools", f"cp312-abi3-{tag}")
    return folder


@pytest.mark.parametrize(
    "target",
    [pytest.param(target, marks=[] if target == "linux-x64" else pytest.mark.slow) for target in extension.PLATFORMS],
)
def test_blender_on_each_platform_finds_every_library_once(index, target, tmp_path, monkeypatch):
    """The oracle is Blender's own choice among an extension's wheels."""
    ops = pytest.importorskip("bl_pkg.bl_extension_ops", reason="this Blender comes without its extensions")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    with zipfile.ZipFile(extension.build(tmp_path, target)) as content:
        manifest = tomllib.loads(content.read("blender_manifest.toml").decode())
    assert manifest["platforms"] == [target]
    for python in extension.PYTHONS[target]:
        with monkeypatch.context() as other:
            other.setattr(sysconfig, "get_platform", lambda: COMPILED[target][0])
            other.setattr(sys, "version_info", tuple(int(number) for number in python.split(".")))
            chosen = ops._extensions_wheel_filter_for_this_system(manifest["wheels"])
        names = sorted(Path(name).name.split("-")[0].replace("_", "-") for name in chosen)
        assert names == sorted((*extension.LIBRARIES, "pydantic-core"))


def test_a_platform_that_is_none(tmp_path):
    with pytest.raises(extension.ExtensionError, match="there is no platform 'amiga'; the platforms are linux-x64, "):
        extension.build(tmp_path, "amiga")


def test_blender_finds_nothing_wrong_with_it(archive):
    scripts = Path(bpy.utils.resource_path("LOCAL")) / "scripts" / "addons_core" / "bl_pkg" / "cli"
    command = [sys.executable, scripts / "blender_ext.py", "validate", archive]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


INSTALL = """
import json, sys, types
from pathlib import Path
import bpy
sys.modules["typing_extensions"] = types.ModuleType("typing_extensions")  # as if Blender had imported an older one
sys.modules["typing_extensions"].__file__ = "/usr/lib/python3/dist-packages/typing_extensions.py"
archive, resources = sys.argv[1:]
result = bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
folder = Path(resources) / "extensions" / "user_default" / "handforge"
def listing():
    return sorted(str(p) for p in folder.rglob("*") if "__pycache__" not in p.parts)
before = listing()
bpy.ops.handforge.add_hand()
bpy.ops.handforge.preset(name="point")
import importlib
addon = importlib.import_module("bl_ext.user_default.handforge")
told = {
    "installed": list(result),
    "module": [name for name in bpy.context.preferences.addons.keys() if "handforge" in name],
    "top": [name for name in ("generator", "handforge", "blender_addon") if name in sys.modules],
    "generator": sys.modules["bl_ext.user_default.handforge.generator"].__file__,
    "libraries": [sys.modules[name].__file__ for name in ("pydantic", "typing_extensions")],
    "meshed": "skimage" in sys.modules,
    "verdict": bpy.data.objects["hand_armature"].handforge.verdict,
    "unchanged": listing() == before,
}
bpy.ops.preferences.addon_disable(module=told["module"][0])
told["left"] = hasattr(bpy.types.Scene, "handforge")
print("TOLD " + json.dumps(told))
"""


def test_it_installs_into_an_empty_user_folder(archive, tmp_path):
    """In a process that sees no handforge but the zip's; -P and the folder keep the checkout off Python's path."""
    resources = tmp_path / "resources"
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(resources), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("PYTHONPATH", None)
    script = "import sys; sys.meta_path = [f for f in sys.meta_path if '__editable__' not in repr(f)]\n" + INSTALL
    command = [sys.executable, "-P", "-c", script, str(archive), str(resources)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("TOLD ")]
    assert lines, done.stdout + done.stderr
    told = json.loads(lines[0].removeprefix("TOLD "))
    assert told["installed"] == ["FINISHED"] and told["module"] == ["bl_ext.user_default.handforge"]
    assert Path(told["generator"]).is_relative_to(resources / "extensions" / "user_default")
    assert all(Path(path).is_relative_to(resources / "extensions" / ".local") for path in told["libraries"])
    assert told["top"] == []
    assert told["verdict"] == "plausible" and told["unchanged"] and not told["meshed"] and not told["left"]
    assert not (tmp_path / "cache" / "handforge").exists()
