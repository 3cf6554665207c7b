"""The pages' real application; the hub and the workspace behind it are stand-ins that answer as theirs do."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from twinhub.names import SESSION_COOKIE, XSRF_HEADER
from twinhub.places import Places
from twinhub.settings import Settings
from twinhub.signin import HubClient, OAuthClient, Sessions
from web.app import create_app

USER = {"kind": "user", "name": "alice", "admin": False, "scopes": ["custom:library:write"]}


class HubStandIn:
    """What the hub and a workspace would answer; the real ones are used in tests/integration and tests/e2e."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.servers: dict[str, object] = {}
        self.workspace = httpx2.Response(200, json={"twins": []})
        self.started = httpx2.Response(202)
        self.admin = False
        self.groups: list[str] = []
        self.silent = False

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        path = request.url.path
        if self.silent and path != "/hub/api/user":
            raise httpx2.ConnectError("nobody there")
        if path == "/hub/api/user":
            return httpx2.Response(200, json={**USER, "admin": self.admin, "groups": self.groups})
        if path == "/hub/api/users/alice":
            return httpx2.Response(200, json={"servers": self.servers})
        if path == "/hub/api/users/alice/server" or path.startswith("/hub/api/users/alice/servers/"):
            return self.started if request.method == "POST" else httpx2.Response(204)
        if path.startswith("/user/alice/twins/"):
            return self.workspace
        return httpx2.Response(404, json={"message": f"no {path}"})

    def sent(self, method: str) -> list[tuple[str, object]]:
        """Path and JSON of all requests of one method."""
        found = [request for request in self.asked if request.method == method]
        return [(request.url.raw_path.decode(), json.loads(request.content or b"null")) for request in found]


@pytest.fixture
def hub() -> HubStandIn:
    return HubStandIn()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An installation's data folder, with a profile for a group that alice is not in."""
    profiles = {"large": {"memory": "8G"}, "secret": {"groups": ["researchers"]}}
    made = Places(tmp_path, Settings.model_validate({"workspaces": {"image": "minimal", "profiles": profiles}}))
    for folder in (made.workspaces, made.workspace_state, made.keep, made.ends):
        folder.mkdir()
    return made


@pytest.fixture
def browser(hub: HubStandIn, places: Places) -> Iterator[TestClient]:
    """A browser that is signed in and sends the XSRF header of its page."""
    sessions = Sessions("secret")
    transport = httpx2.MockTransport(hub)
    client = HubClient("http://hub", transport=transport)
    oauth = OAuthClient("http://hub", "s")
    app = create_app(client, sessions, oauth, "http://gateway", places=places, transport=transport)
    cookie = sessions.seal("token-of-alice")
    headers = {XSRF_HEADER: sessions.xsrf_token(cookie)}
    with TestClient(app, base_url="http://platform", headers=headers, follow_redirects=False) as made:
        made.cookies.set(SESSION_COOKIE, cookie)
        yield made
