"""Read by `jupyterhub -f`: hands JupyterHub's configuration object to hub.configure."""

import os

from hub.configure import configure
from twinhub.places import read_places

configure(
    get_config(),  # type: ignore[name-defined]  # noqa: F821 - JupyterHub provides it
    read_places(),
    hub_url=os.environ["TWINHUB_HUB_URL"],
    hub_url_inside=os.environ["TWINHUB_HUB_URL_INSIDE"],
    network=os.environ["TWINHUB_NETWORK"],
)
