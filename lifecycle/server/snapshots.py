"""Snapshots of a twin: keep, list, restore, remove and undo that."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from lifecycle.models import Phase, RunState
from lifecycle.server.operations import Answer, Call, Operation
from lifecycle.server.schemas import TEXT, answered, or_null, ref, sent, some
from lifecycle.server.slowly import slowly
from lifecycle.state.errors import CannotKeep
from lifecycle.state.snapshots import (
    bring_back_snapshot,
    list_snapshots,
    remove_snapshot,
    restore_snapshot,
    save_snapshot,
)
from lifecycle.twins import find_twin


async def list_all(call: Call) -> Any:
    """`GET twins/T/snapshots`."""
    found = await slowly(call.world, list_snapshots, call.world.places, call.twin)
    return {"snapshots": [snapshot.as_json() for snapshot in found]}


async def save(call: Call) -> Any:
    """`POST twins/T/snapshots`: the twin's own save first, where there is one."""
    twin = await asyncio.to_thread(find_twin, call.world.places, call.twin)
    if Phase.SAVE in twin.programs:
        run = await slowly(call.world, call.world.runs.start, twin.name, Phase.SAVE)
        state = await call.world.watches.end_of(run.id)
        if state is not RunState.SUCCEEDED:
            raise CannotKeep(
                f"The twin's own lifecycle/save {state}, so nothing was kept.",
                f"Its output is that of the run {run.id}.",
            )
    made = await slowly(call.world, save_snapshot, call.world.places, twin.name, call.body.get("name"))
    return made.as_json()


async def restore(call: Call) -> Any:
    """`POST twins/T/snapshots/S/restore`."""
    done = await slowly(call.world, restore_snapshot, call.world.places, call.twin, call.path["snapshot"])
    return done.as_json()


async def remove(call: Call) -> Any:
    """`DELETE twins/T/snapshots/S`."""
    await slowly(call.world, remove_snapshot, call.world.places, call.twin, call.path["snapshot"])
    return {"removed": call.path["snapshot"]}


async def bring_back(call: Call) -> Any:
    """`POST twins/T/snapshots/S/undelete`."""
    found = await slowly(call.world, bring_back_snapshot, call.world.places, call.twin, call.path["snapshot"])
    return found.as_json()


OPERATIONS: Final = (
    Operation("GET", "/{twin}/snapshots", "listSnapshots", "A twin's snapshots, newest first",
              list_all, Answer(answered({"snapshots": some(ref("Snapshot"))})), (410,)),
    Operation("POST", "/{twin}/snapshots", "saveTwin", "Keep a twin's folder and outputs; its own save runs first",
              save, Answer(ref("Snapshot"), 201, "It is kept."), (409, 422, 503, 507),
              body=sent({"name": {**TEXT, "maxLength": 200}}), body_required=False),
    Operation("POST", "/{twin}/snapshots/{snapshot}/restore", "restoreSnapshot",
              "Bring a twin back as it was; what is there is kept as a snapshot first",
              restore, Answer(answered({"snapshot": ref("Snapshot"), "before": or_null(TEXT)})), (409, 410, 413)),
    Operation("DELETE", "/{twin}/snapshots/{snapshot}", "removeSnapshot", "Take a snapshot away",
              remove, Answer(answered({"removed": TEXT}))),
    Operation("POST", "/{twin}/snapshots/{snapshot}/undelete", "undeleteSnapshot", "Undo that",
              bring_back, Answer(ref("Snapshot")), (409, 410)),
)  # fmt: skip
