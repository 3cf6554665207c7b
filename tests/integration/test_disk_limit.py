"""A workspace that outgrows its room on disk is stopped within seconds, and says why; attacked from inside."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.support.installation import Installation, wait_until
from tests.support.people import Person
from tests.support.settings import configured

Shell = Callable[..., subprocess.CompletedProcess[str]]
ROOM_GB = 0.3


@pytest.fixture(scope="module")
def small_room(installation: Installation) -> Iterator[None]:
    """Little room for everybody; a limit that only the watch holds makes no container anew."""
    with configured(installation, {"workspaces.disk_gb": ROOM_GB}):
        yield


def own(person: Person) -> dict[str, object]:
    found: dict[str, object] = person.ask("GET", "/app/api/workspaces").json()["workspaces"][0]
    return found


def measured_mb(person: Person) -> float:
    usage = own(person)["usage"]
    known = usage["disk_bytes"] if isinstance(usage, dict) else None
    return (known or 0) / 1e6


@pytest.fixture
def fresh(installation: Installation, pierre: Person, small_room: None) -> Person:
    """Somebody whose workspace runs and has been measured."""
    pierre.start_workspace()
    wait_until(lambda: measured_mb(pierre) > 0, 60, "the first measurement")
    return pierre


def test_sparse_files_and_second_names_count_once_and_what_they_take(fresh: Person, inside: Shell) -> None:
    """Nobody is stopped for room that they do not take."""
    inside(
        fresh,
        "rm -f ~/one* ~/big; truncate -s 5G ~/sparse; fallocate -l 150M ~/one; for n in 1 2 3; do ln ~/one ~/one-$n; done",
    )
    wait_until(lambda: measured_mb(fresh) > 150, 60, "the measurement of what was written")
    assert measured_mb(fresh) < 1000 * ROOM_GB
    assert fresh.workspace_ready()
    inside(fresh, "rm ~/sparse ~/one*")


def test_who_passes_the_limit_is_stopped_and_told_why_and_gets_in_again_to_delete(fresh: Person, inside: Shell) -> None:
    """Room is allocated at once, and another part of it in a file without a name in the container's own /tmp."""
    hidden = "f=open('/tmp/x','wb'); import os,time; os.unlink('/tmp/x'); os.posix_fallocate(f.fileno(),0,2*10**8); time.sleep(300)"
    inside(fresh, f'nohup python3 -c "{hidden}" >/dev/null 2>&1 & fallocate -l 200M ~/big', check=False)
    wait_until(lambda: own(fresh)["state"] == "stopped", 60, "the stop")
    end = own(fresh)["last_end"]
    assert isinstance(end, dict)
    assert end["reason"] == "disk_quota"
    assert "300 MB" in str(end["what"])
    fresh.start_workspace()
    wait_until(lambda: measured_mb(fresh) > 200, 60, "the first measurement")
    inside(fresh, "rm ~/big")
