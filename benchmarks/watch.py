"""`python -m benchmarks.watch --data-dir DIR`: what watching costs per workspace, and what a page's notices cost.

Reads the control groups of one real workspace many times over, as the watch does
for each one every three seconds, and walks a tree of files as it does rarely.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.installed import read_installation, show
from hub.watch.control_groups import find_control_groups, mounted_controllers
from hub.watch.disk import look_at, measure_room
from hub.watch.engine import Engine
from hub.watch.watcher import USAGE_PERIOD_S
from tests.support.people import make_person
from twinhub.workspace_state import WorkspaceState, write_state

ROUNDS = 200
FILES = 20_000


def main() -> None:
    installation = read_installation(__doc__)
    person = make_person(installation, "bench-watch")
    try:
        person.start_workspace()
        container = next(
            one
            for key, one in Engine(installation.places.settings.name).running().items()
            if key.owner == "bench-watch"
        )
        groups = find_control_groups(container.pid, mounted_controllers())
        assert groups is not None
        reading = [_worked(groups.read) for _ in range(ROUNDS)]
        show("processor time: reading one workspace", reading, "ms")
        state = WorkspaceState(measured_at="2030-01-01T00:00:00+00:00")
        telling = [_worked(lambda: write_state(installation.places, "bench-watch", "", state)) for _ in range(ROUNDS)]
        show("processor time: telling of one workspace", telling, "ms")
        show("looking at a file system", [_timed(lambda: look_at(installation.data_dir)) for _ in range(ROUNDS)], "ms")
        each_ms = statistics.median(reading) + statistics.median(telling)
        print(f"100 workspaces take {100 * each_ms / USAGE_PERIOD_S / 10:.2f} % of one core")
        notices = [_timed(lambda: person.ask("GET", "/app/api/notices").raise_for_status()) for _ in range(50)]
        show("one page's notices, a new connection each", notices, "ms")
        print(f"their size: {len(person.ask('GET', '/app/api/notices').content)} bytes, every 30 s per visible page")
    finally:
        person.stop_workspace()
        installation.twinhub("user", "remove", person.name, "--yes")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            (Path(folder) / str(number)).touch()
        walks = [_timed(lambda: measure_room([Path(folder)])) for _ in range(5)]
    show(f"walking a tree of {FILES:,} files", walks, "ms")


def _timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    work()
    return 1000 * (clock() - began)


def _worked(work: Callable[[], object]) -> float:
    """Give the processor's time alone: on a busy machine a disk lets one wait."""
    return _timed(work, time.process_time)


if __name__ == "__main__":
    main()
