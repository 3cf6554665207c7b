"""Versions of a twin's configuration: kept before each change, compared, and taken back."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lifecycle.errors import BadRequest
from lifecycle.models import Phase, Run
from lifecycle.places import GOING_BACK, Places
from lifecycle.runs import Runs
from lifecycle.state.configurations import look_at_configuration, read_configuration
from lifecycle.state.errors import CannotKeep, ContentMissing
from lifecycle.state.going_back import bring_about, configuration_prefix, read_version, version_numbers
from lifecycle.state.holding import hold_phases, hold_state
from lifecycle.state.inputs import is_inside
from lifecycle.state.keeping import keep
from lifecycle.state.layout import write_file
from lifecycle.state.manifests import Entry, Manifest, write_json
from lifecycle.state.recovery import recover
from lifecycle.state.store import store_of
from lifecycle.state.trees import Kind
from lifecycle.twins import DESCRIPTOR, find_twin


@dataclass(frozen=True)
class Version:
    """A configuration of a twin as it was."""

    number: int
    twin: str
    created: str
    reason: str
    files: int

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return asdict(self)


@dataclass(frozen=True)
class Evolved:
    """What an evolution did."""

    version: Version
    """The configuration before it."""
    run: Run | None
    """The run of the twin's own lifecycle/evolve, just started; None without one."""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {"version": self.version.as_json(), "run": self.run.as_json() if self.run else None}


def evolve(
    places: Places, runs: Runs, twin: str, *, values: Mapping[str, Any] | None = None, reason: str = ""
) -> Evolved:
    """Keep the configuration as a version, change defaults, start the twin's own lifecycle/evolve.

    Does not wait for that program; it finds the new defaults. Raises TwinNotFound,
    ParameterRefused and DescriptorInvalid before anything is changed, Busy, TooLarge.
    """
    recover(places)
    found = find_twin(places, twin)
    changed = _with_defaults(found.path, values or {})
    with hold_state(places, twin):
        version = _keep(places, twin, reason or _words(values or {}))
        if changed is not None:
            _replace_text(found.path / DESCRIPTOR, changed)
    own = runs.start(twin, Phase.EVOLVE) if Phase.EVOLVE in found.programs else None
    return Evolved(version, own)


def list_versions(places: Places, twin: str) -> list[Version]:
    """Give the kept configurations, newest first. Raises TwinNotFound."""
    recover(places)
    find_twin(places, twin)
    numbers = sorted(version_numbers(places, twin), reverse=True)
    return [_describe(number, twin, read_version(places, twin, number)) for number in numbers]


def go_back(places: Places, twin: str, number: int) -> Version:
    """Make a kept configuration the present one; give the version that holds what was there.

    Only files of the configuration change: data, environments and outputs stay.
    Raises TwinNotFound, VersionNotFound, ContentMissing, Busy, TooLarge.
    """
    recover(places)
    find_twin(places, twin)
    with hold_state(places, twin), hold_phases(places, twin, "its configuration stays"):
        wanted = read_version(places, twin, number)
        missing = [path for path, entry in wanted.files.items() if entry.sha256 and not entry.stored]
        if missing:
            raise ContentMissing(f"Version {number} of {twin!r} is not whole: {missing[0]} is gone.", "Use another.")
        before = _keep(places, twin, f"before going back to version {number}")
        write_json(places.versions / twin / GOING_BACK, {"back_to": number, "from": before.number})
        bring_about(places, twin)
    return before


def configuration(places: Places, twin: str, number: int | None) -> dict[str, tuple[Entry, bytes]]:
    """Give the files of a version, or of the present when there is no number, with their contents."""
    if number is None:
        return read_configuration(find_twin(places, twin).path)
    manifest = read_version(places, twin, number)
    store = store_of(places)
    return {
        path: (entry, b"".join(store.read(entry.sha256)) if entry.sha256 else os.fsencode(entry.link or ""))
        for path, entry in manifest.below(configuration_prefix(places, twin)).items()
    }


# --- keeping ----------------------------------------------------------------------


def _keep(places: Places, twin: str, reason: str) -> Version:
    """Keep the present configuration, unless the latest version is just that."""
    numbers = version_numbers(places, twin)
    latest = max(numbers, default=0)
    picture = look_at_configuration(places.twins / twin)
    if not is_inside(places, picture.folder):
        raise CannotKeep(f"{places.twins / twin} leads out of the workspace.", "Put the folder itself there.")
    manifest = Manifest(facts={"created": datetime.now(UTC).isoformat(timespec="milliseconds"), "reason": reason})
    file = places.versions / twin / f"{latest + 1}.json"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    keep(places, [picture], manifest, file)
    if latest and _essence(read_version(places, twin, latest)) == _essence(manifest):
        file.unlink()
        return _describe(latest, twin, read_version(places, twin, latest))
    return _describe(latest + 1, twin, manifest)


def _essence(manifest: Manifest) -> dict[str, tuple[object, ...]]:
    return {path: (entry.kind, entry.mode, entry.sha256, entry.link) for path, entry in manifest.files.items()}


# --- names and records --------------------------------------------------------------


def _describe(number: int, twin: str, manifest: Manifest) -> Version:
    facts = manifest.facts
    return Version(number, twin, str(facts.get("created", "")), str(facts.get("reason", "")), len(manifest.files))


def _words(values: Mapping[str, Any]) -> str:
    return "before " + ", ".join(f"{name}={value}" for name, value in values.items()) if values else ""


# --- changing -------------------------------------------------------------------------


def _with_defaults(folder: Path, values: Mapping[str, Any]) -> str | None:
    if not values:
        return None
    from lifecycle.descriptor.editing import set_defaults  # noqa: PLC0415 - only where defaults are set

    file = folder / DESCRIPTOR
    if not file.is_file():
        raise BadRequest(f"{folder.name!r} has no {DESCRIPTOR}, so it has no parameters.", f"Describe them in {file}.")
    from lifecycle.descriptor import load_text  # noqa: PLC0415

    return set_defaults(load_text(file), values)


def _replace_text(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.{os.urandom(4).hex()}.part")
    mode = stat.S_IMODE(file.stat().st_mode)
    entry = Entry(Kind.FILE, mode=mode, mtime_ns=int(datetime.now(UTC).timestamp() * 1e9))
    try:
        write_file(part, entry, [text.encode()])
        part.rename(file.resolve())
    finally:
        part.unlink(missing_ok=True)
