"""The processes of a twin that is more than one program: one execute at a time, helpers that end with it, an orderly stop."""

import contextlib
import fcntl
import json
import signal
import subprocess
import sys
import time

import this_twin

RUNNING = this_twin.outputs() / ".running"
"""Locked while execute runs; holds what other phases have to know of it."""


def stop_on_sigterm():
    """Let SIGTERM end this program as Ctrl-C would: `finally` and `with` do their work."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@contextlib.contextmanager
def only_one_run(**facts):
    """Hold the lock of a running execute, and leave what terminate has to know."""
    with RUNNING.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("This twin runs already. Stop it first: lifecycle/terminate")
        lock.truncate(0)
        lock.write(json.dumps(facts))
        lock.flush()
        yield
        lock.truncate(0)


def facts_of_the_run():
    """Give what a running execute left for others; None when none runs."""
    try:
        with RUNNING.open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return json.loads(RUNNING.read_text(encoding="utf-8") or "{}")
    return None


def wait_for_the_end(timeout_s=8):
    """Wait until execute has ended, and tell whether it has."""
    deadline = time.monotonic() + timeout_s
    while facts_of_the_run() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return facts_of_the_run() is None


@contextlib.contextmanager
def program(name, environment=None):
    """Run one of the twin's other programs as long as the block lasts."""
    child = subprocess.Popen([sys.executable, this_twin.folder() / "processes" / name], env=environment)
    try:
        yield child
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=0 if sys.exc_info()[0] else 5)  # after the last sample it ends by itself
        child.terminate()
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
