"""The tools beside Jupyter's own: how each is started, and what is said where the image has none.

All listen on a unix socket, so that no program of the owner's can take their
port, and no port of the container has to be trusted.
"""

from __future__ import annotations

import shutil
from typing import Any, Final

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from workspace_server.memory import expendable

START_TIMEOUT_S: Final = 60
"""A first start reads some hundred megabytes from a disk that may be busy."""

UNGIT_PORT: Final = "8448"
"""Never opened: ungit only knows ports, and listen-on-socket.cjs puts the socket in its place."""


def servers() -> dict[str, dict[str, Any]]:
    """Give jupyter-server-proxy's configuration of the tools that this image has."""
    found = {}
    if shutil.which("code-server"):
        found["vscode"] = _tool("VS Code", _code_server())
    if shutil.which("ungit"):
        # Its helper for git's passwords is a program of its own, which finds the socket in the same way.
        environment = {
            "SOCKET_PORT": UNGIT_PORT,
            "SOCKET_PATH": "{unix_socket}",
            "NODE_OPTIONS": "--require=/opt/twinhub/listen-on-socket.cjs",
        }
        found["ungit"] = _tool(
            "ungit", _ungit(), absolute_url=True, environment=environment, rewrite_response=keep_at_home
        )
    if shutil.which("Xtigervnc"):
        desktop = _tool("Desktop", expendable("/opt/twinhub/desktop", "{unix_socket}"), raw_socket_proxy=True)
        desktop["launcher_entry"]["path_info"] = "desktop/"
        found["desktop-websockify"] = desktop
    return found


def _tool(title: str, command: list[str], **more: Any) -> dict[str, Any]:
    return {
        "command": command,
        "unix_socket": True,
        "timeout": START_TIMEOUT_S,
        "launcher_entry": {"title": title, "category": "Other"},
        **more,
    }


def keep_at_home(response: Any) -> None:
    """Give ungit's page the type that it leaves out, and let it load no pictures of authors from gravatar.com.

    Without the type browsers show its source, as Jupyter tells them not to guess. ungit has no switch for the
    pictures, whose addresses would tell another company whose commits are looked at, and from where.
    """
    if response.body.lstrip()[:15].lower() == b"<!doctype html>":
        response.headers.setdefault("Content-Type", "text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = "img-src 'self' data: blob:"


def _code_server() -> list[str]:
    return expendable(
        "code-server",
        "--socket={unix_socket}",
        "--socket-mode=600",
        "--auth=none",  # whoever gets here has signed in at the hub
        "--config=/dev/null",
        "--disable-telemetry",
        "--disable-update-check",
        "--disable-workspace-trust",
        "--disable-getting-started-override",
        "--disable-proxy",
        "/workspace",
    )


def _ungit() -> list[str]:
    return expendable(
        "node",
        "/opt/code/node_modules/ungit/source/server.js",
        f"--port={UNGIT_PORT}",
        "--ungitBindIp=127.0.0.1",
        "--rootPath={base_url}ungit",
        "--no-launchBrowser",
        "--no-bugtracking",
        "--no-sendUsageStatistics",
        "--no-autoFetch",
        "--ungitVersionCheckOverride",
        "--forcedLaunchPath=",
    )


class NotInThisImage(JupyterHandler):
    """Say that a tool belongs to the larger image, in place of a bare 404."""

    @web.authenticated
    def get(self, _: str = "") -> None:
        """Answer 404 in words."""
        self.set_status(404)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            "<!doctype html><html lang=en><meta name=color-scheme content='light dark'><title>Not in this workspace</title>"
            "<h1>This workspace does not have that tool</h1><p>It was started from the small image, "
            "which has JupyterLab, Notebook, a terminal and git. VS Code, the desktop and ungit are in the image "
            "<i>full</i>. If the platform was installed just now, <i>full</i> may still be under way: stop "
            "your workspace and start it again later. Otherwise ask an administrator for it."
            "<p><a href='/app/workbench'>Go to the Workbench</a></html>"
        )


def missing_tools(base_url: str) -> list[tuple[str, type[JupyterHandler]]]:
    """Give routes for the tools that this image lacks."""
    there = {"desktop" if name == "desktop-websockify" else name for name in servers()}
    names = sorted({"vscode", "desktop", "ungit"} - there)
    return [(url_path_join(base_url, name, "?(.*)"), NotInThisImage) for name in names]
