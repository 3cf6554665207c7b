"""`python -m realtime.worker`: started by its host, told what to do by the environment."""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path

import uvloop

from realtime.errors import RealtimeError
from realtime.host.processes import die_with
from realtime.places import tell_why
from realtime.worker.app import main
from realtime.worker.settings import read_settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if "REALTIME_PARENT" in os.environ:
        die_with(int(os.environ["REALTIME_PARENT"]))
    # A million instances are no garbage; looking through all of them for cycles would stop messages for half a second.
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
    try:
        uvloop.run(main(read_settings()))
    except RealtimeError as error:
        if "REALTIME_PLACES" in os.environ:
            tell_why(Path(os.environ["REALTIME_PLACES"]), str(error))
        sys.exit(str(error))
