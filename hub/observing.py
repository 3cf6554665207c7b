"""The hub's log as JSON, a name for each request, and the audit log, from one place: the end of every request."""

from __future__ import annotations

import logging
import re
from typing import Any, Final
from urllib.parse import unquote

from jupyterhub import orm
from jupyterhub.log import prometheus_log_method
from sqlalchemy.exc import SQLAlchemyError
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.log import access_log
from tornado.web import HTTPError, OutputTransform

from twinhub.audit import Deed, record
from twinhub.logging import REQUEST_HEADER, fields, new_request_id, request_id
from twinhub.places import Places

USERS: Final = r"/api/users/(?P<about>[^/]+)"
SERVER: Final = r"/servers?(?:/(?P<detail>[^/]+))?"

DEEDS: Final = tuple(
    (methods.split(), re.compile(pattern), action)
    for methods, pattern, action in (
        ("POST", r"/login", "sign_in"),
        ("GET POST", r"/oauth_callback", "sign_in"),
        ("POST", r"/signup", "account.asked_for"),
        ("POST", r"/password", "account.password"),
        ("POST", r"/accounts", "account.changed"),
        ("POST", r"/api/twinhub/sign-out", "sign_out"),
        ("POST", r"/api/twinhub/tokens", "token.made"),
        ("DELETE", r"/api/twinhub/tokens/(?P<detail>[^/]+)", "token.revoked"),
        ("POST", r"/api/twinhub/accounts", "account.changed"),
        ("POST", r"/invite", "account.made"),
        ("POST", rf"{USERS}/tokens", "token.made"),
        ("DELETE", rf"{USERS}/tokens/(?P<detail>[^/]+)", "token.revoked"),
        ("POST", rf"{USERS}{SERVER}", "workspace.start"),
        ("DELETE", rf"{USERS}{SERVER}", "workspace.stop"),
        ("POST GET", r"/spawn/(?P<about>[^/]+)(?:/(?P<detail>[^/]+))?", "workspace.start"),
        ("POST", r"/spawn", "workspace.start"),
        ("POST", rf"(?:{USERS}|/api/users)", "account.made"),
        ("DELETE", USERS, "account.removed"),
        ("PATCH", USERS, "account.changed"),
    )
)
SILENT: Final = re.compile(r"/api/users/[^/]+/activity|/api/oauth2/token|/api/oauth2/authorize|/security/csp-report")
"""What programs do by themselves all the time."""
WORKSPACE_CLIENT: Final = re.compile(r"jupyterhub-user-(?P<about>[^/]+)")
QUIET: Final = re.compile(r".*/(?:health|static/.*|logo|metrics|api/users/[^/]+/activity)")


class NamedResponse(OutputTransform):
    """Give each request a name, which its log lines and its answer carry."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._name = new_request_id(request.headers.get(REQUEST_HEADER))
        request_id.set(self._name)

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        headers[REQUEST_HEADER] = self._name
        return status_code, headers, chunk


def observe(c: Any, places: Places) -> None:
    """Fill in what JupyterHub offers for logs; call it after its tornado_settings are made."""
    level = places.settings.monitoring.log_level
    c.JupyterHub.log_level = level.upper()
    c.JupyterHub.logging_config = {"formatters": {"console": {"()": "twinhub.logging.JsonLines", "part": "hub"}}}
    c.JupyterHub.tornado_settings["transforms"] = [NamedResponse]
    c.JupyterHub.tornado_settings["log_function"] = Observer(places)


class Observer:
    """Called by Tornado at the end of each request."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def __call__(self, handler: Any) -> None:
        prometheus_log_method(handler)
        name = _name_of(handler)
        _log(handler, name)
        deed = _deed(handler, name)
        if deed is not None:
            record(self._places, "hub", deed)


def _name_of(handler: Any) -> str:
    """Give the account or service that asked; '' for a stranger."""
    try:
        user = handler.current_user
    except (HTTPError, RuntimeError, AttributeError):
        return ""
    if user is None:
        return ""
    name = str(getattr(user, "name", user))
    return f"service:{name}" if getattr(user, "kind", "user") == "service" else name


def _log(handler: Any, name: str) -> None:
    request, status = handler.request, handler.get_status()
    took_ms = 1000 * request.request_time()
    level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO
    if level == logging.INFO and took_ms < 1000 and (QUIET.fullmatch(request.path) or status == 304):
        level = logging.DEBUG
    # The address without its query, which may hold codes, and never a header.
    about = fields(
        method=request.method[:20], path=request.path, status=status, user=name, address=request.remote_ip,
        took_ms=round(took_ms, 1),
    )  # fmt: skip
    access_log.log(level, "answered", extra=about)


def _deed(handler: Any, name: str) -> Deed | None:
    """Give what the request did, for the audit log; None for one that only looked."""
    request, status = handler.request, handler.get_status()
    path = request.path.removeprefix(handler.hub.base_url.rstrip("/") if hasattr(handler, "hub") else "/hub")
    ok = status < 400
    for methods, pattern, action in DEEDS:
        found = pattern.fullmatch(path)
        if request.method in methods and found:
            about, detail = _told(handler, found)
            if not ok and action in ("sign_in", "account.asked_for"):
                about = _account(handler, about)
            if action == "sign_in":
                name, about = name or about, ""
            if action == "workspace.start" and request.method == "GET" and ok and status != 302:
                return None  # just the page with the choices
            return Deed(name or "-", action, about, ok, detail, request.remote_ip or "")
    if path == "/api/oauth2/authorize":
        return _visit(handler, name, ok=ok)
    if request.method in ("GET", "HEAD", "OPTIONS") or SILENT.fullmatch(path):
        return None
    return Deed(name or "-", "hub.change", f"{request.method} {path}", ok, "", request.remote_ip or "")


def _account(handler: Any, typed: str) -> str:
    """Give a name that somebody has; anything else may be a password typed into the wrong field."""
    try:
        return typed if orm.User.find(handler.db, typed.lower()) else ""
    except SQLAlchemyError:
        handler.db.rollback()
        return ""


def _told(handler: Any, found: re.Match[str]) -> tuple[str, str]:
    """Read whom it concerned and what was chosen, from the address or the form."""
    parts = {key: unquote(value) for key, value in found.groupdict().items() if value}
    about = parts.get("about") or _argument(handler, "username")
    return about, parts.get("detail") or _argument(handler, "action")


def _argument(handler: Any, name: str) -> str:
    values = handler.request.body_arguments.get(name, [b""])
    return str(values[-1].decode("utf-8", "replace")).strip()


def _visit(handler: Any, name: str, *, ok: bool) -> Deed | None:
    """Note who enters a workspace that is not theirs."""
    client = handler.request.arguments.get("client_id", [b""])[-1].decode("utf-8", "replace")
    found = WORKSPACE_CLIENT.fullmatch(unquote(client))
    if found is None or not name or found["about"] == name:
        return None
    return Deed(name, "workspace.visit", found["about"], ok, "", handler.request.remote_ip or "")
