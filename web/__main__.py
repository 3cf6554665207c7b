"""`python -m web`: serve the pages on loopback, behind the gateway."""

from __future__ import annotations

import os

from twinhub.part import serve_part
from twinhub.places import read_places
from twinhub.secrets import read_secret
from twinhub.signin import HubClient, OAuthClient, Sessions, session_cookie
from web.app import create_app


def main() -> None:
    """Read the environment, build the application, serve it until told to stop."""
    places = read_places()
    hub_url = os.environ["TWINHUB_HUB_URL"]
    sessions = Sessions(read_secret(places.secrets / "session"), session_cookie(places.settings.gateway))
    oauth = OAuthClient(hub_url, read_secret(places.secrets / "oauth"))
    client = HubClient(hub_url, revocations=places.revocations)
    app = create_app(client, sessions, oauth, places.inner_gateway_url, places=places)
    serve_part(app, "web", places.web_port, places, websockets=True)


if __name__ == "__main__":
    main()
