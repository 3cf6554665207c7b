"""Processes as /proc shows them: who is alive, who descends from whom, which twins run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from lifecycle.models import Phase, ProcessId

PROC = Path("/proc")


def identify(pid: int) -> ProcessId | None:
    """Give a living process's identity; None when it is gone or a zombie."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything; fields are counted after its last one.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else ProcessId(pid, int(fields[19]))


def alive(process: ProcessId | None) -> bool:
    """Tell whether just this process still lives."""
    return process is not None and identify(process.pid) == process


def descendants(root: int) -> list[ProcessId]:
    """Give every living process below one, however deep."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found: list[ProcessId] = []
    waiting = children.get(root, [])
    while waiting:
        pid = waiting.pop()
        process = identify(pid)
        if process is not None:
            found.append(process)
        waiting.extend(children.get(pid, []))
    return found


def end(processes: Iterable[ProcessId], sign: signal.Signals) -> None:
    """Send a signal to those that still live."""
    for process in processes:
        if alive(process):
            try:
                os.kill(process.pid, sign)
            except (ProcessLookupError, PermissionError):
                continue


def wait_until_gone(processes: Iterable[ProcessId], timeout_s: float) -> list[ProcessId]:
    """Wait for processes to end; give those that did not."""
    left = list(processes)
    deadline = time.monotonic() + timeout_s
    while (left := [process for process in left if alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def phase_runs_somewhere(twins: Path) -> bool:
    """Tell whether any process runs a phase's program, also one typed by hand in a terminal."""
    names = {f"lifecycle/{name}".encode() for name in (*Phase, "analyse")}
    inside = f"{twins}/"
    for entry in PROC.glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if any(
                word.removeprefix(b"./") in names or word.endswith(tuple(b"/" + name for name in names))
                for word in words
            ) and str((entry / "cwd").readlink()).startswith(inside):
                return True
        except OSError:
            continue
    return False
