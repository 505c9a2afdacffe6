"""The walls between the rooms: who may import what, their maps, and that --help needs neither Blender nor torch."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("generator", "trainer", "evaluation", "blender_addon")
BLENDER = {"bpy", "mathutils", "gpu", "gpu_extras", "bmesh"}
TORCH = {"torch", "torchvision"}


def imports(path: Path) -> set[str]:
    """All modules a file imports anywhere in it, absolute names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize(
    "path", [p for package in PACKAGES for p in files(package)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_imports_stay_within_the_walls(path):
    package = path.relative_to(ROOT).parts[0]
    names = imports(path)
    tops = {name.split(".")[0] for name in names}
    if package not in ("blender_addon",) and "blender" not in path.relative_to(ROOT).parts:
        assert not tops & BLENDER, "only generator/blender and the add-on know Blender"
    if package != "trainer":
        assert not tops & TORCH, "only the trainer knows torch"
    others = {"generator": {"trainer", "evaluation"}, "trainer": {"evaluation"}, "evaluation": {"trainer"}}
    assert not tops & (others.get(package, {"trainer", "evaluation"}) | {"blender_addon"} - {package})
    if package in ("trainer", "evaluation"):
        ours = {name for name in names if name.split(".")[0] == "generator"}
        assert all(
            n in ("generator.dataset", "generator.__version__") or n.startswith("generator.dataset.") for n in ours
        ), ours


@pytest.mark.parametrize("package", [*PACKAGES, "generator/blender", "generator/dataset", "trainer/importers"])
def test_maps_name_every_file_and_no_other(package):
    text = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text("utf-8")))
    here = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__", "__main__"}
    assert here == {name for name in here if re.search(rf"\b{name}\b", text)}
    rows = re.findall(r"^(?:``)?([a-z0-9_]+(?:, [a-z0-9_]+)*)(?:``| {2})", text, re.MULTILINE)  # NAME or ``NAMES``
    named = {name for row in rows for name in row.split(", ")} | set(re.findall(r"\b(\w+)\.py\b", text))
    assert named - {"importers"} <= here


@pytest.mark.parametrize("package", ["generator", "trainer", "evaluation"])
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
    assert "Commands:" in done.stdout
