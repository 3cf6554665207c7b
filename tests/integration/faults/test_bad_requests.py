"""A thousand and more requests that no honest client sends, at every server, signed in and not."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import chain

import httpx2
import pytest

from tests.support.hostile import Answer, Attack, Secrets, Target, attacks, protocols, send_all
from tests.support.installation import Installation, wait_until
from tests.support.logs import TRACEBACK, LogWatch
from tests.support.people import Person
from twinhub.operate.health import PARTS, fetch_health
from twinhub.operate.supervisor import Supervisor

LOG_BYTES_PER_REQUEST = 1500
UNDERSTOOD = {501, 505}
"""A method or version that the server does not know is told so by a status of the 500s."""
STOPPED = {502, 503, 424}
"""What a workspace that does not run is answered with."""
GATEWAYS_OWN = (
    b"Internal Server Error",
    b"context canceled\n",
    b"Client Closed Request",
    b"Gateway Timeout",
    b"Bad Gateway",
)
"""What Traefik itself says, with a status of the 500s, of a request whose very framing or upgrade is broken: it got
nowhere, and nobody's answer is waited for."""
JUPYTERS_OWN = ("PATCH json b'[null]'", "PUT json b'{\"a\": 1e999}'")
"""Where jupyter-server answers 500 to its own owner: a body that is no object, a file over a folder."""

PAGES = (
    "/app/library",
    "/app/api/workspace",
    "/app/digitaltwins/x",
    "/app/workbench",
    "/app/signin",
    "/app/static/x",
    "/app/health",
)
LIBRARY = ("/lib/files/marie/data", "/lib", "/lib/uploads", "/lib/trash/x", "/lib/schema.graphql", "/lib/files")
HUB = ("/hub/login", "/hub/api/users/marie", "/hub/signup", "/hub/home", "/hub/api", "/hub/token", "/hub/password", "/hub/spawn/marie",
       "/hub/accounts", "/hub/api/oauth2/authorize", "/hub/user/marie/x", "/hub/error/404", "/hub/static/x", "/hub/logout")  # fmt: skip
WORKSPACE = ("/user/marie/api/contents", "/user/marie/lab", "/user/marie/twins/", "/user/marie/files/x", "/user/marie/terminals/x",
             "/user/marie/api/kernels", "/user/marie/login", "/user/pierre/api", "/user/../marie/api")  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> Counter[int]:
    """Statuses of all answers, for the figure that is printed."""
    return Counter()


@pytest.fixture(scope="module")
def words() -> Secrets:
    return Secrets()


@pytest.fixture(scope="module")
def calm(installation: Installation, marie: Person, words: Secrets, seen: Counter[int]) -> Iterator[LogWatch]:
    """Watch all logs from before the first bad request to after the last."""
    yield LogWatch(installation.places)
    print(f"\nbad requests: {sum(seen.values())}, answered {dict(sorted(seen.items()))}")


def gateway(installation: Installation, paths: tuple[str, ...], person: Person | None = None) -> Target:
    host, _, port = installation.url.removeprefix("http://").partition(":")
    signed_in = f"Authorization: token {person.token}" if person else ""
    return Target("signed in" if person else "gateway", host, int(port), paths, signed_in)


def direct(installation: Installation, part: str) -> Target:
    """Go round the gateway: what stands behind it must not rely on what it filters."""
    places = installation.places
    if part == "hub":
        host = subprocess.run(
            ["docker", "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", places.settings.name],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        return Target("hub", host, places.hub_port, HUB)
    port, paths = {"web": (places.web_port, PAGES), "libms": (places.libms_port, LIBRARY)}[part]
    return Target(part, "127.0.0.1", port, paths)


def behind(person: Person) -> Target:
    """The workspace's own server, as the machine reaches it."""
    address = subprocess.run(
        ["docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", person.container],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    return Target("workspace", address, 8888, WORKSPACE)


def bear(target: Target, sent: Iterator[Attack], seen: Counter[int], expected: set[int] = UNDERSTOOD) -> list[Answer]:
    """Send all; nothing may be answered as if we had a bug."""
    answers = send_all(target, sent)
    seen.update(answer.status for answer in answers)
    bad = [answer for answer in answers if answer.status >= 500 and answer.status not in UNDERSTOOD | expected]
    failed = [str(answer) for answer in bad if not (answer.attack.broken and answer.body in GATEWAYS_OWN)]
    failed = [one for one in failed if not any(known in one for known in JUPYTERS_OWN)]
    assert failed == [], f"{len(failed)} of {len(answers)}: " + "\n".join(failed[:40])
    assert all(TRACEBACK.encode() not in answer.start for answer in answers)
    return answers


@pytest.mark.parametrize("part", ["hub", "web", "libms"])
def test_a_part_bears_bad_requests_without_the_gateway(
    part: str, installation: Installation, calm: LogWatch, words: Secrets, seen: Counter[int]
) -> None:
    """Workspaces reach the hub directly, and any filter has holes."""
    target = direct(installation, part)
    bear(target, attacks(target, words), seen)


def test_the_gateway_and_all_behind_it_bear_bad_requests(
    installation: Installation, calm: LogWatch, words: Secrets, seen: Counter[int]
) -> None:
    """What anybody on the network can send."""
    target = gateway(installation, (*HUB[:6], *PAGES[:4], *LIBRARY[:3], *WORKSPACE[:3]))
    bear(target, chain(attacks(target, words), protocols.oauth(target)), seen)


def test_people_with_an_account_can_send_anything_to_the_library(
    installation: Installation, marie: Person, calm: LogWatch, words: Secrets, seen: Counter[int]
) -> None:
    """Most bugs are behind the sign-in; broken GraphQL and uploads get that far."""
    target = gateway(installation, LIBRARY, marie)
    sent = chain(attacks(target, words), protocols.graphql(target), protocols.uploads(target))
    bear(target, sent, seen, {507})


def test_people_with_an_account_can_send_anything_to_the_hub(
    installation: Installation, marie: Person, toy: Person, calm: LogWatch, seen: Counter[int]
) -> None:
    """A 500 of the hub's API is a page of traceback in the log each time."""
    target = gateway(installation, (*HUB[:4], *PAGES[2:5]), marie)
    bear(target, chain(attacks(target, Secrets()), protocols.hub_api(target, toy.name)), seen)


def test_people_with_an_account_can_send_anything_to_their_workspace(
    installation: Installation, marie: Person, calm: LogWatch, words: Secrets, seen: Counter[int]
) -> None:
    """Nothing that one's own scripts send may stop the server they work in."""
    target = gateway(installation, WORKSPACE, marie)
    bear(target, attacks(target, words), seen, STOPPED)


def test_an_administrator_can_send_anything_to_the_hub(
    installation: Installation, root: Person, toy: Person, calm: LogWatch, seen: Counter[int]
) -> None:
    """Administrators type wrong things too."""
    assert root.ask("GET", "/hub/api/user").json()["admin"] is True
    target = gateway(installation, HUB, root)
    bear(target, protocols.hub_api(target, toy.name), seen)


def test_what_people_type_into_the_wrong_field_is_not_noted(
    installation: Installation, calm: LogWatch, words: Secrets, seen: Counter[int]
) -> None:
    """A password that was typed as a name, or on another keyboard, stands in no log and in no audit."""
    with httpx2.Client(base_url=installation.url, trust_env=False) as browser:
        browser.get("/hub/login")
        xsrf = browser.cookies["_xsrf"].encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for name, password in (
            (words.word("typedname").encode(), b"x"),
            (b"marie", b"%ff" + words.word("typed").encode()),
        ):
            body = b"username=" + name + b"&password=" + password + b"&_xsrf=" + xsrf
            answer = browser.post("/hub/login", content=body, headers=form)
            seen[answer.status_code] += 1
            assert answer.status_code == 403
            assert "Wrong user name or password" in answer.text
    audited = "".join(file.read_text() for file in (installation.data_dir / "audit").rglob("*.jsonl"))
    assert words.found_in(audited) == set()


def test_the_workspaces_own_server_bears_bad_requests(
    installation: Installation, marie: Person, calm: LogWatch, words: Secrets, seen: Counter[int]
) -> None:
    """It is not ours, but its log is read by people who look for their own mistakes."""
    target = behind(marie)
    bear(target, attacks(target, words), seen)


def test_bad_upgrades_are_refused(
    installation: Installation, marie: Person, calm: LogWatch, seen: Counter[int]
) -> None:
    """WebSockets are where other hubs were broken into; a frame of nonsense must not cost a process."""
    paths = ("/user/marie/api/kernels/x/channels", "/user/marie/terminals/websocket/1", "/user/marie/twins/events",
             "/app/api/twins/events", "/hub/api", "/lib", "/")  # fmt: skip
    for target in (gateway(installation, paths), gateway(installation, paths, marie)):
        answers = bear(target, protocols.upgrades(target, paths), seen, STOPPED)
        if not target.headers:
            assert [str(answer) for answer in answers if answer.status == 101] == []


def test_nothing_of_all_that_hurt_anybody(
    installation: Installation, marie: Person, calm: LogWatch, words: Secrets, seen: Counter[int]
) -> None:
    """No process died, no secret and no traceback is in any log, and the logs did not fill the disk."""
    assert sum(seen.values()) > 1000
    for part in PARTS:
        wait_until(lambda part=part: not fetch_health(installation.places, part), 20, f"the health of {part}")
    assert marie.ask("GET", "/user/marie/api/status").status_code == 200
    assert all(state.well for state in Supervisor(installation.places).states())
    added = calm.added()
    leaks = {name: words.found_in(text) for name, text in added.items() if words.found_in(text)}
    assert leaks == {}
    assert calm.tracebacks() == {}
    sizes = {name: len(text) for name, text in added.items()}
    print(f"\nlogs grew by {sizes}")
    assert sum(sizes.values()) < LOG_BYTES_PER_REQUEST * sum(seen.values())


def test_no_process_was_restarted(calm: LogWatch) -> None:
    """One that dies and comes back within a second would not be seen otherwise."""
    assert "exited" not in calm.added().get("supervisord.log", "")
