"""Simulations and models out of files."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from realtime.errors import ModelRefused
from realtime.simulation import Simulation

_loaded: dict[Path, dict[str, ModuleType]] = {}
"""By folder: modules of two folders may have one name, and one module is loaded once."""


def load_file(file: Path) -> ModuleType:
    """Run a file and what it imports from its own folder; raises ModelRefused where that fails."""
    file = file.resolve()
    if not file.is_file():
        raise ModelRefused(f"There is no file '{file}'.", "Name the file that has the class.")
    with _folder(file.parent) as known:
        if file.stem in known:
            return known[file.stem]
        try:
            return importlib.import_module(file.stem)
        except Exception as error:
            raise ModelRefused(
                f"'{file.name}' cannot be loaded: {type(error).__name__}: {error}.",
                "Mend it; python runs it as it stands.",
            ) from error


def simulations_of(file: Path) -> list[type[Simulation]]:
    """Give the simulated devices that a file defines, in their order; raises ModelRefused."""
    module = load_file(file)
    found = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Simulation) and one.__module__ == module.__name__ and one.model
    ]
    if not found:
        raise ModelRefused(
            f"'{file}' has no simulation.", "Write a class that inherits from realtime.Simulation, with a model."
        )
    return found


@contextmanager
def _folder(folder: Path) -> Iterator[dict[str, ModuleType]]:
    known = _loaded.setdefault(folder, {})
    hidden = {path.stem: sys.modules.pop(path.stem) for path in folder.glob("*.py") if path.stem in sys.modules}
    sys.modules.update(known)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield known
    finally:
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(f"{folder}/") and "." not in name:
                known[name] = sys.modules.pop(name)
        sys.modules.update(hidden)
