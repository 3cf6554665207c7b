"""What JupyterHub 6.1.1 answers with a failure of its own, or tells its log, when requests are bad.

Each is a class of its own that hundreds of handlers share or that stands in its
table of addresses, so it is put right in place.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from jupyterhub import scopes
from jupyterhub.apihandlers.auth import TokenAPIHandler
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.apihandlers.users import UserServerAPIHandler, UserTokenListAPIHandler
from jupyterhub.handlers.base import BaseHandler
from tornado import web
from tornado.log import app_log, gen_log

_make_token: Final = UserTokenListAPIHandler.post
_start: Final = BaseHandler.spawn_single_user
_post_server: Final = UserServerAPIHandler.post
LONGEST_END_S: Final = 30.0
NAMES_A_SECRET: Final = ("Setting new xsrf cookie for", "Malformed HTTP message from", "Failed login for")
"""Beginnings of messages whose values are cookies, headers, or passwords typed into the wrong field."""


def ensure_strictness() -> None:
    """Put all of it right; may be called again."""
    BaseHandler.decode_argument = _decode_argument
    TokenAPIHandler.post = _gone
    UserTokenListAPIHandler.post = _make_token_that_ends
    APIHandler.get_json_body = _read_json
    BaseHandler.spawn_single_user = _start_after_the_end
    UserServerAPIHandler.post = _post_after_the_end
    for log in (app_log, gen_log, logging.getLogger("JupyterHub")):
        if _without_values not in log.filters:
            log.addFilter(_without_values)


def _decode_argument(_: Any, value: bytes, name: str | None = None) -> str:
    """Read text that may not be UTF-8 so that it means nothing; tornado refuses it and logs it, a password too."""
    return value.decode("utf-8", "replace")


def _read_json(handler: Any) -> Any:
    """Give the body of a request to the API; raises HTTPError where the hub would fail on it, or log it."""
    try:
        model = json.loads(handler.request.body or b"null")
    except (ValueError, RecursionError) as error:
        raise web.HTTPError(400, "The body is not JSON.") from error
    if not _storable(model):
        raise web.HTTPError(400, "The body holds text that cannot be kept: NUL, or half of a character.")
    for key, (holds, words) in TYPES.items():
        if isinstance(model, dict) and model.get(key) is not None and not holds(model[key]):
            raise web.HTTPError(400, f"'{key}' must be {words}.")
    try:
        scopes._check_scopes_exist((model or {}).get("scopes") or [], who_for="this request")
    except (scopes.ScopeNotFound, AttributeError) as error:
        raise web.HTTPError(400, "'scopes' names one that does not exist, or the body is no object.") from error
    return model


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(_storable(key) and _storable(inner) for key, inner in value.items())
    return not isinstance(value, list) or all(map(_storable, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


TYPES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    **dict.fromkeys(("usernames", "users", "scopes", "roles"), (_is_list_of_text, "a list of text")),
    **dict.fromkeys(("name", "note", "user", "group"), (_is_text, "text")),
}
"""What the hub takes for granted."""


async def _gone(_: Any, token: str = "") -> None:
    raise web.HTTPError(404, "This address is gone. Use /hub/api/users/NAME/tokens.")


async def _make_token_that_ends(handler: Any, user_name: str) -> None:
    try:
        await _make_token(handler, user_name)
    except OverflowError as error:
        raise web.HTTPError(400, "expires_in must be a number of seconds that a calendar can hold.") from error


async def _start_after_the_end(
    handler: Any, user: Any, server_name: str = "", display_name: str = "", options: Any = None
) -> None:
    """Start a workspace that is ending just now right after its end, where the hub would fail."""
    await _await_end(user, server_name)
    if server_name in user.spawners and user.spawners[server_name].pending:
        return  # somebody else was faster; the answer is that it starts
    await _start(handler, user, server_name, display_name, options)


async def _post_after_the_end(handler: Any, user_name: str, server_name: str = "") -> None:
    """Take a program's wish for a start in the same way; the hub looks before it comes to the function above."""
    user = handler.find_user(user_name)
    if user is not None:
        await _await_end(user, server_name)
    await _post_server(handler, user_name, server_name)


async def _await_end(user: Any, server_name: str) -> None:
    clock = asyncio.get_running_loop().time
    deadline = clock() + LONGEST_END_S
    while server_name in user.spawners and (pending := user.spawners[server_name].pending) and pending != "spawn":
        if clock() > deadline:
            raise web.HTTPError(503, "The workspace is still ending. Try again in a minute.")
        await asyncio.sleep(0.1)


def _without_values(record: logging.LogRecord) -> bool:
    """Keep the message and leave out what it was about."""
    message = str(record.msg)
    if message.startswith(NAMES_A_SECRET):
        record.msg, record.args = message.partition("%")[0].rstrip() + " [left out]", ()
    return True
