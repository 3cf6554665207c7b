"""`python -m web`: serve the pages on loopback, behind the gateway."""

from __future__ import annotations

import os

from twinhub.places import read_places
from twinhub.secrets import read_secret
from twinhub.serve import serve
from twinhub.signin import HubClient, OAuthClient, Sessions
from web.app import create_app


def main() -> None:
    """Read the environment, build the application, serve it until told to stop."""
    places = read_places()
    hub_url = os.environ["TWINHUB_HUB_URL"]
    sessions = Sessions(read_secret(places.secrets / "session"))
    oauth = OAuthClient(hub_url, read_secret(places.secrets / "oauth"))
    gateway_host = "127.0.0.1" if places.settings.address == "0.0.0.0" else places.settings.address  # noqa: S104
    gateway_url = f"http://{gateway_host}:{places.settings.port}"
    serve(create_app(HubClient(hub_url), sessions, oauth, gateway_url), places.web_port, websockets=True)


if __name__ == "__main__":
    main()
