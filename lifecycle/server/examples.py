"""Examples, and new twins made from them, from assets or from nothing."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from lifecycle.scaffold import ExampleNotFound, find_example, list_examples, new_twin
from lifecycle.server.operations import Answer, Call, Operation, Reply
from lifecycle.server.schemas import FLAG, PHASE, TEXT, answered, ref, sent, some
from lifecycle.server.slowly import slowly
from lifecycle.server.twins import PICTURE, in_short, picture_reply


async def list_all(call: Call) -> Any:
    """`GET twins/examples`."""
    found = await asyncio.to_thread(list_examples, call.world.places)
    return {"examples": [example.as_json() for example in found]}


async def picture(call: Call) -> Reply:
    """`GET twins/examples/NAME/picture`."""

    def look() -> Reply:
        example = find_example(call.world.places, call.path["example"])
        if example.picture is None:
            raise ExampleNotFound(f"The example {example.name!r} has no picture.", "Show its name.")
        return picture_reply(example.picture)

    return await asyncio.to_thread(look)


async def make(call: Call) -> Any:
    """`POST twins/`."""
    begin = call.body.get("from") or {}
    twin = await slowly(
        call.world,
        new_twin,
        call.world.places,
        call.body["name"],
        example=begin.get("example"),
        assets=begin.get("assets", ()),
        title=call.body.get("title"),
    )
    return await asyncio.to_thread(in_short, call.world, twin)


EXAMPLE: Final = answered(
    {"name": TEXT, "title": TEXT, "description": TEXT, "picture": FLAG, "phases": some(PHASE), "there": FLAG}
)
BEGINNING: Final = {
    "anyOf": [
        sent({"example": TEXT}, ("example",)),
        sent({"assets": {**some({**TEXT, "maxLength": 1000}), "maxItems": 100}}, ("assets",)),
    ]
}
NEW: Final = sent(
    {"name": {**TEXT, "maxLength": 255}, "from": BEGINNING, "title": {**TEXT, "maxLength": 200}}, ("name",)
)

OPERATIONS: Final = (
    Operation("GET", "/examples", "listExamples", "Twins that people may begin with",
              list_all, Answer(answered({"examples": some(EXAMPLE)}))),
    Operation("GET", "/examples/{example}/picture", "getExamplePicture", "An example's picture", picture, PICTURE),
    Operation("POST", "/", "makeTwin", "Make a twin from an example, from assets or from nothing",
              make, Answer(ref("Twin"), 201, "It is there."), (404, 409, 422, 507), body=NEW),
)  # fmt: skip
