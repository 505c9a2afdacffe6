"""Run by ``blender --background --factory-startup --python``: a process of :mod:`.background_process`.

Blender knows nothing of the add-on there. Its modules get the names that they have in the window, because what workers
send each other is looked up by name; of the add-on itself no more is loaded than is needed.
"""

import importlib
import sys
import types
from pathlib import Path


def _start() -> int:
    kind, package, *paths = sys.argv[sys.argv.index("--") + 1 :]
    sys.path[:] = [*paths, *(path for path in sys.path if path not in paths)]  # in the window's order
    names = package.split(".")
    for length in range(1, len(names) + 1):
        name = ".".join(names[:length])
        module = types.ModuleType(name)
        module.__path__ = [str(Path(__file__).parent)] if name == package else []
        sys.modules[name] = module
    return importlib.import_module(f"{package}.background_process").main(kind)


sys.exit(_start())
