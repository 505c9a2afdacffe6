"""The walls between the rooms: who may import what, their maps, and that --help needs neither Blender nor torch."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("handforge", "generator", "trainer", "evaluation", "blender_addon")
BLENDER = {"bpy", "mathutils", "gpu", "gpu_extras", "bmesh"}
TORCH = {"torch", "torchvision"}


def imports(path: Path) -> set[str]:
    """All modules a file imports anywhere in it, absolute names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            found |= {".".join([*above, *filter(None, [node.module]), alias.name]) for alias in node.names}
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


FRONT_DOOR = {"handforge/__init__.py", "handforge/api.py", "handforge/cli.py"}
"""Files that may reach up to all packages: lazily, but for the command."""

ALLOWED = {
    "handforge": set(),
    "generator": {"handforge"},
    "trainer": {"handforge"},
    "evaluation": {"handforge"},
    "blender_addon": {"handforge", "generator"},
}
"""Which of our packages each may import beside itself: data crosses from one to the next as files only."""


@pytest.mark.parametrize(
    "path", [p for package in PACKAGES for p in files(package)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_imports_stay_within_the_walls(path):
    package = path.relative_to(ROOT).parts[0]
    tops = {name.split(".")[0] for name in imports(path)}
    if package != "blender_addon" and "blender" not in path.relative_to(ROOT).parts:
        assert not tops & BLENDER, "only generator/blender and the add-on know Blender"
    if package != "trainer":
        assert not tops & TORCH, "only the trainer knows torch"
    if path.relative_to(ROOT).as_posix() not in FRONT_DOOR:
        assert tops & set(PACKAGES) <= ALLOWED[package] | {package}


FOLDERS = sorted({path.parent.relative_to(ROOT).as_posix() for name in PACKAGES for path in files(name)})


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_lies_in_one_folder_imports_one_way(folder):
    prefix, imported = folder.replace("/", ".") + ".", {}
    for path in (ROOT / folder).rglob("*.py"):
        own = path.relative_to(ROOT / folder).parts[0].removesuffix(".py")
        siblings = {name.removeprefix(prefix).split(".")[0] for name in imports(path) if name.startswith(prefix)}
        if own != "__init__":
            imported.setdefault(own, set()).update(siblings - {own})
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        pytest.fail(f"{folder}: " + " imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("folder", FOLDERS)
def test_maps_name_every_file_and_no_other(folder):
    text = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text("utf-8")))
    here = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__", "__main__"}
    here |= {f"{path.parent.name}/" for path in (ROOT / folder).glob("*/__init__.py")}
    rows = re.findall(r"^([a-z0-9_/]+(?:, [a-z0-9_/]+)*)(?:\.py)? {2}", text, re.MULTILINE)
    named = {name for row in rows for name in row.split(", ")} | set(re.findall(r"^(\w+)\.py\b", text, re.MULTILINE))
    assert here == {name for name in named if not name.endswith("/") or (ROOT / folder / name).glob("*.py")} - {
        name for name in named if name.endswith("/") and not (ROOT / folder / name / "__init__.py").exists()
    }


@pytest.mark.parametrize(
    "path", [p for package in PACKAGES for p in files(package)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_what_is_no_command_takes_no_more_than_echo_from_the_commands_module(path):
    names = imports(path)
    if "click" not in names:
        assert {name for name in names if name.startswith("handforge.console")} <= {"handforge.console.echo"}


@pytest.mark.parametrize("package", ["handforge", "generator", "trainer", "evaluation"])
def test_help_loads_neither_blender_nor_torch(package):
    code = (
        f"import sys; from {package}.cli import main\n"
        "sys.argv = ['hand', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "assert not {'bpy', 'torch'} & set(sys.modules), 'too much was loaded'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout or "Networks:" in done.stdout


def test_import_handforge_loads_no_other_package():
    code = (
        "import sys, handforge\n"
        f"above = {set(PACKAGES) - {'handforge'} | BLENDER | TORCH!r}\n"
        "assert not above & set(sys.modules), above & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
