"""How the gitlab backend meets faults and traps, against a stand-in for GitLab (see gitlab_world)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from libms.errors import BackendUnreachable
from libms.gitlab.client import GitLabClient
from libms.paths import parse_path
from tests.integration.backends.gitlab_world import GitLabWorld, gitlab_world
from tests.support.gitlab_standin import TOKEN, Fault, GitLabStandIn
from twinhub.errors import SettingsError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with gitlab_world(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "refuses the platform's token"), (403, "scope 'api'"), (502, "502"), (500, "500"), (302, "another address")],
)
def test_faults_of_gitlab_are_told_with_a_remedy(world: GitLabWorld, status: int, words: str) -> None:
    """An administrator who reads it knows where to look; nobody reads a traceback."""
    for match in ("POST /api/graphql", "GET /api/v4/"):
        world.standin.faults.order(Fault(match, status=status, headers={"Location": "http://127.0.0.1:9/"}, times=2))

    with pytest.raises(BackendUnreachable, match=words) as by_graphql:
        world.backend.listing(parse_path("alice"))
    with pytest.raises(BackendUnreachable, match=words) as by_rest:
        world.backend.refs("alice")

    assert all(error.value.fix for error in (by_graphql, by_rest))


def test_a_token_that_may_not_read_code_is_told(world: GitLabWorld) -> None:
    """GitLab then says nothing of the repository, which must not look like an empty one."""
    answer = '{"data": {"project": {"repository": null}}}'
    world.standin.faults.order(Fault("POST /api/graphql", status=200, body=answer))

    with pytest.raises(BackendUnreachable, match="scope 'api'"):
        world.backend.listing(parse_path("alice"))


def test_a_page_that_is_no_gitlab_is_told(world: GitLabWorld) -> None:
    """Proxies answer with pages of their own, and say 200."""
    for match in ("POST /api/graphql", "GET /api/v4/"):
        world.standin.faults.order(Fault(match, status=200, body="<html>Sign in</html>"))

    with pytest.raises(BackendUnreachable, match="does not answer as GitLab"):
        world.backend.listing(parse_path("alice"))
    with pytest.raises(BackendUnreachable, match="does not answer as GitLab"):
        world.backend.refs("alice")


def test_being_asked_to_wait_is_obeyed(world: GitLabWorld) -> None:
    """GitLab limits how often it is asked; a moment later all is well."""
    for match in ("POST /api/graphql", "POST /api/v4/"):
        world.standin.faults.order(Fault(match, status=429, headers={"Retry-After": "1"}))
    started = time.monotonic()

    world.backend.place(world.aside(b"1" * 100_000), parse_path("alice/data/a"), "alice")

    assert time.monotonic() - started >= 2
    assert world.backend.about(parse_path("alice/data/a")).size == 100_000


def test_being_asked_to_wait_for_an_hour_is_told_at_once(world: GitLabWorld) -> None:
    """A page that hangs for an hour is worse than one that says why."""
    world.standin.faults.order(Fault("POST /api/graphql", status=429, headers={"Retry-After": "3600"}))
    started = time.monotonic()

    with pytest.raises(BackendUnreachable, match="too often"):
        world.backend.listing(parse_path("alice"))

    assert time.monotonic() - started < 5


def test_a_gitlab_that_is_gone_is_told(tmp_path: Path) -> None:
    """Reading fails with words when nobody listens."""
    with GitLabStandIn(tmp_path / "projects") as standin:
        url = standin.url
    with gitlab_world(tmp_path, url=url) as world, pytest.raises(BackendUnreachable, match="does not answer"):
        world.backend.listing(parse_path("alice"))


def test_a_gitlab_that_hangs_is_given_up(world: GitLabWorld) -> None:
    """A thread that waits for ever is one less for everybody."""
    release = threading.Event()
    world.standin.faults.order(Fault("GET /api/v4/", before=lambda: release.wait(20), times=2))
    client = GitLabClient(world.standin.url, TOKEN, timeout_s=0.2)

    try:
        with pytest.raises(BackendUnreachable, match="does not answer"):
            client.get("groups", "dtaas")
    finally:
        release.set()
        client.close()


def test_a_redirect_does_not_take_the_token_along(world: GitLabWorld, tmp_path: Path) -> None:
    """Whoever can make GitLab redirect must not receive the platform's token."""
    with GitLabStandIn(tmp_path / "elsewhere") as thief:
        headers = {"Location": f"{thief.url}/api/v4/groups/dtaas/projects"}
        for match in ("POST /api/graphql", "GET /api/v4/", "POST /api/v4/"):
            world.standin.faults.order(Fault(match, status=307, headers=headers))
        calls: list[Callable[[], object]] = [
            lambda: world.backend.listing(parse_path("alice")),
            world.backend.owners,
            lambda: world.backend.make_folder(parse_path("alice/data/x"), "alice"),
        ]
        for call in calls:
            with pytest.raises(BackendUnreachable):
                call()
        assert thief.requests == []


def test_the_token_is_in_no_address_log_or_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Logs are sent to colleagues, and errors to everybody."""
    caplog.set_level(logging.DEBUG)
    wrong = "glpat-very-secret-0987654321"
    with gitlab_world(tmp_path, token=wrong) as world:
        errors = []
        for call in (world.backend.owners, lambda: world.backend.listing(parse_path("common"))):
            with pytest.raises(BackendUnreachable) as caught:
                call()
            errors.append(str(caught.value) + repr(caught.value.__cause__))

        assert all(wrong not in text for text in (*errors, *world.standin.requests, caplog.text))


@pytest.mark.parametrize(
    "url", ["https://user:pass@gitlab.example.org", "ftp://gitlab.example.org", "gitlab.example.org", "https://"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """A password in an address ends up in logs."""
    with pytest.raises(SettingsError) as caught:
        GitLabClient(url, "token")

    assert "pass@" not in str(caught.value)


def test_the_stand_in_finds_requests_that_gitlab_does_not_document(world: GitLabWorld) -> None:
    """A stand-in that accepts anything would prove nothing."""
    client = GitLabClient(world.standin.url, TOKEN)
    try:
        with pytest.raises(BackendUnreachable):
            client.query("query($p: ID!) { project(fullPath: $p) { secrets } }", {"p": "dtaas/alice"})
        for attributes in ({"colour": "red"}, {"simple": "perhaps"}):
            with pytest.raises(Exception, match="400"):
                client.get("groups", "dtaas", "projects", **attributes)
    finally:
        client.close()

    assert len(world.standin.violations) == 3
    world.standin.violations.clear()
