"""Record what a run reads and what it writes.

The runner process calls this. It takes the picture of the outputs with `look`,
starts `record_inputs` in a thread and gives it some milliseconds, starts the
program, and calls `record_outputs` when both have ended. Whatever happens to the
files meanwhile, recording neither raises nor hangs: what could not be known is
said in the manifest.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lifecycle.errors import TwinError
from lifecycle.places import Places
from lifecycle.state.capture import Capture, Limits
from lifecycle.state.checksums import Checksums
from lifecycle.state.environments import describe_environment
from lifecycle.state.errors import ContentMissing
from lifecycle.state.inputs import is_inside, look_at, look_at_inputs, name_in_workspace
from lifecycle.state.manifests import Entry, Manifest, read_manifest, write_manifest
from lifecycle.state.store import Store, store_of
from lifecycle.state.trees import Kind, Picture, Seen, look

__all__ = ["INPUTS", "OUTPUTS", "look", "read_inputs", "read_outputs", "record_inputs", "record_outputs"]

INPUTS: Final = "inputs.json"
OUTPUTS: Final = "outputs.json"
EARLIER_OUTPUTS: Final = Limits(stored_total_bytes=128 << 20)
FULL_SHARE: Final = 0.9
"""From this share of the store's limit on, room is made while the program runs, before its outputs come."""


def record_inputs(
    places: Places, twin_folder: Path, uses: Sequence[Path], run_folder: Path, *, stop: threading.Event | None = None
) -> None:
    """Write inputs.json: the twin's folder, the assets that it uses, and its outputs as they were.

    Everything is looked at before any file is read, so that what the program
    changes at once is known to have changed. `stop` ends the reading of files.
    """
    with _failing_into(run_folder / INPUTS, places):
        outputs = _outputs_of(run_folder) or places.outputs(twin_folder.name)
        pictures, manifest = look_at_inputs(places, twin_folder, uses, outputs)
        manifest.facts = _facts(places) | manifest.facts
        store = store_of(places)
        with store.batch() as batch:
            # The outputs, which stand last, are what the program changes first.
            captures = [Capture(batch, EARLIER_OUTPUTS, stop=stop), Capture(batch, Limits(), stop=stop)]
            for picture in (*pictures[-1:], *pictures[:-1]):
                _add(manifest, places, picture, _capture(captures[picture is not pictures[-1]], store, picture))
            manifest.facts["environment"] = describe_environment(batch, pictures)
            _note_problem(manifest, batch.problem)
            write_manifest(run_folder / INPUTS, manifest, durable=False)
    with contextlib.suppress(OSError):
        if store_of(places).size_bytes() > FULL_SHARE * store_of(places).limit_bytes:
            from lifecycle.state.retention import make_room  # noqa: PLC0415 - hardly ever needed

            make_room(places)


def record_outputs(places: Places, outputs: Path, run_folder: Path, before: Picture) -> int:
    """Write outputs.json: what is new, changed or gone since `before`; give how many files that is.

    `inputs_changed` names files of the twin's folder and its assets that are not
    what inputs.json says: the run, or somebody else, changed them meanwhile.
    """
    written = 0
    with _failing_into(run_folder / OUTPUTS, places):
        after = look(outputs)
        changed = Picture(after.folder, _changes(before, after), after.skipped)
        gone = sorted(path for path, seen in before.seen.items() if path not in after.seen and _counts(seen))
        written = sum(_counts(seen) for seen in changed.seen.values()) + len(gone)
        folder = name_in_workspace(places, after.folder)
        facts = {"outputs": folder, "removed": gone, "inputs_changed": _changed_inputs(places, run_folder, folder)}
        manifest = Manifest(facts=_facts(places) | facts)
        store = store_of(places)
        with store.batch() as batch:
            if is_inside(places, after.folder):
                entries = _capture(Capture(batch, Limits()), store, changed)
                words = {path: "changed" if path in before.seen else "new" for path in entries}
                _add(manifest, places, changed, {p: replace(e, change=words[p]) for p, e in entries.items()})
            elif changed.seen:
                manifest.notes.append(f"{after.folder} lies outside the workspace and was not recorded")
            _note_problem(manifest, batch.problem)
            write_manifest(run_folder / OUTPUTS, manifest, durable=False)
    return written


def read_inputs(places: Places, run_id: str) -> Manifest:
    """Read what a run read; `stored` says what is kept now. Raises ContentMissing where nothing was recorded."""
    return _read(places, run_id, INPUTS)


def read_outputs(places: Places, run_id: str) -> Manifest:
    """Read what a run wrote; `stored` says what is kept now. Raises ContentMissing where nothing was recorded."""
    return _read(places, run_id, OUTPUTS)


def _read(places: Places, run_id: str, name: str) -> Manifest:
    try:
        return read_manifest(places.runs / run_id / name, store_of(places))
    except FileNotFoundError as error:
        raise ContentMissing(
            f"The run {run_id} has no record of its {name.removesuffix('.json')}.",
            "It is an older one, or it was ended before the record could be written.",
        ) from error


def _capture(capture: Capture, store: Store, picture: Picture) -> dict[str, Entry]:
    checksums = Checksums(store, picture.folder)
    entries = capture.entries(picture, checksums)
    checksums.write()
    return entries


def _add(manifest: Manifest, places: Places, picture: Picture, entries: dict[str, Entry]) -> None:
    prefix = name_in_workspace(places, picture.folder)
    manifest.files |= {f"{prefix}/{path}": entry for path, entry in entries.items()}
    manifest.skipped |= {f"{prefix}/{path}": why for path, why in picture.skipped.items()}


def _facts(places: Places) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"workspace": str(places.workspace), "recorded": now}


def _counts(seen: Seen) -> bool:
    return seen.kind is not Kind.FOLDER


def _changes(before: Picture, after: Picture) -> dict[str, Seen]:
    """Give what is not as it was; folders only where they are new, as their time changes with what is in them."""
    changed: dict[str, Seen] = {}
    for path, seen in after.seen.items():
        was = before.seen.get(path)
        if was is None or (_counts(seen) and (was.unchanged_key, was.link) != (seen.unchanged_key, seen.link)):
            changed[path] = seen
    return changed


def _changed_inputs(places: Places, run_folder: Path, outputs: str) -> dict[str, str]:
    """Tell which inputs are new, changed or gone since they were recorded, apart from the outputs."""
    try:
        recorded = read_manifest(run_folder / INPUTS)
    except (OSError, ContentMissing):
        return {}
    changed: dict[str, str] = {}
    for root in recorded.facts.get("roots", []):
        if root == outputs:
            continue
        now = look_at(places.workspace / root)
        folder = name_in_workspace(places, now.folder)
        was = {path: entry for path, entry in recorded.below(folder).items() if not now.alone or path in now.seen}
        for path in now.seen.keys() | was.keys():
            word = _compare(was.get(path), now.seen.get(path))
            if word is not None:
                changed[f"{folder}/{path}"] = word
    return changed


def _compare(was: Entry | None, now: Seen | None) -> str | None:
    if was is None or now is None:
        return "new" if now is not None else "removed"
    same = (was.kind, was.link, was.mode) == (now.kind, now.link, now.mode)
    if was.kind is Kind.FILE:
        same = same and (was.size, was.mtime_ns) == (now.size, now.mtime_ns)
    return None if same else "changed"


def _outputs_of(run_folder: Path) -> Path | None:
    try:
        outputs = json.loads((run_folder / "run.json").read_bytes())["outputs"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(outputs) if isinstance(outputs, str) and outputs else None


def _note_problem(manifest: Manifest, problem: str | None) -> None:
    if problem is not None:
        manifest.notes.append(f"some contents are known by their checksum only: {problem}")


@contextlib.contextmanager
def _failing_into(file: Path, places: Places) -> Iterator[None]:
    """Let a full disk, a missing permission or a name that is none cost the record, not the run."""
    try:
        yield
    except (OSError, ValueError, TwinError) as error:
        note = f"could not be recorded: {error}"
        with contextlib.suppress(OSError):
            write_manifest(file, Manifest(notes=[note], facts=_facts(places)), durable=False)
