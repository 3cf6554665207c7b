"""Processes as /proc shows them: who is alive, who descends from whom, which belong to a twin."""

from __future__ import annotations

import functools
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lifecycle.models import Phase, ProcessId

PROC = "/proc"
SUDO = "/usr/bin/sudo"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROGRAMS = tuple(f"lifecycle/{name}" for name in (*Phase, "analyse"))


@functools.cache
def _boot() -> str:
    """Name this boot of this machine: a workspace's home outlives both."""
    with suppress(OSError):
        return Path(f"{PROC}/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _read(pid: int | str, name: str) -> bytes:
    descriptor = os.open(f"{PROC}/{pid}/{name}", os.O_RDONLY)
    try:
        content = b""
        while part := os.read(descriptor, 1 << 17):
            content += part
        return content
    finally:
        os.close(descriptor)


def _fields(pid: int | str) -> list[bytes]:
    """Give /proc/PID/stat from the state on: the name before it may hold anything, so it is skipped from the right."""
    return _read(pid, "stat").rpartition(b")")[2].split()


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir(PROC) if name.isdecimal())  # noqa: PTH208 - a hundred Paths cost more


def identify(pid: int) -> ProcessId | None:
    """Give a living process's identity; None when it is gone or a zombie."""
    try:
        fields = _fields(pid)
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else ProcessId(pid, int(fields[19]), _boot())


def alive(process: ProcessId | None) -> bool:
    """Tell whether just this process still lives."""
    if process is None:
        return False
    found = identify(process.pid)
    # Records of older versions name no boot; their ticks alone have to do.
    return found is not None and found.started_ticks == process.started_ticks and process.boot in ("", found.boot)


class Seen(NamedTuple):
    """A living process and what of it is in memory, shared parts included."""

    process: ProcessId
    resident_bytes: int


def tree(root: int) -> list[Seen]:
    """Give every living process below one, however deep."""
    children: dict[int, list[tuple[int, list[bytes]]]] = {}
    for pid in _pids():
        with suppress(OSError, ValueError, IndexError):
            fields = _fields(pid)
            children.setdefault(int(fields[1]), []).append((pid, fields))
    found: list[Seen] = []
    waiting = children.get(root, [])
    while waiting:
        pid, fields = waiting.pop()
        if fields[0] not in (b"Z", b"X"):
            found.append(Seen(ProcessId(pid, int(fields[19]), _boot()), int(fields[21]) * PAGE_BYTES))
        waiting.extend(children.get(pid, []))
    return found


def descendants(root: int) -> list[ProcessId]:
    """Give every living process below one, however deep."""
    return [seen.process for seen in tree(root)]


def proportional_bytes(pid: int) -> int | None:
    """Give a process's share of memory, where what it shares with others counts in parts; None when nobody tells."""
    try:
        for line in _read(pid, "smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def ancestors(pid: int) -> set[int]:
    """Give a process and those it descends from."""
    found: set[int] = set()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            pid = int(_fields(pid)[1])
        except OSError:
            break
    return found


def end(processes: Iterable[ProcessId], sign: signal.Signals) -> None:
    """Send a signal to those that still live."""
    for process in processes:
        if alive(process):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, sign)


def end_as_root(processes: Iterable[ProcessId]) -> None:
    """Kill what its owner may end only through sudo; without it, or where it asks for a password, nothing happens."""
    numbers = [str(process.pid) for process in processes if alive(process)]
    if numbers and os.access(SUDO, os.X_OK):
        # Nobody waits for the end by this number: the runner collects every child by itself.
        os.posix_spawn(SUDO, [SUDO, "-n", "kill", "-KILL", *numbers], os.environ)


def words(process: ProcessId) -> str:
    """Name a process for people."""
    try:
        return f"{process.pid} ({os.fsdecode(_read(process.pid, 'comm')).strip()})"
    except OSError:
        return str(process.pid)


def wait_until_gone(processes: Iterable[ProcessId], timeout_s: float) -> list[ProcessId]:
    """Wait for processes to end; give those that did not."""
    deadline = time.monotonic() + timeout_s
    left = [process for process in processes if alive(process)]
    while left and (remaining_s := deadline - time.monotonic()) > 0:
        wait_for_end(left[0], min(remaining_s, 1.0))
        left = [process for process in left if alive(process)]
    return left


def wait_for_end(process: ProcessId, timeout_s: float) -> None:
    """Return when a process has ended or time is up, whichever is first."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        # Gone already, or an engine whose filter does not know this call: look often instead.
        if alive(process):
            time.sleep(min(timeout_s, 0.01))
        return
    try:
        if alive(process):  # the handle may be that of a later process with the number
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll(max(0, int(timeout_s * 1000)))
    finally:
        os.close(handle)


def marked(*marks: str) -> list[ProcessId]:
    """Give the processes in whose environment each of some `NAME=beginning` stands: what a run started carries its name on."""
    wanted = [b"\0" + os.fsencode(mark) for mark in marks]
    found = []
    for pid in _pids():
        with suppress(OSError):  # those of others
            given = b"\0" + _read(pid, "environ")
            if all(mark in given for mark in wanted) and (process := identify(pid)):
                found.append(process)
    return found


def groups(leaders: Iterable[ProcessId]) -> list[ProcessId]:
    """Give processes, all that descends from them, and all of the process groups that they lead."""
    found = {process for leader in leaders for process in (leader, *descendants(leader.pid))}
    numbers = {process.pid for process in found}
    for pid in _pids():
        with suppress(OSError):
            if int(_fields(pid)[2]) in numbers and (process := identify(pid)):
                found.add(process)
    return [*found]


def typed_programs(twin: Path, phase: Phase) -> list[ProcessId]:
    """Give what was started by typing a phase's program in a terminal, such as `lifecycle/execute`.

    Only the kernel's own ways of starting the file count: as itself, or by the
    interpreter that its first line names. An editor that shows it is left out.
    """
    inside = twin.resolve()
    found = []
    for pid in _pids():
        with suppress(OSError):
            words = [os.fsdecode(word) for word in _read(pid, "cmdline").split(b"\0")[:4]]
            if _started_as(words, Path(f"{PROC}/{pid}/cwd").readlink(), inside / "lifecycle" / phase) and (
                process := identify(pid)
            ):
                found.append(process)
    return found


def _started_as(words: list[str], folder: Path, program: Path) -> bool:
    for position, word in enumerate(words):
        if not word.endswith(f"lifecycle/{program.name}") or (folder / word).resolve() != program.resolve():
            continue
        if position == 0:
            return True
        with program.open("rb") as stream:
            first_line = os.fsdecode(stream.readline(300)).removeprefix("#!").split()
        return Path(words[0]).name in {Path(part).name for part in first_line}
    return False


def phase_runs_somewhere(twins: Path) -> bool:
    """Tell whether any process runs a phase's program, also one typed by hand in a terminal."""
    inside = f"{twins}/"
    names = {name.encode() for name in PROGRAMS}
    ends = tuple(b"/" + name for name in names)
    for pid in _pids():
        with suppress(OSError):
            words = _read(pid, "cmdline").split(b"\0")
            shown = any(word in names or word.endswith(ends) for word in words)
            if shown and str(Path(f"{PROC}/{pid}/cwd").readlink()).startswith(inside):
                return True
    return False
