"""One simulated person: signs in with the form, opens a page, starts a workspace, runs code, stays connected."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from twinhub.operate.scaletest.figures import Figures

LONGEST_WAIT_S: Final = 60.0
POLL_S: Final = 0.5
ANSWER_EVERY_S: Final = 5.0


class StepFailed(Exception):
    """A person could not go on; the words say at which step, and why."""


@dataclass
class Bot:
    """Somebody with an account, and a browser's cookies."""

    base_url: str
    name: str
    password: str = field(repr=False)
    figures: Figures
    start_timeout_s: float
    http: httpx2.AsyncClient = field(init=False)
    socket: ClientConnection | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when they are connected, or could not be."""
    _token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.http = self._new_client()

    def _new_client(self) -> httpx2.AsyncClient:
        # This machine's own address: a certificate for the public name would not match it.
        return httpx2.AsyncClient(base_url=self.base_url, timeout=60.0, trust_env=False, verify=False)

    async def live(self, stay_s: float, ready: asyncio.Event) -> None:
        """Do all of it; a failure is counted, not raised."""
        try:
            with self._timed("sign_in"):
                await self._sign_in()
            with self._timed("page"):
                await self._page()
            with self._timed("workspace"):
                await self._start_workspace()
            with self._timed("kernel"):
                await self._start_kernel()
                await self._run("1 + 1")
            self.figures.open_sockets += 1
            self.settled.set()
            with suppress(TimeoutError):  # they have stayed long enough
                await asyncio.wait_for(self._stay(ready), timeout=stay_s)
        except StepFailed as error:
            self.figures.failures[str(error)] += 1
        except (httpx2.HTTPError, OSError, WebSocketException) as error:
            self.figures.failures[f"{type(error).__name__}: {str(error)[:100]}"] += 1
        finally:
            self.settled.set()

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.figures.note(step, time.perf_counter() - began)

    async def _ask(
        self, method: str, path: str, *, http: httpx2.AsyncClient | None = None, **options: Any
    ) -> httpx2.Response:
        """Send a request; wait and try again where the gateway limits them, as a person does."""
        deadline = time.monotonic() + LONGEST_WAIT_S
        while True:
            answer = await (http or self.http).request(method, path, **options)
            if answer.status_code != 429 or time.monotonic() > deadline:
                return answer
            self.figures.throttled += 1
            after = answer.headers.get("retry-after", "1")
            await asyncio.sleep(min(10.0, float(after) if after.isdigit() else 1.0))

    async def _sign_in(self) -> None:
        await self._ask("GET", "/hub/login")
        form = {"username": self.name, "password": self.password, "_xsrf": self._xsrf()}
        answer = await self._ask("POST", "/hub/login", data=form)
        if answer.status_code != 302:
            raise StepFailed(f"sign-in was answered with {answer.status_code}")

    def _xsrf(self) -> str:
        values = [cookie.value for cookie in self.http.cookies.jar if cookie.name.endswith("_xsrf")]
        return values[-1] or "" if values else ""

    async def _page(self) -> None:
        answer = await self._ask("GET", "/app/library", follow_redirects=True, headers={"Accept": "text/html"})
        if answer.status_code != 200 or "/app/library" not in str(answer.url):
            raise StepFailed(f"the Library was answered with {answer.status_code} at {answer.url.path}")

    async def _start_workspace(self) -> None:
        """Make a token as a program does, then start the workspace and wait until it answers."""
        self._token = await self._make_token()
        asked = await self._api("POST", f"/hub/api/users/{self.name}/server", json={})
        if asked.status_code not in (201, 202):
            raise StepFailed(f"starting a workspace was answered with {asked.status_code}: {_words(asked)}")
        deadline = time.monotonic() + self.start_timeout_s
        while True:
            server = (await self._api("GET", f"/hub/api/users/{self.name}")).json()["servers"].get("")
            if server and server["ready"]:
                return
            if not server:
                raise StepFailed("a workspace ended while it started ('twinhub logs hub' tells why)")
            if time.monotonic() > deadline:
                raise StepFailed(f"a workspace was not ready after {self.start_timeout_s:.0f} s")
            await asyncio.sleep(POLL_S)

    async def _make_token(self) -> str:
        proof = {"username": self.name, "password": self.password}
        body = {"note": "scaletest", "expires_in": 3600, "auth": proof}
        # With the password and without the browser's cookies, which make no token.
        async with self._new_client() as http:
            made = await self._ask("POST", f"/hub/api/users/{self.name}/tokens", http=http, json=body)
        if made.status_code != 201:
            raise StepFailed(f"making a token was answered with {made.status_code}: {_words(made)}")
        return str(made.json()["token"])

    async def _api(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return await self._ask(method, path, headers={"Authorization": f"token {self._token}"}, **options)

    async def _start_kernel(self) -> None:
        base = f"/user/{self.name}/api/kernels"
        made = await self._api("POST", base, json={"name": "python3"})
        if made.status_code != 201:
            raise StepFailed(f"starting a kernel was answered with {made.status_code}: {_words(made)}")
        address = f"{self.base_url.replace('http', 'ws', 1)}{base}/{made.json()['id']}/channels"
        encrypted = ssl._create_unverified_context() if urlsplit(address).scheme == "wss" else None  # noqa: S323
        self.socket = await connect(
            address,
            additional_headers={"Authorization": f"token {self._token}"},
            open_timeout=60,
            proxy=None,
            ssl=encrypted,
        )

    async def _run(self, code: str) -> None:
        """Run code in the kernel, and return when it is done."""
        assert self.socket is not None  # noqa: S101 - the step before opened it
        message_id = secrets.token_hex(8)
        header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "s", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await self.socket.send(json.dumps(message))
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                while not _is_done(json.loads(await self.socket.recv()), message_id):
                    pass
        except TimeoutError as error:
            raise StepFailed(f"a kernel did not answer within {LONGEST_WAIT_S:.0f} s") from error

    async def _stay(self, ready: asyncio.Event) -> None:
        """Stay connected; from when everybody is there, run something now and then."""
        await ready.wait()
        while True:
            try:
                with self._timed("answer"):
                    await self._run("sum(range(1000))")
            except WebSocketException as error:
                self.figures.lost_sockets += 1
                raise StepFailed("an open WebSocket was lost") from error
            await asyncio.sleep(ANSWER_EVERY_S)

    async def leave(self) -> None:
        """Go away as a closed laptop does: without a word."""
        if self.socket is not None:
            self.socket.transport.abort()
        await self.http.aclose()


def _is_done(message: dict[str, Any], message_id: str) -> bool:
    mine = message["parent_header"].get("msg_id") == message_id
    return mine and message["msg_type"] == "status" and bool(message["content"]["execution_state"] == "idle")


def _words(answer: httpx2.Response) -> str:
    try:
        return str(answer.json().get("message", ""))[:200]
    except (ValueError, AttributeError):
        return ""
