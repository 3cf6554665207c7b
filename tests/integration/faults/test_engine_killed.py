"""The container engine is killed, or restarted for an update: containers go on, and nobody is forgotten."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.kernel import Kernel
from tests.support.logs import LogWatch
from tests.support.outage import life_of
from tests.support.people import Person
from twinhub.workspace_state import read_state

ENGINE = os.environ.get("TWINHUB_TEST_ENGINE_PID_FILE")
pytestmark = pytest.mark.skipif(
    ENGINE is None,
    reason="this machine's engine is not the tests' to kill; tests/run names its own in TWINHUB_TEST_ENGINE_PID_FILE",
)


@pytest.fixture
def kernel(marie: Person) -> Iterator[Kernel]:
    opened = Kernel(marie)
    yield opened
    opened.close()


def engine_pid() -> int:
    try:
        return int(Path(str(ENGINE)).read_text())
    except (OSError, ValueError):
        return 0


def end_engine(sign: signal.Signals) -> float:
    """End the engine, and give the seconds until another one answers."""
    before = engine_pid()
    os.kill(before, sign)
    started = time.monotonic()
    wait_until(lambda: engine_pid() not in (0, before), 60, "another engine")
    wait_until(answers, 60, "its answer")
    return time.monotonic() - started


def answers() -> bool:
    # Not by the SDK, whose client leaves a socket open for each attempt that failed.
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "restarted"])
def test_workspaces_go_on_without_the_engine_and_new_ones_start_afterwards(
    sign: signal.Signals, kernel: Kernel, marie: Person, pierre: Person, installation: Installation
) -> None:
    """An engine's update at noon must not end what a hundred people have open."""
    log = LogWatch(installation.places)
    kernel.run("mine = 42")
    life, told = life_of(marie), read_state(installation.places, "marie", "")
    away_s = end_engine(sign)
    print(f"\nengine ended with {sign.name}, back after {away_s:.1f} s")
    assert kernel.run("print(mine)").strip() == "42", "the open connection goes on"
    assert life_of(marie) == life
    asked = marie.ask("POST", "/hub/api/users/marie/server", json={})
    assert (asked.status_code, "already running" in asked.text) == (400, True), asked.text
    wait_until(lambda: read_state(installation.places, "marie", "") not in (told, None), 20, "the watch's next look")
    pierre.start_workspace()
    assert pierre.ask("GET", "/user/pierre/api/status").status_code == 200
    pierre.stop_workspace()
    assert log.tracebacks() == {}
