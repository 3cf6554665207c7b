"""How many named workspaces a person may have."""

from __future__ import annotations

from typing import Any, Final

from tornado import web

from twinhub.names import REALTIME_SERVER

NO_LIMIT: Final = 0
"""What the hub takes for one."""


def named_limit(wanted: int, handler: Any) -> int:
    """Give the limit for the request that a handler answers: `wanted`, as the settings have it.

    The workspace in which somebody's real-time twins run is none of those they
    made themselves: it takes none of their places, and they can always have it.
    """
    owner, server = (*handler.path_args, None, None)[:2]
    if server == REALTIME_SERVER:
        return NO_LIMIT
    if wanted == 0 and server:
        raise web.HTTPError(400, "Nobody may have named workspaces here.")
    user = handler.find_user(owner) if owner else handler.current_user
    return wanted + int(user is not None and REALTIME_SERVER in user.orm_spawners)
