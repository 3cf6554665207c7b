"""`twinhub user`: accounts, from the shell of the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx2
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from hub import accounts
from twinhub.errors import HubRefused, HubUnreachable
from twinhub.operate.acting import acting_as
from twinhub.operate.containers import remove_containers_of
from twinhub.operate.health import address_of
from twinhub.places import Places
from twinhub.secrets import read_secret

LONGEST_STOP_S: Final = 60.0


@dataclass(frozen=True)
class Person:
    """One line of `twinhub user list`."""

    name: str
    admitted: bool
    admin: bool
    workspace: str
    last_activity: str


def list_people(places: Places) -> list[Person]:
    """Give everybody who has, or asks for, an account."""
    known = {model["name"]: model for model in _ask(places, "GET", "/users?include_stopped_servers=1").json()}
    with _database(places) as session:
        rows = accounts.list_accounts(session)
    return [_person(row, known.get(row.name, {})) for row in rows]


def _person(row: accounts.Account, model: dict[str, Any]) -> Person:
    server = (model.get("servers") or {}).get("") or {}
    state = "running" if server.get("ready") else (server.get("pending") or "stopped")
    return Person(row.name, row.admitted, bool(model.get("admin")), state, str(model.get("last_activity") or ""))


def add_person(places: Places, name: str, password: str, *, admin: bool) -> None:
    """Make an account that may sign in at once; nothing is made while the hub does not answer."""
    _ask(places, "GET", f"/users/{quote(name, safe='')}", accept=(404,))
    with _database(places) as session:
        accounts.create(session, name, password, shortest=places.settings.accounts.password_length, admitted=True)
    _ask(places, "POST", "/users", json={"usernames": [name], "admin": admin}, accept=(409,))
    if admin:
        _ask(places, "PATCH", f"/users/{name}", json={"admin": True})


def set_password(places: Places, name: str, password: str) -> None:
    """Replace somebody's password."""
    with _database(places) as session:
        accounts.change_password(session, name, password, shortest=places.settings.accounts.password_length)


def remove_person(places: Places, name: str) -> None:
    """Stop somebody's workspaces, remove their containers and delete their account; their files stay."""
    with _database(places) as session:
        accounts.get(session, name)
    _stop_workspaces(places, name)
    _ask(places, "DELETE", f"/users/{name}", accept=(404,))
    remove_containers_of(places, name)
    with _database(places) as session:
        if accounts.find(session, name) is not None:
            accounts.remove(session, name)


def _stop_workspaces(places: Places, name: str) -> None:
    """Stop all that run, as the hub deletes nobody whose workspace runs; return when none does."""
    deadline = time.monotonic() + LONGEST_STOP_S
    while time.monotonic() < deadline:
        servers = _ask(places, "GET", f"/users/{name}", accept=(404,)).json().get("servers") or {}
        if not servers:
            return
        for server, model in servers.items():
            if model.get("pending") != "stop":
                _ask(
                    places,
                    "DELETE",
                    f"/users/{name}/" + (f"servers/{server}" if server else "server"),
                    accept=(404, 400),
                )
        time.sleep(0.2)


@contextmanager
def _database(places: Places) -> Iterator[Session]:
    """Open the hub's database beside the hub, as the hub; SQLite keeps the two apart."""
    file = places.hub / "jupyterhub.sqlite"
    if not file.exists():
        raise HubUnreachable("The platform has never been started here.", "Start it with 'twinhub up'.")
    with acting_as(places.hub_user_id):
        engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": 10})
        try:
            with Session(engine) as session:
                yield session
        finally:
            engine.dispose()


def _ask(places: Places, method: str, path: str, *, json: Any = None, accept: tuple[int, ...] = ()) -> httpx2.Response:
    token = read_secret(places.secrets / "operator")
    url = address_of(places, "hub").removesuffix("/health") + "/api" + path
    try:
        answer = httpx2.request(
            method, url, json=json, timeout=60.0, trust_env=False, headers={"Authorization": f"token {token}"}
        )
    except httpx2.HTTPError as error:
        raise HubUnreachable("The hub does not answer.", "'twinhub status' shows what runs.") from error
    if answer.status_code >= 400 and answer.status_code not in accept:
        raise HubRefused(
            f"The hub answered {answer.status_code} to {method} {path.partition('?')[0]}.",
            "'twinhub logs hub' shows why.",
        )
    return answer
