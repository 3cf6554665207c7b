"""The way from a terminal to the service: HTTP, a token, errors in the service's own words."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from realtime.errors import RealtimeError

PATIENCE_S = 180.0
"""A deployment waits for the workspace that checks it."""


class ServiceUnreachable(RealtimeError):
    """The platform does not answer, or not as one."""

    code = "service_unreachable"
    status = 503


class NoAccess(RealtimeError):
    """Nothing says where the platform is, or who asks."""

    code = "no_access"
    status = 401


class Refused(RealtimeError):
    """The service refused, in words of its own."""

    code = "refused"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token goes to the address that was named, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass
class Client:
    """Ask the service as one person."""

    url: str
    token: str = field(repr=False)
    owner: str
    _opener: ClassVar[urllib.request.OpenerDirector] = urllib.request.build_opener(_NoRedirects)

    def ask(self, method: str, path: str, *, body: Any = None, **query: Any) -> Any:
        """Send a request below the owner's address; give the answer's JSON. Raises RealtimeError."""
        given = urlencode({name: value for name, value in query.items() if value is not None})
        address = f"{self.url}/realtime/{quote(self.owner, safe='')}/{path}" + (f"?{given}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self.send(method, address, data, {"Content-Type": "application/json"}) or b"null")

    def send(
        self, method: str, address: str, data: bytes | Iterator[bytes] | None, headers: Mapping[str, str]
    ) -> bytes:
        """Send bytes, give bytes; raises RealtimeError."""
        every = {"Authorization": f"token {self.token}", "Accept": "application/json", **headers}
        request = urllib.request.Request(address, data=data, method=method, headers=every)  # noqa: S310 - checked when made
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as error:
            raise _refusal(error.code, error.read()) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ServiceUnreachable(
                f"The platform at {self.url} does not answer: {reason}.", "Check the address, or try again in a while."
            ) from None


def _refusal(status: int, body: bytes) -> RealtimeError:
    try:
        error = json.loads(body)["error"]
        refused: RealtimeError = Refused(str(error["what"]), str(error.get("fix", "")))
    except (ValueError, KeyError, TypeError):
        return ServiceUnreachable(f"The platform answered {status}, and not in words of ours.", "Check the address.")
    return refused


def make_client(url: str | None, token_file: str | None, owner: str | None) -> Client:
    """Find out where the service is and who asks; raises NoAccess."""
    inside = os.environ.get("JUPYTERHUB_API_URL", "").removesuffix("/hub/api")
    where = (url or inside).rstrip("/")
    if not where:
        raise NoAccess(
            "Nothing says where the platform is.",
            "Give --url https://…, or set REALTIME_URL; in a workspace it is known.",
        )
    if not where.startswith(("http://", "https://")):
        raise NoAccess(f"'{where[:80]}' is no address of a platform.", "Write it as https://twins.example.org.")
    # A token of the workspace is for the platform that started it, and goes nowhere else.
    token = _read_token(token_file) or ("" if url else os.environ.get("JUPYTERHUB_API_TOKEN", ""))
    if not token:
        raise NoAccess(
            "Nothing says who you are.",
            "Make a token at /app/tokens; put it into a file for --token-file, or into REALTIME_TOKEN.",
        )
    client = Client(where, token, owner or "")
    if not owner:
        client.owner = _whoami(client)
    return client


def _read_token(file: str | None) -> str:
    if file is None:
        return os.environ.get("REALTIME_TOKEN", "").strip()
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoAccess(
            f"The token in {file} cannot be read: {error}.", "Put the token, and nothing else, into it."
        ) from None


def _whoami(client: Client) -> str:
    own = os.environ.get("JUPYTERHUB_USER")
    if own and client.token == os.environ.get("JUPYTERHUB_API_TOKEN"):
        return own
    try:
        found = json.loads(client.send("GET", f"{client.url}/hub/api/user", None, {}))
        return str(found["name"])
    except (ValueError, KeyError, TypeError):
        raise ServiceUnreachable(f"{client.url} is no platform of this kind.", "Check the address.") from None
    except ServiceUnreachable as error:
        if "answered 4" not in error.what:
            raise
        raise NoAccess("The platform does not know this token.", "Make another one at /app/tokens.") from None
