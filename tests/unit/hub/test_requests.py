"""Bodies that the hub's API was not made for, and log lines that would tell too much."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.handlers.base import BaseHandler
from tornado.log import app_log
from tornado.web import HTTPError

from hub import requests
from hub.requests import ensure_strictness


@pytest.fixture(autouse=True)
def _strict() -> None:
    ensure_strictness()


def read(body: bytes) -> Any:
    return APIHandler.get_json_body(SimpleNamespace(request=SimpleNamespace(body=body)))


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[" * 100_000, b"\xff", b'{"note": "\\u0000"}', b'{"name": "\\ud800"}', b'{"a": [{"b": "\\u0000"}]}',
        b'{"usernames": 1}', b'{"usernames": [null]}', b'{"users": "marie"}', b'{"scopes": ["nonsense"]}',
        b'{"scopes": {}}', b'{"note": 7}',
    ],
)  # fmt: skip
def test_what_the_hub_would_fail_on_is_refused_as_a_bad_request(body: bytes) -> None:
    """Each was a 500 with a page of traceback in the log, for anybody with an account."""
    with pytest.raises(HTTPError) as refused:
        read(body)
    assert refused.value.status_code == 400


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (b"", None),
        (b"{}", {}),
        (b'{"usernames": ["marie"], "admin": false}', {"usernames": ["marie"], "admin": False}),
        (b'{"note": null, "scopes": ["self"], "expires_in": 5}', {"note": None, "scopes": ["self"], "expires_in": 5}),
    ],
)
def test_good_bodies_are_read_as_they_are(body: bytes, model: Any) -> None:
    """The hub's own pages and every client send these."""
    assert read(body) == model


def test_text_that_is_no_text_is_read_without_being_told_to_the_log() -> None:
    """Tornado's refusal quotes the value, and the value may be a password typed on another keyboard."""
    assert BaseHandler.decode_argument(SimpleNamespace(), b"p\xe9ss", "password") == "p\ufffdss"


def test_messages_about_cookies_and_headers_lose_what_they_were_about(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads logs must not be able to sign in with what they read."""
    with caplog.at_level(logging.INFO):
        app_log.info("Setting new xsrf cookie for %r %r", b"session", {})
        app_log.info("Something else of %s", "marie")
    assert [record.getMessage() for record in caplog.records] == [
        "Setting new xsrf cookie for [left out]",
        "Something else of marie",
    ]


@pytest.mark.parametrize("server", ["", "big"])
def test_a_programs_start_of_a_workspace_that_ends_just_now_waits_for_the_end(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub would answer that it is pending stop, and whoever asked would have to ask again."""
    workspace = SimpleNamespace(pending="stop")
    user = SimpleNamespace(spawners={server: workspace})
    seen: list[tuple[str, object]] = []

    async def post(_: object, _name: str, server_name: str) -> None:
        seen.append((server_name, workspace.pending))

    async def life() -> None:
        asyncio.get_running_loop().call_later(0.15, lambda: setattr(workspace, "pending", None))
        await UserServerAPIHandler.post(SimpleNamespace(find_user=lambda _: user), "ada", server)
        workspace.pending = "spawn"
        await UserServerAPIHandler.post(SimpleNamespace(find_user=lambda _: user), "ada", server)

    monkeypatch.setattr(requests, "_post_server", post)
    asyncio.run(life())
    assert seen == [(server, None), (server, "spawn")]
