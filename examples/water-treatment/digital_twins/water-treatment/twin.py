"""What the phases of this twin share: where things are, how they start and stop its programs."""

import contextlib
import fcntl
import signal
import subprocess
import sys
import time

import this_twin

OUTPUTS = this_twin.outputs()
RESULTS = OUTPUTS / "outputs.csv"  # what the twin saw and thought
PLANT = OUTPUTS / "plant.csv"  # what was really so, which only a stand-in can tell
EVENTS = OUTPUTS / "events.csv"
PLOT = OUTPUTS / "plot.png"
CERTIFICATES = OUTPUTS / ".opcua"  # keys and certificates of plant and twin
ENDPOINT = CERTIFICATES / "endpoint"  # where the plant listens, while it does
RUNNING = OUTPUTS / ".running"  # locked while execute runs
PARAMETERS = this_twin.parameters()

sys.path.extend(str(this_twin.asset(path)) for path in ("models/water-treatment", "functions/water-treatment"))


def stop_on_sigterm():
    """Let SIGTERM end this program as Ctrl-C would: `finally` and `with` do their work."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@contextlib.contextmanager
def only_one_run():
    """Hold the lock of a running execute."""
    with RUNNING.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("This twin runs already. Stop it first: lifecycle/terminate")
        yield


def runs():
    """Tell whether execute runs."""
    try:
        with RUNNING.open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def wait_for_the_end(timeout_s=8):
    """Wait until execute has ended, and tell whether it has."""
    deadline = time.monotonic() + timeout_s
    while runs() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not runs()


@contextlib.contextmanager
def program(name):
    """Run one of the twin's other programs as long as the block lasts."""
    child = subprocess.Popen([sys.executable, this_twin.folder() / "processes" / name])
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
