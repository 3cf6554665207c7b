"""`python -m hub.watch`: look after the running workspaces until told to stop."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from hub.watch.engine import Engine
from hub.watch.hub import Hub
from hub.watch.watcher import Watcher
from twinhub.logging import configure_logging
from twinhub.metrics_socket import offer_figures
from twinhub.places import read_places
from twinhub.secrets import read_secret


def main() -> None:
    """Read the environment, put the parts together, watch."""
    places = read_places()
    configure_logging("watch", places.settings.monitoring.log_level)
    offer_figures(places, "watch")
    hub = Hub(os.environ["TWINHUB_HUB_URL"], read_secret(places.secrets / "watch"))
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    looking, ending = ThreadPoolExecutor(4, "looking"), ThreadPoolExecutor(64, "ending")
    Watcher(places, Engine(places.settings.name), hub, looking=looking, ending=ending).run(stop)
    os._exit(0)  # what still walks a disk or waits for the hub is not worth waiting for


if __name__ == "__main__":
    main()
