"""Look whether everything that a twin needs is there."""

from __future__ import annotations

from typing import Any, Final

from lifecycle.explore import explore_twin
from lifecycle.server.operations import Answer, Call, Operation
from lifecycle.server.schemas import FLAG, TEXT, answered, some
from lifecycle.server.slowly import slowly


async def explore(call: Call) -> Any:
    """`POST twins/T/explore`: our report; the twin's own explore is a run like any other."""
    report = await slowly(call.world, explore_twin, call.world.places, call.twin)
    return report.as_json()


FINDING: Final = answered(
    {"subject": TEXT, "level": {"type": "string", "enum": ["ok", "warning", "missing"]}, "what": TEXT, "fix": TEXT}
)

OPERATIONS: Final = (
    Operation("POST", "/{twin}/explore", "exploreTwin", "Look whether everything that a twin needs is there",
              explore, Answer(answered({"ok": FLAG, "findings": some(FINDING)}))),
)  # fmt: skip
