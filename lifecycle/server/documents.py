"""What describes the API and the descriptor to programs."""

from __future__ import annotations

import json
from typing import Any, Final

from lifecycle.descriptor import SCHEMA
from lifecycle.server.operations import Answer, Call, Operation, Reply


async def descriptor_schema(call: Call) -> Any:
    """`GET twins/schema`."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


async def openapi(call: Call) -> Reply:
    """`GET twins/openapi.json`."""
    return Reply(call.world.document)


OPERATIONS: Final = (
    Operation("GET", "/openapi.json", "getOpenapi", "This document", openapi, Answer({"type": "object"})),
    Operation("GET", "/schema", "getDescriptorSchema", "The JSON Schema of twin.yaml",
              descriptor_schema, Answer({"type": "object"})),
)  # fmt: skip
