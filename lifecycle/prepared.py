"""What a start needs of a descriptor, kept from the last time: reading YAML is a third of what a short run costs.

A cache, below the runs: it counts only for the very file that it was made from
and for the version of this package that made it, and is made anew otherwise.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lifecycle.errors import BadRequest
from lifecycle.models import Phase, Twin, Value
from lifecycle.places import Places
from lifecycle.records import file_name

DESCRIPTOR: Final = "twin.yaml"
FOLDER: Final = ".prepared"
SETTLED_NS: Final = 2_000_000_000
"""A file that was changed a moment ago may be changed again without its time showing it."""

Content = dict[str, Any]


def prepare(places: Places, twin: Twin) -> Content | None:
    """Give what a start needs of a twin's descriptor; None without one. Raises DescriptorInvalid."""
    key = _key(twin.path / DESCRIPTOR)
    if key is None:
        return None
    file = places.runs / FOLDER / f"{file_name(twin.name)}.json"
    kept = _read(file)
    if kept is not None and kept.get("key") == key:
        return kept
    from lifecycle.descriptor import read_descriptor  # noqa: PLC0415 - what this module saves

    content = _content(read_descriptor(twin.path)) | {"key": key}
    if time.time_ns() - key[3] > SETTLED_NS and key == _key(twin.path / DESCRIPTOR):
        _write(file, content)
    return content


def read_settings(settings: Sequence[str]) -> dict[str, str]:
    """Divide PARAMETER=VALUE; raises BadRequest."""
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        name = name.strip()
        if not equals or not name:
            raise BadRequest(f"{setting[:80]!r} sets nothing.", "Write --set PARAMETER=VALUE, such as --set level=2.5.")
        if name in found:
            raise BadRequest(f"The parameter {name[:80]!r} is set twice.", "Keep one of them.")
        found[name] = value
    return found


def values(content: Content, given: Mapping[str, Any]) -> dict[str, Value]:
    """Give every parameter's value; raises ParameterRefused."""
    if not given and content["defaults"] is not None:
        defaults: dict[str, Value] = content["defaults"]
        return defaults
    from lifecycle.descriptor.parameters import Parameter, ParameterType, read_values  # noqa: PLC0415 - likewise

    parameters = {
        name: Parameter(**{**fields, "type": ParameterType(fields["type"]), "choices": tuple(fields["choices"])})
        for name, fields in content["parameters"].items()
    }
    return read_values(parameters, given)


def uses(content: Content, places: Places) -> tuple[Path, ...]:
    """Give the places of the assets that the twin uses, whether or not they are there."""
    candidates = [[places.workspace / spelling for spelling in spellings] for spellings in content["uses"]]
    return tuple(next((place for place in each if place.exists()), each[0]) for each in candidates)


def settings(content: Content, phase: Phase) -> Content:
    """Give a phase's arguments and limits."""
    found: Content = content["phases"].get(phase) or {"arguments": []}
    return found


def _content(descriptor: Any) -> Content:
    fields = ("name", "type", "unit", "default", "minimum", "maximum", "choices", "description")
    parameters = {
        name: {field: getattr(parameter, field) for field in fields}
        for name, parameter in descriptor.parameters.items()
    }
    complete = all(parameter.default is not None for parameter in descriptor.parameters.values())
    return {
        "parameters": parameters,
        "defaults": {name: each.default for name, each in descriptor.parameters.items()} if complete else None,
        "phases": {phase: each.as_json() for phase, each in descriptor.phases.items()},
        "uses": [use.spellings for use in descriptor.uses],
    }


def _key(file: Path) -> list[int] | None:
    """Identify a file's content, and the code that reads it."""
    try:
        status = file.stat()
        code = (Path(__file__).parent / "descriptor").stat()
    except OSError:
        return None
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, code.st_mtime_ns]


def _read(file: Path) -> Content | None:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _write(file: Path, content: Content) -> None:
    part = file.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(file)
