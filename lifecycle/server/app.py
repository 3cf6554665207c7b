"""The lifecycle in the Jupyter server: its routes from the start on, an orderly end of all runs at the stop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Final

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join

from lifecycle.errors import TwinError
from lifecycle.places import Places, read_places
from lifecycle.runs import Runs
from lifecycle.server.activity import ActivityKeeper
from lifecycle.server.commands import Commands
from lifecycle.server.handler import NothingHereHandler, OperationHandler
from lifecycle.server.openapi import document
from lifecycle.server.operations import World, routes
from lifecycle.server.streams import EventStream, LogStream
from lifecycle.server.table import OPERATIONS
from lifecycle.server.watching import RunWatches, WorkspaceWatch
from lifecycle.state.sweep_records import SweepState
from lifecycle.state.sweeps import list_sweeps, stop_sweep
from lifecycle.terminate import stop_all

SLOW_THREADS: Final = 16
ENDING_S: Final = 6.5
"""For all runs together, of the ten seconds that a container has to stop."""

FINISHING_S: Final = 1.0
"""For telling those who follow a log, and putting back what a replay had set aside; else the next start does it."""

Route = tuple[str, type, dict[str, Any]]


class TwinsExtension(ExtensionApp):
    """Serve everything under `twins/` beside what else the Jupyter server serves."""

    name = "twins"
    load_other_extensions = True

    def initialize_handlers(self) -> None:
        """Add our routes and keep the workspace from being called idle while a twin runs."""
        server: Any = self.serverapp
        base_url = server.web_app.settings["base_url"]
        self.world = make_world(read_places(), url_path_join(base_url, "twins"))
        server.web_app.add_handlers(".*$", handlers(base_url, self.world))
        ActivityKeeper(self.world.places, self.world.runs, server.web_app.settings).start()
        server.log.info("twins are served under %stwins/", base_url)

    async def stop_extension(self) -> None:
        """End what runs: a container that stops has ten seconds, and kernels still have to be ended after us."""
        runs = self.world.runs
        # In threads of their own: the others may all be waiting for what is ended here.
        with ThreadPoolExecutor(2, thread_name_prefix="end") as threads:
            submit = partial(asyncio.get_running_loop().run_in_executor, threads)
            ending = submit(partial(stop_all, runs, "workspace stopped", within_s=ENDING_S))
            await asyncio.gather(submit(_stop_sweeps, self.world.places), ending)
        if self.world.background:
            await asyncio.wait(self.world.background, timeout=FINISHING_S)
        self.world.slow.shutdown(wait=False, cancel_futures=True)


def _stop_sweeps(places: Places) -> None:
    """Let no sweep start another run."""
    for sweep in list_sweeps(places):
        if sweep.state is SweepState.RUNNING:
            with suppress(TwinError):  # it has ended by itself meanwhile
                stop_sweep(places, sweep.plan.id)


def make_world(places: Places, address: str) -> World:
    """Put together what operations work with."""
    runs = Runs(places)
    return World(
        places,
        runs,
        slow=ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="twins"),
        watches=RunWatches(runs),
        workspace=WorkspaceWatch(places, runs),
        commands=Commands(),
        document=document(address, OPERATIONS),
    )


def handlers(base_url: str, world: World) -> list[Route]:
    """Give our routes; those of fixed words come first, so a twin of such a name is reached by the command only."""
    begin = url_path_join(base_url, "twins")
    streams: list[Route] = [
        (f"{begin}/runs/([^/]+)/stream", LogStream, {"world": world}),
        (f"{begin}/events", EventStream, {"workspace": world.workspace}),
    ]
    tables: list[Route] = [
        (begin + pattern, OperationHandler, {"world": world, "operations": operations})
        for pattern, operations in routes(OPERATIONS)
    ]
    return [*streams, *tables, (f"{begin}/.*", NothingHereHandler, {})]
