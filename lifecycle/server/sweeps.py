"""Many runs with varied parameters."""

from __future__ import annotations

from typing import Any, Final

from lifecycle.models import Phase
from lifecycle.server.operations import Answer, Call, Operation, Query
from lifecycle.server.schemas import ANY, COUNT, NUMBER, TEXT, VALUE, VALUES, answered, or_null, sent, some
from lifecycle.server.slowly import slowly
from lifecycle.state.sweeps import list_sweeps, read_sweep, resume_sweep, start_sweep, stop_sweep


async def start(call: Call) -> Any:
    """`POST twins/T/sweeps`."""
    sweep = await slowly(
        call.world,
        start_sweep,
        call.world.places,
        call.twin,
        call.body["set"],
        phase=call.body.get("phase", Phase.EXECUTE),
        jobs=call.body.get("jobs"),
        columns=call.body.get("columns", ()),
    )
    return sweep.as_json()


async def list_all(call: Call) -> Any:
    """`GET twins/sweeps`."""
    found = await slowly(call.world, list_sweeps, call.world.places, call.query.get("twin"))
    return {"sweeps": [sweep.as_json() for sweep in found]}


async def show(call: Call) -> Any:
    """`GET twins/sweeps/ID`."""
    return (await slowly(call.world, read_sweep, call.world.places, call.path["sweep"])).as_json()


async def stop(call: Call) -> Any:
    """`POST twins/sweeps/ID/stop`."""
    return (await slowly(call.world, stop_sweep, call.world.places, call.path["sweep"])).as_json()


async def resume(call: Call) -> Any:
    """`POST twins/sweeps/ID/resume`."""
    return (await slowly(call.world, resume_sweep, call.world.places, call.path["sweep"])).as_json()


ONE_RUN: Final = answered(
    {
        "id": or_null(TEXT),
        "number": COUNT,
        "parameters": VALUES,
        "state": TEXT,
        "duration_s": or_null(NUMBER),
        "note": TEXT,
    }
)
SWEEP: Final = answered(
    {
        "id": TEXT,
        "twin": TEXT,
        "phase": TEXT,
        "state": {"type": "string", "enum": ["running", "done", "stopped", "interrupted"]},
        "created": TEXT,
        "ended": or_null(TEXT),
        "jobs": COUNT,
        "outputs": TEXT,
        "runs": some(ONE_RUN),
        "table": answered({"columns": some(TEXT), "rows": some(some(ANY))}),
        "notes": some(TEXT),
    }
)
RANGES: Final = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"anyOf": [VALUE, {**some(VALUE), "minItems": 1, "maxItems": 1000}]},
    "description": "By parameter: START:STOP:STEP or A,B as text, a list, or one value for all runs.",
}
WANTED: Final = sent(
    {
        "set": RANGES,
        "phase": {**TEXT, "maxLength": 32},
        "jobs": {"type": "integer", "minimum": 1, "maximum": 1000},
        "columns": {**some(TEXT), "maxItems": 100},
    },
    ("set",),
)

OPERATIONS: Final = (
    Operation("POST", "/{twin}/sweeps", "startSweep", "Run a twin for every combination of some values",
              start, Answer(SWEEP, 201, "It runs."), (409, 422, 503, 507), body=WANTED),
    Operation("GET", "/sweeps", "listSweeps", "The latest sweeps", list_all, Answer(answered({"sweeps": some(SWEEP)})),
              query=(Query("twin", {"type": "string", "minLength": 1}, "Those of this twin alone."),)),
    Operation("GET", "/sweeps/{sweep}", "getSweep", "How a sweep stands, with its table", show, Answer(SWEEP)),
    Operation("POST", "/sweeps/{sweep}/stop", "stopSweep", "End a sweep and its runs", stop, Answer(SWEEP), (409,)),
    Operation("POST", "/sweeps/{sweep}/resume", "resumeSweep", "Go on with a sweep that was stopped",
              resume, Answer(SWEEP), (409, 503, 507)),
)  # fmt: skip
