"""`python -m benchmarks.faults --data-dir DIR WHAT…`: what happens to a crowd when something breaks.

logins     25 people sign in and start a workspace at the same moment
restart    the hub is killed under 20 people with open notebooks
kills      kill -9 of each process, three times, until it does its work again
abandoned  200 WebSockets whose machines lost power, for ten minutes: memory of gateway and hub
"""

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.installed import show
from tests.support.abandoned import Abandoned, descriptors, open_abandoned, pss_mb
from tests.support.crowd import arrive, at_once, crowd
from tests.support.installation import Installation
from tests.support.kernel import Kernel
from tests.support.outage import PARTS, kill_and_wait, kill_hub
from tests.support.people import Person

WATCHED = ("gateway", "hub")
ROUNDS = 3
LOOK_EVERY_S = 30.0
TALKERS = 4
"""People whose kernels and terminals go on talking to the WebSockets that nobody reads."""


def logins(installation: Installation, options: argparse.Namespace) -> None:
    """Print how long it took everybody until their workspace answered."""
    with crowd(installation, "bench-login", options.logins) as people:
        show(f"{options.logins} log-ins at once, until ready", at_once(people, arrive), "s")


def restart(installation: Installation, options: argparse.Namespace) -> None:
    """Print how long the hub was away for people; ends with an error when anybody lost anything."""
    with crowd(installation, "bench-stay", options.people) as people, ExitStack() as stack:
        at_once(people, arrive)
        kernels = [Kernel(person) for person in people]
        for kernel in kernels:
            stack.callback(kernel.close)
        for _ in range(ROUNDS):
            found = kill_hub(installation, people, kernels)
            print(
                f"hub killed under {options.people} workspaces, none lost: pages back after {found.page_s:.1f} s, all "
                f"workspaces after {found.all_s:.1f} s, all WebSockets opened anew after {found.reconnected_s:.1f} s",
                flush=True,
            )


def kills(installation: Installation, _: argparse.Namespace) -> None:
    """Print until when each part was away."""
    with crowd(installation, "bench-kill", 1) as people:
        at_once(people, arrive)
        for part in PARTS:
            show(f"kill -9 of {part}", [kill_and_wait(installation, people[0], part) for _ in range(ROUNDS)], "s")


def abandoned(installation: Installation, options: argparse.Namespace) -> None:
    """Print the memory of gateway and hub while WebSockets stay open that nobody will ever read."""
    with crowd(installation, "bench-gone", TALKERS) as people:
        at_once(people, arrive)
        for client in open_abandoned(people, 2 * TALKERS):
            client.forget()  # what the first connection brings along is no growth
        before = memory(installation)
        tell(installation, "before", before, before)
        clients = open_abandoned(people, options.sockets)
        tell(installation, f"{options.sockets} WebSockets open", memory(installation), before)
        for client in clients:
            client.vanish()
        watch(installation, people, before, options.minutes)
        forget(clients)
        tell(installation, "their connections closed", memory(installation), before)


def watch(installation: Installation, people: list[Person], before: dict[str, float], minutes: float) -> None:
    """Tell now and then, while others go on working."""
    began = time.monotonic()
    slowest_s = 0.0
    next_look = began + LOOK_EVERY_S
    while time.monotonic() < began + 60 * minutes:
        slowest_s = max(slowest_s, timed(lambda: answered(people[0])))
        if time.monotonic() >= next_look:
            next_look += LOOK_EVERY_S
            after_min = (time.monotonic() - began) / 60
            tell(
                installation,
                f"after {after_min:.1f} min, slowest answer {slowest_s:.2f} s",
                memory(installation),
                before,
            )
        time.sleep(1)


def answered(person: Person) -> None:
    for path in ("/hub/api/user", f"/user/{person.name}/api/status"):
        assert person.ask("GET", path).status_code == 200


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def forget(clients: list[Abandoned]) -> None:
    for client in clients:
        client.forget()


def memory(installation: Installation) -> dict[str, float]:
    return {part: pss_mb(installation.pid_of(part)) for part in WATCHED}


def tell(installation: Installation, when: str, found: dict[str, float], before: dict[str, float]) -> None:
    parts = ", ".join(f"{part} {size:.1f} MB ({size / before[part] - 1:+.1%})" for part, size in found.items())
    print(f"{when:<44} {parts}; the gateway has {descriptors(installation.pid_of('gateway'))} files open", flush=True)


WHAT = {"logins": logins, "restart": restart, "kills": kills, "abandoned": abandoned}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("/var/lib/twinhub"), help="data folder of a platform")
    parser.add_argument("--logins", type=int, default=25, help="how many log in at once")
    parser.add_argument("--people", type=int, default=20, help="how many work while the hub dies")
    parser.add_argument("--sockets", type=int, default=200, help="how many WebSockets are abandoned")
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long")
    parser.add_argument("what", nargs="*", metavar="WHAT", help="all by default")
    options = parser.parse_args()
    if unknown := set(options.what) - set(WHAT):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    installation = Installation(options.data_dir)
    for name in options.what or WHAT:
        WHAT[name](installation, options)


if __name__ == "__main__":
    main()
