"""`python -m libms`: serve the library behind the gateway; with `--config FILE`, by itself."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from twinhub.errors import PublicError
from twinhub.places import read_places
from twinhub.secrets import read_secret
from twinhub.serve import serve

EPILOG = """\
Without --config this is a part of an installation of Twinhub, started by 'twinhub up'.

FILE holds NAME=value lines or YAML: PORT (4001), MODE (local, git, gitlab), LOCAL_PATH, GITLAB_URL, GITLAB_GROUP,
TOKEN, LOG_LEVEL, APOLLO_PATH (/lib), GRAPHQL_PLAYGROUND, and, as YAML, git-repos: [{user1: {repo-url: …}}].
The environment's variables of the same names win over the file. Without HUB_URL nobody has to sign in, so only
programs on this machine are answered. The limits of twinhub.yaml's section 'library' can be given by the same names.

Example:  printf 'LOCAL_PATH=%s\\n' "$PWD/files" > libms.env && python -m libms --config libms.env
Exit codes: 0 ended by a signal, 1 the configuration cannot be used, 2 wrong use.
"""


def main() -> int:
    """Read the command line and the environment, build the application, serve it until told to stop."""
    parser = argparse.ArgumentParser(
        prog="libms",
        description="Serve a library of digital-twin assets.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="serve by itself, as FILE says")
    chosen = parser.parse_args()
    try:
        if chosen.config is None:
            return _serve_installation()
        return _serve_alone(chosen.config)
    except PublicError as error:
        print(f"libms: {error}", file=sys.stderr)
        return 1


def _serve_installation() -> int:
    # Sign-in and what runs alone do not load each other: that is 10 MB either way.
    from libms.installed import create_app  # noqa: PLC0415
    from twinhub.part import serve_part  # noqa: PLC0415
    from twinhub.signin import HubClient, Sessions, session_cookie  # noqa: PLC0415

    places = read_places()
    client = HubClient(os.environ["TWINHUB_HUB_URL"], revocations=places.revocations)
    sessions = Sessions(read_secret(places.secrets / "session"), session_cookie(places.settings.gateway))
    app = create_app(places, client, sessions)
    serve_part(app, "libms", places.libms_port, places)
    return 0


def _serve_alone(file: Path) -> int:
    from libms.standalone import create_standalone, read_standalone  # noqa: PLC0415

    settings = read_standalone(file, os.environ)
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    app = create_standalone(settings)
    print(f"libms: http://{settings.address}:{settings.port}{settings.apollo_path}", file=sys.stderr, flush=True)
    serve(app, settings.port, host=settings.address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
