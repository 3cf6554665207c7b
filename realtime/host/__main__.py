"""`python -m realtime.host`: in the owner's container; REALTIME_SERVERS, REALTIME_USER, REALTIME_PASSWORD say where the broker is."""

from __future__ import annotations

import logging
import sys

import uvloop

from realtime.errors import RealtimeError
from realtime.host.app import main
from realtime.host.settings import read_host_settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(main(read_host_settings()))
    except RealtimeError as error:
        sys.exit(str(error))
