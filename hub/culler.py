"""`python -m hub.culler`: JupyterHub's own idle culler, its token read from the secrets."""

from __future__ import annotations

import os
import sys

from jupyterhub_idle_culler import main

from twinhub.places import read_places
from twinhub.secrets import read_secret


def run() -> None:
    """Stop workspaces that nobody has used for the configured time."""
    places = read_places()
    url = os.environ["TWINHUB_HUB_URL"] + "/hub/api"
    os.environ["JUPYTERHUB_API_TOKEN"] = read_secret(places.secrets / "culler")
    timeout_s = places.settings.workspaces.idle_stop_minutes * 60
    sys.argv = [
        "jupyterhub-idle-culler",
        f"--url={url}",
        f"--timeout={timeout_s}",
        f"--cull-every={max(15, min(600, timeout_s // 4))}",
    ]
    main()


if __name__ == "__main__":
    run()
