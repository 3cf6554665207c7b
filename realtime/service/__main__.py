"""`python -m realtime.service`: serve real-time twins on loopback, behind the gateway; or alone, with --standalone."""

from __future__ import annotations

import argparse
import gc
import logging
from pathlib import Path
from typing import Final

from realtime.service import installed, standalone
from realtime.service.quick_websocket import QuickWebSocket
from twinhub.part import serve_part
from twinhub.places import read_places
from twinhub.serve import serve

LARGEST_FRAME: Final = 1024 * 1024


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m realtime.service")
    parser.add_argument(
        "--standalone", action="store_true", help="for one person, on loopback, with a broker of its own"
    )
    parser.add_argument("--data", type=Path, default=Path("realtime-data"), help="folder of the standalone service")
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--owner", default=standalone.OWNER)
    parser.add_argument("--mqtt-port", type=int)
    parser.add_argument("--no-host", action="store_true", help="start nothing that runs models")
    given = parser.parse_args()
    # What is on its way is freed by its counts; looking for cycles in all of it stops acknowledgements for a while.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    if given.standalone:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        app = standalone.create_app(
            given.data.absolute(), given.port, owner=given.owner, host=not given.no_host, mqtt_port=given.mqtt_port
        )
        serve(app, given.port, websockets=QuickWebSocket, largest_frame_bytes=LARGEST_FRAME)
        return
    places = read_places()
    app = installed.make_app(places)
    serve_part(
        app, "realtime", places.realtime_port, places, websockets=QuickWebSocket, largest_frame_bytes=LARGEST_FRAME
    )


if __name__ == "__main__":
    main()
