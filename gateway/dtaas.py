"""Addresses of other DTaaS installations, which lead to ours: /NAME/lab is /user/NAME/lab.

Links and bookmarks in people's reports have them. A redirect only ever names a
path of this very origin, built from a name and a tool that match a pattern, so
it leads nowhere else; and it never stands before an address of the platform.
"""

from __future__ import annotations

from typing import Any, Final

from twinhub.names import USERNAME_PATTERN

NAME: Final = USERNAME_PATTERN.strip("^$")
TOOLS: Final = {"lab": "lab", "terminals/main": "terminals/main", "tools/vnc": "desktop/", "tools/vscode": "vscode/"}
OURS: Final = ("app", "hub", "lib", "realtime", "services", "twins", "user")
"""First parts of the platform's own addresses."""

PRIORITY: Final = 20_000
"""Above the hub's own routes, which are all below OURS; under every other route of the platform."""


def dtaas_routers(entry_point: str, service: str) -> dict[str, Any]:
    """Give one router for each tool; `service` answers what a router matches and no redirect does."""
    ours = f"PathRegexp(`^/({'|'.join(OURS)})/`)"
    return {
        _router(tool): {
            "rule": f"PathRegexp(`^/{NAME}/{tool}(/|$)`) && !{ours}",
            "service": service,
            "entryPoints": [entry_point],
            "priority": PRIORITY,
            "middlewares": [_router(tool)],
        }
        for tool in TOOLS
    }


def dtaas_middlewares() -> dict[str, Any]:
    """Give each router's redirect, which keeps what follows the tool: deeper paths and the query."""
    return {
        _router(tool): {
            "redirectRegex": {
                "regex": rf"^[a-z]+://[^/]+/({NAME})/{tool}{_rest(ours)}(\?.*)?$",
                "replacement": f"/user/${{1}}/{ours}${{2}}${{3}}",
            }
        }
        for tool, ours in TOOLS.items()
    }


def _rest(ours: str) -> str:
    """Match a deeper path, which brings its slash unless our address ends with one."""
    return "(?:/([^?#]*))?" if ours.endswith("/") else "(/[^?#]*)?"


def _router(tool: str) -> str:
    return f"twinhub-dtaas-{tool.replace('/', '-')}"
