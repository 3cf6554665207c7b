"""The library as a part of an installation: behind the gateway, with the hub's sign-in."""

from __future__ import annotations

from starlette.types import ASGIApp

from libms.app import HEALTH, Parts, build
from libms.backends import open_backend
from twinhub.places import Places
from twinhub.secrets import ensure_secret, read_secret
from twinhub.signin import HubClient, Sessions, SignIn


def create_app(places: Places, client: HubClient, sessions: Sessions) -> ASGIApp:
    """Build the service of an installation, behind the hub's sign-in."""
    return SignIn(create_library(places, sessions), client=client, sessions=sessions, open_paths=(HEALTH,))


def create_library(places: Places, sessions: Sessions) -> ASGIApp:
    """Build the routes; whoever serves them must have put a User into the request's state."""
    key = places.secrets / "library"
    ensure_secret(key)
    backend, files = open_backend(places)
    signing_key = read_secret(key).encode()
    return build(Parts(backend, places.settings.library, places.library, files, signing_key, eager=True), sessions)
