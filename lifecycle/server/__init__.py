"""The Jupyter Server extension: the lifecycle under /user/NAME/twins."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from lifecycle.server.app import TwinsExtension  # noqa: PLC0415 - what describes the API needs no server

    return [{"module": "lifecycle.server", "app": TwinsExtension}]
