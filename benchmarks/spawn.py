"""`python -m benchmarks.spawn --data-dir DIR`: from asking for a workspace to one that answers, image warm."""

import subprocess
import time

from benchmarks.installed import read_installation, show
from tests.support.people import Person, make_person

ROUNDS = 9


def main() -> None:
    installation = read_installation(__doc__)
    person = make_person(installation, "bench-spawn")
    try:
        made, kept = [], []
        for _ in range(ROUNDS):
            subprocess.run(["docker", "rm", "-f", person.container], capture_output=True, check=False)
            made.append(_spawn(person))
            person.stop_workspace()
            kept.append(_spawn(person))
            person.stop_workspace()
        show("spawn, container made anew", made, "s")
        show("spawn, container kept from last time", kept, "s")
    finally:
        installation.twinhub("user", "remove", person.name, "--yes")
        subprocess.run(["docker", "rm", "-f", person.container], capture_output=True, check=False)


def _spawn(person: Person) -> float:
    started = time.monotonic()
    person.start_workspace()
    assert person.ask("GET", f"/user/{person.name}/api/status").status_code == 200
    return time.monotonic() - started


if __name__ == "__main__":
    main()
