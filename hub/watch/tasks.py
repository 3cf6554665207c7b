"""What has to be done from time to time: one line per task."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twinhub.places import Places

log = logging.getLogger("watch")


@dataclass(frozen=True)
class Task:
    """Something that is done again every so often; one that fails is tried again the next time."""

    name: str
    every_s: float
    run: Callable[[], object]


def tasks(places: Places) -> tuple[Task, ...]:
    """Give all of them."""
    return ()


def start_tasks(chosen: Iterable[Task], stop: threading.Event) -> list[threading.Thread]:
    """Do each task in a thread of its own, so that a slow one holds up no other."""
    threads = [
        threading.Thread(target=_repeat, args=(task, stop), name=f"task {task.name}", daemon=True) for task in chosen
    ]
    for thread in threads:
        thread.start()
    return threads


def _repeat(task: Task, stop: threading.Event) -> None:
    while True:
        began = time.monotonic()
        try:
            task.run()
        except Exception:
            log.exception("the task '%s' failed; it is tried again in %.0f s", task.name, task.every_s)
        if stop.wait(max(1.0, task.every_s - (time.monotonic() - began))):
            return
