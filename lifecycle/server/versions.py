"""Versions of a twin's configuration: change it, compare, go back."""

from __future__ import annotations

from typing import Any, Final

from lifecycle.errors import BadRequest
from lifecycle.server.operations import Answer, Call, Operation
from lifecycle.server.schemas import TEXT, VALUES, answered, or_null, ref, sent, some
from lifecycle.server.slowly import slowly
from lifecycle.state.differences import compare_versions
from lifecycle.state.versions import evolve, go_back, list_versions

NOW: Final = "now"
MOST_DIGITS: Final = 9


async def list_all(call: Call) -> Any:
    """`GET twins/T/versions`."""
    found = await slowly(call.world, list_versions, call.world.places, call.twin)
    return {"versions": [version.as_json() for version in found]}


async def change(call: Call) -> Any:
    """`POST twins/T/evolve`."""
    places, runs = call.world.places, call.world.runs
    values, reason = call.body.get("set", {}), call.body.get("reason", "")
    done = await slowly(call.world, evolve, places, runs, call.twin, values=values, reason=reason)
    return done.as_json()


async def compare(call: Call) -> Any:
    """`GET twins/T/versions/A/compare/B`; B may be `now`."""
    one, other = _number(call.path["version"]), _number(call.path["newer"])
    found = await slowly(call.world, compare_versions, call.world.places, call.twin, one, other)
    return {"files": [change.as_json() for change in found]}


async def restore(call: Call) -> Any:
    """`POST twins/T/versions/N/restore`."""
    number = _number(call.path["version"])
    if number is None:
        raise BadRequest("The present configuration cannot be taken back.", "Name a version by its number.")
    kept = await slowly(call.world, go_back, call.world.places, call.twin, number)
    return {"version": kept.as_json()}


def _number(text: str) -> int | None:
    if text == NOW:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise BadRequest(
            f"{text[:40]!r} is no version.", f"Versions have numbers; '{NOW}' is the present configuration."
        )
    return int(text)


OPERATIONS: Final = (
    Operation("GET", "/{twin}/versions", "listVersions", "Configurations kept, newest first",
              list_all, Answer(answered({"versions": some(ref("Version"))})), (410,)),
    Operation("POST", "/{twin}/evolve", "evolveTwin", "Change defaults and run the twin's own evolve",
              change, Answer(answered({"version": ref("Version"), "run": or_null(ref("Run"))}),
                             description="What it was is kept as this version."), (409, 410, 413, 422, 503, 507),
              body=sent({"set": VALUES, "reason": {**TEXT, "maxLength": 1000}}), body_required=False),
    Operation("GET", "/{twin}/versions/{version}/compare/{newer}", "compareVersions", "What changed, file by file",
              compare, Answer(answered({"files": some(answered({"path": TEXT, "change": TEXT, "diff": TEXT}))})), (410,)),
    Operation("POST", "/{twin}/versions/{version}/restore", "restoreVersion",
              "Make a configuration the present one; what is there is kept as a version first",
              restore, Answer(answered({"version": ref("Version")})), (409, 410, 413)),
)  # fmt: skip
