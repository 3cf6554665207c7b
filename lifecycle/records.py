"""The records of runs on disk: one folder each, whose run.json alone says how a run stands."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from lifecycle.errors import NoSpace, RunNotFound
from lifecycle.models import Phase, ProcessId, Run, RunState

RUN_ID: Final = re.compile(r"\d{8}T\d{9}-[0-9a-f]{6}")
"""UTC to the millisecond, so that ids sort as runs started, and some luck."""
LONGEST_ID_BYTES: Final = 25

RECORD: Final = "run.json"
LOG: Final = "log"
PROMISED: Final = ".run.json.next"
STOP: Final = "stop.json"
RUNNING: Final = ".running"
"""A folder with one empty file for each run under way, so that nobody looks through all that ended."""

RESERVE: Final = ".reserve"
RESERVE_BYTES: Final = 32 * 1024
"""Given up when the disk is full, so that even then a run's end is recorded."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

_NAMES: Final = frozenset(field.name for field in fields(Run))


def new_id(now: datetime) -> str:
    """Make an id for a run that starts now."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}-{os.urandom(3).hex()}"


def file_name(twin: str) -> str:
    """Give a name for files that no other twin shares, whatever signs the twin's own name holds."""
    name = twin.encode().hex()
    if len(name) <= 200:
        return name
    import hashlib  # noqa: PLC0415 - loads a large library, for names that nobody gives

    return hashlib.sha256(twin.encode()).hexdigest()


def now_text() -> str:
    """Give the present as records hold it."""
    return _as_text(datetime.now(UTC))


def _as_text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


@contextmanager
def _refuse_when_full(runs: Path) -> Iterator[None]:
    """Put a full disk into words; raises NoSpace."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace(
                f"The disk with {runs} is full, so no run can be recorded.", "Remove what you can spare."
            ) from error
        raise


def note_holder(runs: Path, lock: int, run_id: str) -> None:
    """Write into a phase's lock which run has it now; raises NoSpace."""
    with _refuse_when_full(runs):
        os.pwrite(lock, run_id.encode(), 0)


def last_holder(lock: int) -> str:
    """Give the run that had a phase's lock last, or ''."""
    return os.pread(lock, LONGEST_ID_BYTES, 0).decode(errors="replace")


def make_folder(runs: Path, run_id: str) -> Path:
    """Make the folder of a new run, with an empty log and what a full disk will need; raises NoSpace."""
    folder = runs / run_id
    made = False
    try:
        with _refuse_when_full(runs):
            (runs / RUNNING).mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(mode=0o700)
            made = True
            (folder / LOG).touch(mode=0o600)
            (folder / RESERVE).write_bytes(os.urandom(RESERVE_BYTES))
            (runs / RUNNING / run_id).touch(mode=0o600)
    except BaseException:
        if made:  # another run of this id, however unlikely, keeps its folder
            discard_folder(runs, run_id)
        raise
    return folder


def discard_folder(runs: Path, run_id: str) -> None:
    """Remove a run that never began."""
    with suppress(OSError):
        for file in (runs / run_id).iterdir():
            file.unlink()
        (runs / run_id).rmdir()
    forget_running(runs, run_id)


def forget_running(runs: Path, run_id: str) -> None:
    """Take a run off the list of those under way."""
    with suppress(OSError):
        (runs / RUNNING / run_id).unlink()


def run_from(content: Any) -> Run:
    """Read a record's content, of any version; raises TypeError, KeyError, ValueError, AttributeError."""
    known = {key: value for key, value in content.items() if key in _NAMES}
    known["phase"], known["state"] = Phase(content["phase"]), RunState(content["state"])
    known["arguments"] = tuple(content.get("arguments") or ())
    runner = content.get("runner")
    known["runner"] = ProcessId(**runner) if runner else None
    return Run(**known)


def as_content(run: Run) -> dict[str, Any]:
    """Give what a record holds."""
    content = dict(vars(run))
    if run.runner is not None:
        content["runner"] = vars(run.runner)
    return content


def read_record(folder: Path) -> Run:
    """Read run.json as it stands; raises RunNotFound when it is damaged."""
    try:
        with (folder / RECORD).open("rb") as stream:
            return run_from(json.loads(stream.read()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RunNotFound(f"The record of the run {folder.name} is damaged.", f"Remove {folder}.") from error


def write_record(folder: Path, run: Run) -> None:
    """Replace run.json whole, on a full disk too."""
    _write(folder, run, RECORD)
    (folder / PROMISED).unlink(missing_ok=True)


def promise_record(folder: Path, run: Run) -> None:
    """Say what run.json is to be should its runner be killed before it writes that itself."""
    _write(folder, run, PROMISED)


def settle(folder: Path) -> Run:
    """Read how a run stands whose runner is gone: as it promised, else interrupted, as nobody knows how it ended."""
    run = read_record(folder)  # anew: it may have been written just before the runner went
    if run.state is not RunState.RUNNING:
        return run
    with suppress(OSError):
        (folder / PROMISED).rename(folder / RECORD)
        return read_record(folder)
    return replace(run, state=RunState.INTERRUPTED, ended=max(_last_sign(folder) or "", run.started))


def _last_sign(folder: Path) -> str | None:
    """Tell when a run printed last."""
    try:
        return _as_text(datetime.fromtimestamp((folder / LOG).stat().st_mtime, UTC))
    except OSError:
        return None


def _write(folder: Path, run: Run, name: str) -> None:
    content = json.dumps(as_content(run), indent=1).encode()
    try:
        _replace(folder, name, content)
    except OSError as error:
        if error.errno not in FULL:
            raise
        (folder / RESERVE).unlink(missing_ok=True)
        _replace(folder, name, content)


def _replace(folder: Path, name: str, content: bytes) -> None:
    part = folder / f".{name}.part"
    try:
        with part.open("wb") as stream:
            stream.write(content)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.rename(folder / name)


class Stop(NamedTuple):
    """What a runner is told about its stop, beside the signal."""

    reason: str | None
    grace_s: float


def write_stop(folder: Path, stop: Stop) -> None:
    """Leave word for the runner; without room for it, the signal alone has to do."""
    with suppress(OSError):
        _replace(folder, STOP, json.dumps(stop._asdict()).encode())


def read_stop(folder: Path) -> Stop | None:
    """Read what a stop is about."""
    try:
        content = json.loads((folder / STOP).read_bytes())
        return Stop(content["reason"], float(content["grace_s"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
