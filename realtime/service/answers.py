"""Answers in JSON that nobody may keep."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response


def json_answer(content: Any, status: int = 200) -> Response:
    """Give content as JSON; msgspec's structs may be in it."""
    return Response(msgspec.json.encode(content), status, {"cache-control": "no-store"}, "application/json")
