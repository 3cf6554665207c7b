"""`python -m libms`: serve the library on loopback, behind the gateway."""

from __future__ import annotations

import os

from libms.app import create_app
from twinhub.places import read_places
from twinhub.secrets import read_secret
from twinhub.serve import serve
from twinhub.signin import HubClient, Sessions


def main() -> None:
    """Read the environment, build the application, serve it until told to stop."""
    places = read_places()
    client = HubClient(os.environ["TWINHUB_HUB_URL"])
    sessions = Sessions(read_secret(places.secrets / "session"))
    serve(create_app(places, client, sessions), places.libms_port)


if __name__ == "__main__":
    main()
