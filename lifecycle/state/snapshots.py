"""Snapshots: a twin's folder and its outputs, kept under a name and brought back exactly."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from lifecycle.errors import BadRequest, TwinNotFound
from lifecycle.places import SWAPPING, Places
from lifecycle.state.errors import CannotKeep, ContentMissing, SnapshotExists, SnapshotNotFound, TooLarge
from lifecycle.state.holding import hold_phases, hold_state
from lifecycle.state.keeping import keep
from lifecycle.state.layout import from_store, lay_out
from lifecycle.state.manifests import Manifest, read_manifest
from lifecycle.state.recovery import recover
from lifecycle.state.retention import REMOVED
from lifecycle.state.store import store_of
from lifecycle.state.swapping import Swap, aside_of, clear, plan_swap, swap
from lifecycle.state.trees import Kind, look, skip_rebuildable
from lifecycle.twins import find_twin

LONGEST_NAME_BYTES: Final = 150
BEFORE: Final = "before-restore-"


@dataclass(frozen=True)
class Snapshot:
    """A twin's state, kept."""

    name: str
    twin: str
    created: str
    size_bytes: int
    files: int
    skipped: dict[str, str]
    """Environments and caches, which are not part of it, and why."""
    notes: list[str]
    """What else was left out or changed meanwhile."""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return asdict(self)


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    snapshot: Snapshot
    before: str | None
    """The snapshot that holds what was there; None when there was nothing."""

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return {"snapshot": self.snapshot.as_json(), "before": self.before}


def save_snapshot(places: Places, twin: str, name: str | None = None) -> Snapshot:
    """Keep a twin's folder and outputs as they are; without a name, under the time.

    Raises TwinNotFound, BadRequest, SnapshotExists, TooLarge, CannotKeep, Busy.
    """
    recover(places)
    find_twin(places, twin)
    with hold_state(places, twin):
        return _save(places, twin, _check_name(name) if name is not None else _free_name(places, twin, ""))


def list_snapshots(places: Places, twin: str) -> list[Snapshot]:
    """Give a twin's snapshots, newest first, also of a twin whose folder is gone. Raises TwinNotFound."""
    recover(places)
    if not _folder(places, twin).is_dir():
        find_twin(places, twin)
    found = []
    for file in _folder(places, twin).glob("*.json"):
        try:
            found.append(_describe(file.stem, twin, read_manifest(file)))
        except (FileNotFoundError, ContentMissing):
            continue  # just removed, or damaged; restoring it by name says so
    return sorted(found, key=lambda snapshot: (snapshot.created, snapshot.name), reverse=True)


def restore_snapshot(places: Places, twin: str, name: str | None = None) -> Restored:
    """Bring a twin's folder and outputs back as they were, by default from the latest snapshot.

    What was there is kept as a snapshot first. Raises TwinNotFound,
    SnapshotNotFound, ContentMissing, Busy, TooLarge.
    """
    recover(places)
    name = _find(places, twin, name)
    with hold_state(places, twin), hold_phases(places, twin, "nothing was restored"):
        manifest = _read(places, twin, name)
        before = _keep_present(places, twin)
        _bring_back(places, twin, manifest)
    return Restored(_describe(name, twin, manifest), before)


def remove_snapshot(places: Places, twin: str, name: str) -> None:
    """Take a snapshot away; it can be brought back until its room is needed. Raises SnapshotNotFound."""
    file = _file(places, twin, _find(places, twin, name))
    removed = file.parent / REMOVED
    removed.mkdir(exist_ok=True, mode=0o700)
    file.rename(removed / file.name)


def bring_back_snapshot(places: Places, twin: str, name: str) -> Snapshot:
    """Undo a removal. Raises SnapshotNotFound, SnapshotExists, ContentMissing."""
    file = _file(places, twin, _check_name(name))
    removed = file.parent / REMOVED / file.name
    if file.exists():
        raise SnapshotExists(f"{twin!r} has a snapshot {name!r}, so none was brought back.", "Restore that one.")
    if not removed.is_file():
        raise SnapshotNotFound(
            f"No snapshot {name!r} of {twin!r} was removed.", f"Those there are: twin snapshots '{twin}'"
        )
    with store_of(places).batch():  # nothing is swept meanwhile
        _refuse_missing_contents(name, read_manifest(removed, store_of(places)))
        removed.rename(file)
    return _describe(name, twin, read_manifest(file))


# --- names --------------------------------------------------------------------------


def _folder(places: Places, twin: str) -> Path:
    if twin in ("", ".", "..") or "/" in twin or "\0" in twin or twin.startswith("."):
        raise TwinNotFound(f"There is no twin {twin[:80]!r}.", "'twin list' shows all.")
    return places.snapshots / twin


def _file(places: Places, twin: str, name: str) -> Path:
    return _folder(places, twin) / f"{name}.json"


def _check_name(name: str) -> str:
    usual = name.isprintable() and "/" not in name and not name.startswith((".", "-")) and name.strip() == name
    if not name or not usual or len(name.encode(errors="replace")) > LONGEST_NAME_BYTES:
        raise BadRequest(
            f"{name[:80]!r} cannot be a snapshot's name.",
            f"Use up to {LONGEST_NAME_BYTES} letters, digits, spaces, dots or dashes, beginning with a letter or digit.",
        )
    return name


def _free_name(places: Places, twin: str, prefix: str) -> str:
    now = f"{prefix}{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
    names = [now, *(f"{now}-{count}" for count in range(2, 1000))]
    return next(name for name in names if not _file(places, twin, name).exists())


def _find(places: Places, twin: str, name: str | None) -> str:
    if name is not None and _file(places, twin, _check_name(name)).is_file():
        return name
    there = [snapshot.name for snapshot in list_snapshots(places, twin)]
    if name is not None:
        known = ", ".join(there[:10]) or "none yet"
        raise SnapshotNotFound(f"{twin!r} has no snapshot {name!r}; there are: {known}.", f"twin snapshots '{twin}'")
    saved = [each for each in there if not each.startswith(BEFORE)]
    if not saved:
        kept = f" A restore kept: {', '.join(there[:10])}." if there else ""
        raise SnapshotNotFound(f"{twin!r} has no snapshot yet.{kept}", f"Make one: twin save '{twin}'")
    return saved[0]


# --- keeping --------------------------------------------------------------------------


def _roots(places: Places, twin: str) -> tuple[Path, Path]:
    return places.twins / twin, places.outputs(twin)


def _save(places: Places, twin: str, name: str) -> Snapshot:
    file = _file(places, twin, name)
    if file.exists():
        raise SnapshotExists(
            f"{twin!r} has a snapshot {name!r} already.",
            f"Use another name, or remove it: twin snapshots '{twin}' --remove '{name}'",
        )
    manifest = Manifest(facts={"twin": twin, "created": datetime.now(UTC).isoformat(timespec="milliseconds")})
    roots = [root for root in _roots(places, twin) if os.path.lexists(root)]
    for root in roots:
        if root.is_symlink() or root.is_mount() or not root.is_dir():
            raise CannotKeep(f"{root} is a link, a mount or a file; only folders are kept.", "Put a folder there.")
    manifest.facts["roots"] = {str(root.relative_to(places.workspace)): _mode(root) for root in roots}
    keep(places, [look(root, skip=skip_rebuildable) for root in roots], manifest, file)
    return _describe(name, twin, manifest)


def _keep_present(places: Places, twin: str) -> str | None:
    """Keep what is there, unless a snapshot holds just that; give the snapshot's name."""
    if not any(os.path.lexists(root) for root in _roots(places, twin)):
        return None
    made = _save(places, twin, _free_name(places, twin, BEFORE))
    present = read_manifest(_file(places, twin, made.name))
    for other in list_snapshots(places, twin):
        if other.name != made.name and _same(read_manifest(_file(places, twin, other.name)), present):
            _file(places, twin, made.name).unlink()
            return other.name
    return made.name


def _same(one: Manifest, other: Manifest) -> bool:
    """Tell whether two hold the same; the time of a folder changes with what comes and goes in it."""
    files, others = (
        {p: replace(e, mtime_ns=0) if e.kind is Kind.FOLDER else e for p, e in each.files.items()}
        for each in (one, other)
    )
    return files == others and one.facts["roots"] == other.facts["roots"]


def _mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def _describe(name: str, twin: str, manifest: Manifest) -> Snapshot:
    return Snapshot(
        name,
        twin,
        str(manifest.facts.get("created", "")),
        manifest.size_bytes,
        sum(entry.kind is not Kind.FOLDER for entry in manifest.files.values()),
        manifest.skipped,
        manifest.notes,
    )


# --- bringing back --------------------------------------------------------------------


def _read(places: Places, twin: str, name: str) -> Manifest:
    try:
        manifest = read_manifest(_file(places, twin, name), store_of(places))
    except FileNotFoundError as error:
        raise SnapshotNotFound(f"The snapshot {name!r} of {twin!r} is gone.", f"twin snapshots '{twin}'") from error
    _refuse_missing_contents(name, manifest)
    return manifest


def _refuse_missing_contents(name: str, manifest: Manifest) -> None:
    missing = [path for path, entry in manifest.files.items() if entry.sha256 and not entry.stored]
    if missing:
        raise ContentMissing(
            f"The snapshot {name!r} is not whole any more: {len(missing)} contents are gone, such as {missing[0]}.",
            "Use another snapshot.",
        )


def _bring_back(places: Places, twin: str, manifest: Manifest) -> None:
    journal = _folder(places, twin) / SWAPPING
    roots = _roots(places, twin)
    try:
        swaps = [_prepare(places, root, manifest) for root in roots]
        swap(journal, swaps)
    except OSError as error:
        if journal.exists():
            raise CannotKeep(
                f"The restore was interrupted: {error.strerror}: {error.filename}.",
                "Remove what is in the way; the next command finishes it.",
            ) from error
        raise TooLarge(f"Nothing was restored: {error.strerror}.", "Make room on the disk, and try again.") from error
    finally:
        if not journal.exists():
            for root in roots:
                clear(aside_of(root))


def _prepare(places: Places, root: Path, manifest: Manifest) -> Swap:
    """Lay the folder out beside its place; nothing where the snapshot has none."""
    aside, path = aside_of(root), str(root.relative_to(places.workspace))
    clear(aside)
    carried: Sequence[str] = ()
    mode = manifest.facts["roots"].get(path)
    if mode is not None:
        carried = list(look(root, skip=skip_rebuildable).skipped)
        root.parent.mkdir(parents=True, exist_ok=True)
        aside.mkdir()
        lay_out(manifest.below(path), aside, from_store(store_of(places)))
        aside.chmod(mode)
    return plan_swap(root, aside, carried)
