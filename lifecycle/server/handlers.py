"""REST for pages and programs; rules are elsewhere, this only translates."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from lifecycle.errors import BadRequest, TwinError
from lifecycle.logs import read_log
from lifecycle.models import Run, RunState, Twin
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.twins import find_twin, list_twins

LONGEST_WAIT_S: Final = 25.0
MOST_RUNS: Final = 1000
LOOK_AGAIN_S: Final = 0.1


class TwinsHandler(APIHandler):
    """Common to all: places, runs, errors as JSON."""

    def initialize(self, places: Places, runs: Runs) -> None:
        """Take what `handlers` gives."""
        self.places = places
        self.runs = runs

    def reply(self, content: Any, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(content))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Put a TwinError into the platform's shape; anything else is our bug and logged by the server."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, TwinError):
            self.reply(error.as_json(), error.status)
        else:
            super().write_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Keep refusals out of the log."""
        if not isinstance(value, TwinError):
            super().log_exception(typ, value, tb)

    def twin_as_json(self, twin: Twin) -> dict[str, Any]:
        """Give one twin with what runs and what ran last."""
        latest = self.runs.latest(twin.name, 1)
        return {
            "name": twin.name,
            "path": str(twin.path),
            "title": twin.title,
            "description": twin.description,
            "phases": list(twin.phases),
            "running": [run.as_json() for run in self.runs.running(twin.name)],
            "last_run": latest[0].as_json() if latest else None,
        }

    def number(self, name: str, default: float, highest: float) -> float:
        """Read a number from the query, between 0 and the highest allowed."""
        text = self.get_query_argument(name, "")
        try:
            value = float(text) if text else default
        except ValueError as error:
            raise BadRequest(f"{name} is {text[:40]!r}, not a number.", f"Use 0 to {highest:g}.") from error
        if not 0 <= value <= highest:
            raise BadRequest(f"{name} is {text[:40]}.", f"Use 0 to {highest:g}.")
        return value


class TwinListHandler(TwinsHandler):
    """`GET twins/`."""

    @web.authenticated
    async def get(self) -> None:
        found = await asyncio.to_thread(lambda: [self.twin_as_json(twin) for twin in list_twins(self.places)])
        self.reply({"twins": found})


class OneTwinHandler(TwinsHandler):
    """`GET twins/NAME`."""

    @web.authenticated
    async def get(self, name: str) -> None:
        self.reply(await asyncio.to_thread(lambda: self.twin_as_json(find_twin(self.places, name))))


class StartHandler(TwinsHandler):
    """`POST twins/NAME/runs`."""

    @web.authenticated
    async def post(self, name: str) -> None:
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not JSON.", 'Send {"phase": "execute"}.') from error
        phase = body.get("phase") if isinstance(body, dict) else None
        if not isinstance(phase, str):
            raise BadRequest("The body names no phase.", 'Send {"phase": "execute"}.')
        run = await asyncio.to_thread(self.runs.start, name, phase)
        self.reply(run.as_json(), 201)


class RunListHandler(TwinsHandler):
    """`GET twins/runs`."""

    @web.authenticated
    async def get(self) -> None:
        twin = self.get_query_argument("twin", None)
        limit = int(self.number("limit", 50, MOST_RUNS))
        found = await asyncio.to_thread(self.runs.latest, twin, limit)
        self.reply({"runs": [run.as_json() for run in found]})


class OneRunHandler(TwinsHandler):
    """`GET twins/runs/ID`."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        run = await asyncio.to_thread(self.runs.get, run_id)
        self.reply(run.as_json())


class LogHandler(TwinsHandler):
    """`GET twins/runs/ID/log`: output from a byte on, waiting for some when asked."""

    @web.authenticated
    async def get(self, run_id: str) -> None:
        offset = int(self.number("offset", 0, 2**53))
        wait_s = self.number("wait_s", 0, LONGEST_WAIT_S)
        run = await self._wait(run_id, wait_s, offset)
        data, following = await asyncio.to_thread(read_log, self.runs.log(run_id), offset)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Log-Next", str(following))
        self.set_header("X-Run-State", run.state)
        self.finish(data)

    async def _wait(self, run_id: str, wait_s: float, size_bytes: int) -> Run:
        """Wait without a thread: there are few, and pages that follow a log are many."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            run = self.runs.get(run_id)
            grown = self.runs.log(run_id).stat().st_size > size_bytes
            if run.state is not RunState.RUNNING or grown or loop.time() >= deadline:
                return run
            await asyncio.sleep(LOOK_AGAIN_S)


class StopHandler(TwinsHandler):
    """`POST twins/runs/ID/stop`."""

    @web.authenticated
    async def post(self, run_id: str) -> None:
        run = await asyncio.to_thread(self.runs.stop, run_id)
        self.reply(run.as_json())


def handlers(base_url: str, places: Places, runs: Runs) -> list[tuple[str, type, dict[str, Any]]]:
    """Give our routes; those under `runs` come first, so a twin of that name is reached by the command only."""
    world = {"places": places, "runs": runs}
    run_id = r"([0-9A-Za-z-]{1,64})"
    routes: list[tuple[str, type]] = [
        (r"", TwinListHandler),
        (r"runs", RunListHandler),
        (rf"runs/{run_id}", OneRunHandler),
        (rf"runs/{run_id}/log", LogHandler),
        (rf"runs/{run_id}/stop", StopHandler),
        (r"([^/]+)", OneTwinHandler),
        (r"([^/]+)/runs", StartHandler),
    ]
    return [
        (url_path_join(base_url, "twins", path) + ("/?" if not path else ""), handler, world)
        for path, handler in routes
    ]
