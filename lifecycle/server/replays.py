"""Run again what has run, with what it had, and compare."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from lifecycle.server.operations import Answer, Call, Operation, Query, World
from lifecycle.server.schemas import ANY, FLAG, NUMBER, TEXT, answered, or_null, ref, sent, some
from lifecycle.server.slowly import slowly
from lifecycle.state.replays import TOLERANCE, Started, compare_replay, finish_replay, start_replay


async def replay(call: Call) -> Any:
    """`POST twins/runs/ID/replay`."""
    started = await slowly(call.world, start_replay, call.world.places, call.world.runs, call.run)
    task = asyncio.create_task(_finish(call.world, started))
    call.world.background.add(task)
    task.add_done_callback(call.world.background.discard)
    tolerance = call.body.get("tolerance", TOLERANCE)
    return {
        "run": started.run.as_json(),
        "comparison": f"runs/{started.run.id}/comparison?tolerance={tolerance:g}",
        "original": started.original.as_json(),
        "in_place": started.in_place,
        "notes": started.notes,
    }


async def _finish(world: World, started: Started) -> None:
    """Put back what was set aside, when the run has ended."""
    await world.watches.end_of(started.run.id)
    await slowly(world, finish_replay, world.places, world.runs, started)


async def compare(call: Call) -> Any:
    """`GET twins/runs/ID/comparison`."""
    places, runs, tolerance = call.world.places, call.world.runs, call.query["tolerance"]
    found = await slowly(call.world, compare_replay, places, runs, call.run, tolerance=tolerance)
    return found.as_json()


NEEDED: Final = Query(
    "tolerance",
    {"type": "number", "minimum": 0, "default": TOLERANCE},
    "For numbers in tables, absolute and relative.",
)
STARTED: Final = answered(
    {"run": ref("Run"), "original": ref("Run"), "comparison": TEXT, "in_place": or_null(TEXT), "notes": some(TEXT)}
)
FILE: Final = answered(
    {"path": TEXT, "verdict": TEXT, "largest_difference": or_null(NUMBER), "where": or_null(TEXT), "agrees": FLAG}
)
DIFFERENCE: Final = answered({"name": TEXT, "one": ANY, "other": ANY})
COMPARED: Final = answered(
    {
        "run": ref("Run"),
        "original": ref("Run"),
        "agrees": FLAG,
        "tolerance": NUMBER,
        "files": some(FILE),
        "environment": some(DIFFERENCE),
        "notes": some(TEXT),
    }
)

OPERATIONS: Final = (
    Operation("POST", "/runs/{run}/replay", "replayRun", "Run again with exactly what a run had",
              replay, Answer(STARTED, 201, "It runs; compare it when it has ended."), (409, 410, 413, 503, 507),
              body=sent({"tolerance": {"type": "number", "minimum": 0}}), body_required=False),
    Operation("GET", "/runs/{run}/comparison", "compareReplay", "What a replay wrote beside what its original wrote",
              compare, Answer(COMPARED), (410,), (NEEDED,)),
)  # fmt: skip
