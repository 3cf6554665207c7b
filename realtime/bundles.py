"""A deployed version's files made into a model again.

Each version gets module names of its own, so an older one beside it keeps its classes.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from realtime.errors import ModelRefused
from realtime.model import Model, read_model
from realtime.twin import Message, Twin
from realtime.wire import Bundle


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

    Files beside the model can be imported by it: by their names, or from '.'.
    """
    _check_paths(bundle)
    folder = Path(tempfile.mkdtemp(prefix="realtime-"))
    for path, content in bundle.files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    kind = _import(folder, PurePosixPath(bundle.entry), bundle.model)
    return Loaded(version, read_model(kind), bundle.tables)


def _check_paths(bundle: Bundle) -> None:
    for path in (bundle.entry, *bundle.files):
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\0" in path:
            raise ModelRefused(
                f"The path '{path}' leads out of what was deployed.", "Use paths below the model's folder."
            )
    if bundle.entry not in bundle.files or not bundle.entry.endswith(".py"):
        raise ModelRefused(f"The file '{bundle.entry}' is not among what was deployed.", "Name the model's own file.")


def _import(folder: Path, entry: PurePosixPath, name: str) -> type[Any]:
    """Import the file; names of its siblings are forgotten afterwards, so that another version finds its own."""
    module_name = ".".join(entry.with_suffix("").parts)
    before = dict(sys.modules)
    ours = {".".join(one.relative_to(folder).with_suffix("").parts) for one in folder.rglob("*.py")}
    ours |= {one.removesuffix(".__init__") for one in ours} | {one.split(".")[0] for one in ours}
    for one in ours & sys.modules.keys():
        del sys.modules[one]
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise ModelRefused(
            f"'{entry}' cannot be imported: {type(error).__name__}: {error}.",
            "Mend it; `python FILE` shows where it fails.",
        ) from error
    finally:
        sys.path.remove(str(folder))
        for one in ours & sys.modules.keys():
            del sys.modules[one]
        sys.modules.update({one: module for one, module in before.items() if one in ours})
    try:
        return getattr(module, name)  # type: ignore[no-any-return]
    except AttributeError:
        raise ModelRefused(
            f"'{entry}' has no class '{name}'.", "Name the class of the model as it is written there."
        ) from None


class _Nothing(Twin):
    """What instances are of before any version was deployed."""


def _refuse_all(content: bytes) -> Message:
    raise msgspec.ValidationError("no version of the model is there")


NOTHING: Final = Model("", _Nothing, {}, {}, _refuse_all)
