"""`python -m benchmarks.owners --data-dir DIR`: what it costs that the gateway asks whose browser wants a workspace."""

import statistics
import time

import httpx2

from benchmarks.installed import read_installation
from tests.support.people import Person, make_person
from tests.support.session import Browser

REQUESTS = 1000
ROUNDS = 3


def main() -> None:
    installation = read_installation(__doc__)
    person = make_person(installation, "bench-owner")
    browser = Browser(installation)
    try:
        person.start_workspace()
        browser.sign_in(person.name, person.password)
        browser.http.get(f"/user/{person.name}/lab")
        cookies = browser.captured()
        for _ in range(ROUNDS):
            # The inner entry point leads to the same server and asks nothing.
            _show("without the question", _answers(installation.places.inner_gateway_url, person, cookies))
            _show("with the question", _answers(installation.url, person, cookies))
    finally:
        browser.http.close()
        person.stop_workspace()
        installation.twinhub("user", "remove", person.name, "--yes")


def _answers(url: str, person: Person, cookies: str) -> list[float]:
    found = []
    with httpx2.Client(base_url=url, trust_env=False, headers={"Cookie": cookies}) as http:
        for _ in range(REQUESTS):
            began = time.perf_counter()
            assert http.get(f"/user/{person.name}/api").status_code == 200
            found.append((time.perf_counter() - began) * 1000)
    return found


def _show(name: str, took_ms: list[float]) -> None:
    p99 = statistics.quantiles(took_ms, n=100)[98]
    print(f"{name:<22} median {statistics.median(took_ms):6.2f} ms, 99 % within {p99:6.2f} ms (n={len(took_ms)})")


if __name__ == "__main__":
    main()
