"""What the phases of this twin share: where things are, its broker, its programs."""

import contextlib
import fcntl
import json
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
BROKER = OUTPUTS / ".broker"
RUNNING = OUTPUTS / ".running"  # locked while execute runs
PARAMETERS = this_twin.parameters()

sys.path.extend(
    str(this_twin.asset(path)) for path in ("models/incubator", "functions/incubator", "tools/local-broker")
)
import local_broker


def find_or_start_broker():
    """Give a broker's address and whether it was started just now."""
    return local_broker.find_or_start("amqp", BROKER, PARAMETERS["broker"])


def controller_settings():
    return {name: PARAMETERS[name] for name in ("desired", "lower_bound", "heating_time", "heating_gap")}


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
def program(name, environment):
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
