"""A deployed version's files made into a model again.

Each version gets module names of its own, so an older one beside it keeps its classes.
"""

from __future__ import annotations

import importlib
import itertools
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, Final

import msgspec

from realtime.errors import ModelRefused
from realtime.model import Model, read_model
from realtime.twin import Message, Twin
from realtime.wire import Bundle

_numbers = itertools.count(1)


class Loaded(msgspec.Struct, frozen=True):
    """A version that can run."""

    version: int
    model: Model
    tables: Mapping[str, Any]


def read_bundle(data: bytes) -> Bundle:
    """Read what was deployed; raises ModelRefused."""
    try:
        return msgspec.msgpack.decode(data, type=Bundle)
    except msgspec.DecodeError as error:
        raise ModelRefused(f"What was deployed cannot be read: {error}.", "Deploy the model again.") from error


def load_bundle(bundle: Bundle, version: int) -> Loaded:
    """Run the code of a bundle and check its model; raises ModelRefused.

    Files beside the model can be imported by it, by their names. Without a name of a model it is the only one of its file.
    """
    _check_paths(bundle)
    with tempfile.TemporaryDirectory(prefix="realtime-") as name:
        folder = Path(name)
        for path, content in bundle.files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        module = _import(folder, PurePosixPath(bundle.entry))
    return Loaded(version, read_model(_model_of(module, bundle)), bundle.tables)


def _check_paths(bundle: Bundle) -> None:
    for path in (bundle.entry, *bundle.files):
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\0" in path:
            raise ModelRefused(
                f"The path '{path}' leads out of what was deployed.", "Use paths below the model's folder."
            )
    if bundle.entry not in bundle.files or not bundle.entry.endswith(".py"):
        raise ModelRefused(f"The file '{bundle.entry}' is not among what was deployed.", "Name the model's own file.")


def _import(folder: Path, entry: PurePosixPath) -> ModuleType:
    """Import a file, and its siblings as it asks for them; afterwards their plain names are free for another version's."""
    ours = _module_names(folder)
    hidden = {one: sys.modules.pop(one) for one in ours & sys.modules.keys()}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(".".join(entry.with_suffix("").parts))
    except (Exception, SystemExit) as error:
        raise ModelRefused(
            f"'{entry}' cannot be imported: {type(error).__name__}: {error}.",
            "Mend it; `python FILE` shows where it fails.",
        ) from error
    finally:
        sys.path.remove(str(folder))
        number = next(_numbers)
        for one in ours & sys.modules.keys():
            _rename(sys.modules.pop(one), one, f"realtime_bundle_{number}.{one}")
        sys.modules.update(hidden)


def _module_names(folder: Path) -> set[str]:
    files = {".".join(one.relative_to(folder).with_suffix("").parts) for one in folder.rglob("*.py")}
    files |= {one.removesuffix(".__init__") for one in files}
    return files | {one.split(".")[0] for one in files}


def _rename(module: ModuleType, old: str, new: str) -> None:
    """Keep a module where its classes find the names in their annotations."""
    sys.modules[new] = module
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == old:
            value.__module__ = new


def _model_of(module: ModuleType, bundle: Bundle) -> type[Any]:
    if bundle.model:
        try:
            return getattr(module, bundle.model)  # type: ignore[no-any-return]
        except AttributeError:
            raise ModelRefused(
                f"'{bundle.entry}' has no class '{bundle.model}'.",
                "Name the class of the model as it is written there.",
            ) from None
    own = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Twin)]
    found = [one for one in own if one is not Twin]
    # Of a model and those that it inherits from, the last one is meant.
    last = [one for one in found if not any(other is not one and issubclass(other, one) for other in found)]
    if len(last) == 1:
        return last[0]
    names = ", ".join(one.__name__ for one in last) or "none"
    raise ModelRefused(f"'{bundle.entry}' has not one model but: {names}.", "Say which one, by the name of its class.")


class _Nothing(Twin):
    """What instances are of before any version was deployed."""


def _refuse_all(content: bytes) -> Message:
    raise msgspec.ValidationError("no version of the model is there")


NOTHING: Final = Model("", _Nothing, {}, {}, _refuse_all)
