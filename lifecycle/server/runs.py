"""Runs: start, look, wait for output, stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from lifecycle.logs import read_log
from lifecycle.models import Run, RunState
from lifecycle.places import Places
from lifecycle.server.operations import Answer, Call, Operation, Query, Reply
from lifecycle.server.schemas import ANY, COUNT, FLAG, TEXT, VALUES, answered, or_null, ref, sent, some
from lifecycle.server.slowly import slowly
from lifecycle.state.comparing import compare_runs
from lifecycle.state.manifests import Manifest
from lifecycle.state.recording import read_inputs, read_outputs
from lifecycle.terminate import terminate

MOST_RUNS: Final = 1000
LONGEST_WAIT_S: Final = 25.0
LOOK_AGAIN_S: Final = 0.1


async def start(call: Call) -> Any:
    """`POST twins/T/runs`."""
    runs = call.world.runs
    parameters = call.body.get("parameters", {})
    run = await slowly(call.world, runs.start, call.twin, call.body["phase"], parameters=parameters)
    return run.as_json()


async def terminate_twin(call: Call) -> Any:
    """`POST twins/T/terminate`."""
    done = await slowly(call.world, terminate, call.world.runs, call.twin)
    return {
        "runs": [run.as_json() for run in done.runs],
        "ended": done.ended,
        "left": [*done.left],
        "refused": done.refused,
    }


async def list_latest(call: Call) -> Any:
    """`GET twins/runs`."""
    twin, limit, before = call.query.get("twin"), call.query["limit"], call.query.get("before")

    def look() -> list[dict[str, Any]]:
        return [run.as_json() for run in call.world.runs.latest(twin, limit, before=before)]

    return {"runs": await asyncio.to_thread(look)}


async def show(call: Call) -> Any:
    """`GET twins/runs/ID`."""
    run = await asyncio.to_thread(call.world.runs.get, call.run)
    return run.as_json()


async def stop(call: Call) -> Any:
    """`POST twins/runs/ID/stop`."""
    run = await slowly(call.world, call.world.runs.stop, call.run)
    return run.as_json()


async def log(call: Call) -> Reply:
    """`GET twins/runs/ID/log`: output from a byte on, waiting for some when asked."""
    offset, wait_s = call.query["offset"], call.query["wait_s"]
    run = await _wait(call, wait_s, offset)
    data, following = await asyncio.to_thread(read_log, call.world.runs.log(call.run), offset)
    headers = {"X-Log-Next": str(following), "X-Run-State": str(run.state)}
    return Reply(data, media="text/plain; charset=utf-8", headers=headers)


async def _wait(call: Call, wait_s: float, size_bytes: int) -> Run:
    """Wait without a thread: there are few, and pages that follow a log are many."""
    runs, loop = call.world.runs, asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    while True:
        run = runs.get(call.run)
        grown = runs.log(call.run).stat().st_size > size_bytes
        if run.state is not RunState.RUNNING or grown or loop.time() >= deadline:
            return run
        await asyncio.sleep(LOOK_AGAIN_S)


async def inputs(call: Call) -> Any:
    """`GET twins/runs/ID/inputs`."""
    return await _manifest(call, read_inputs)


async def outputs(call: Call) -> Any:
    """`GET twins/runs/ID/outputs`."""
    return await _manifest(call, read_outputs)


async def _manifest(call: Call, read: Callable[[Places, str], Manifest]) -> Any:
    def look() -> Any:
        return read(call.world.places, call.world.runs.get(call.run).id).as_json()

    return await slowly(call.world, look)


async def compare(call: Call) -> Any:
    """`GET twins/runs/A/compare/B`."""
    found = await slowly(call.world, compare_runs, call.world.places, call.world.runs, call.run, call.path["other"])
    return found.as_json()


MANIFEST: Final = answered(
    {
        "files": {"type": "object", "additionalProperties": answered({"kind": TEXT})},
        "skipped": {"type": "object", "additionalProperties": TEXT},
        "notes": some(TEXT),
    }
)
DIFFERENCE: Final = answered({"name": TEXT, "one": ANY, "other": ANY})
COMPARISON: Final = answered(
    {
        "runs": some(ref("Run")),
        "differs": FLAG,
        "notes": some(TEXT),
        "parameters": some(DIFFERENCE),
        "inputs": some(DIFFERENCE),
        "environment": some(DIFFERENCE),
        "figures": some(DIFFERENCE),
        "outputs": some(answered({"path": TEXT, "verdict": TEXT, "columns": some({"type": "object"}), "note": TEXT})),
    }
)
LOG: Final = (
    Query("offset", {"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0}, "The byte to begin at."),
    Query("wait_s", {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT_S, "default": 0},
          "How long to wait for output beyond the offset."),
)  # fmt: skip
LATEST: Final = (
    Query("twin", {"type": "string", "minLength": 1}, "Runs of this twin alone."),
    Query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_RUNS, "default": 50}, "So many at most."),
    Query("before", {"type": "string"}, "The id of the last run of the page before."),
)

OPERATIONS: Final = (
    Operation("POST", "/{twin}/runs", "startRun", "Start a phase", start, Answer(ref("Run"), 201, "It runs."),
              (409, 422, 503, 507), body=sent({"phase": {**TEXT, "maxLength": 32}, "parameters": VALUES}, ("phase",))),
    Operation("POST", "/{twin}/terminate", "terminateTwin", "End all that runs of a twin, its own terminate first",
              terminate_twin, Answer(answered({"runs": some(ref("Run")), "ended": COUNT, "left": some(TEXT),
                                               "refused": or_null(TEXT)})),
              (409, 503, 507)),
    Operation("GET", "/runs", "listRuns", "Runs, newest first",
              list_latest, Answer(answered({"runs": some(ref("Run"))})), query=LATEST),
    Operation("GET", "/runs/{run}", "getRun", "One run", show, Answer(ref("Run"))),
    Operation("POST", "/runs/{run}/stop", "stopRun", "End a run and all that it started", stop, Answer(ref("Run")), (409,)),
    Operation("GET", "/runs/{run}/log", "getLog", "A run's output from a byte on",
              log, Answer({"type": "string"}, description="Output; what is no longer kept is replaced by one line.",
                          media=("text/plain; charset=utf-8",),
                          headers={"X-Log-Next": "The offset to go on from.", "X-Run-State": "How the run stands."}),
              query=LOG),
    Operation("GET", "/runs/{run}/inputs", "getInputs", "What a run read: files, sizes, checksums",
              inputs, Answer(MANIFEST), (410,)),
    Operation("GET", "/runs/{run}/outputs", "getOutputs", "What a run wrote", outputs, Answer(MANIFEST), (410,)),
    Operation("GET", "/runs/{run}/compare/{other}", "compareRuns", "Two runs side by side",
              compare, Answer(COMPARISON), (410,)),
)  # fmt: skip
