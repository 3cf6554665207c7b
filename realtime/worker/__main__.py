"""`python -m realtime.worker`: started by its host, told what to do by the environment."""

from __future__ import annotations

import logging
import sys

import uvloop

from realtime.errors import RealtimeError
from realtime.worker.app import main
from realtime.worker.settings import read_settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(main(read_settings()))
    except RealtimeError as error:
        sys.exit(str(error))
