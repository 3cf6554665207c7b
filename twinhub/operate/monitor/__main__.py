"""`python -m twinhub.operate.monitor`: run until told to stop."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn

from twinhub.logging import configure_logging
from twinhub.operate.monitor.app import Board, create_app
from twinhub.operate.monitor.history import History
from twinhub.operate.monitor.rotation import rotate
from twinhub.operate.monitor.sampling import Sampler
from twinhub.operate.monitor.schedule import Schedule
from twinhub.operate.monitor.scraping import Scraper
from twinhub.places import Places, read_places
from twinhub.serve import open_socket

LOOK_EVERY_S: Final = 10.0
ROTATE_EVERY_S: Final = 60.0

log = logging.getLogger("monitor")


def main() -> None:
    """Look at everything from a thread, and answer the pages."""
    places = read_places()
    configure_logging("monitor", places.settings.monitoring.log_level)
    folder = places.monitor_socket.parent
    folder.mkdir(mode=0o710, exist_ok=True)
    board = Board(History(places.log / "history.json"))
    schedule = Schedule(places)
    sampler = Sampler(places, Scraper(places, os.environ["TWINHUB_HUB_URL"]), schedule)
    ended = threading.Event()
    watching = threading.Thread(target=watch, args=(places, board, sampler, schedule, ended), daemon=True)
    watching.start()
    configuration = uvicorn.Config(
        create_app(board), access_log=False, server_header=False, log_config=None, lifespan="off", ws="none"
    )
    uvicorn.Server(configuration).run(sockets=[open_for(places.monitor_socket, places.settings.workspace_user_id)])
    ended.set()
    schedule.stop()


def watch(places: Places, board: Board, sampler: Sampler, schedule: Schedule, ended: threading.Event) -> None:
    """Look, tend the backup and the logs, until the end."""
    rotated_at = time.monotonic()
    while True:
        _attempt("a look at the platform", lambda: board.put(sampler.look(), sampler.figures))
        _attempt("tending the daily backup", schedule.tend)
        if time.monotonic() - rotated_at > ROTATE_EVERY_S:
            rotated_at = time.monotonic()
            _attempt("turning over the logs", lambda: rotate(places))
        if ended.wait(LOOK_EVERY_S):
            return


def _attempt(name: str, deed: Callable[[], object]) -> None:
    """Do one thing; when it fails neither the others nor the next time are lost."""
    try:
        deed()
    except Exception:
        log.exception("%s failed", name)


def open_for(file: Path, group_id: int) -> socket.socket:
    """Listen where only the pages' account, besides ours, can connect."""
    listening = open_socket(file)
    if os.getuid() == 0:
        os.chown(file.parent, 0, group_id)
        os.chown(file, 0, group_id)
    file.parent.chmod(0o710)
    file.chmod(0o660)
    return listening


if __name__ == "__main__":
    main()
