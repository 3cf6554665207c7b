"""Live output between the browser and the person's workspace: real WebSockets on both sides of the real application."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response

from twinhub.names import SESSION_COOKIE
from twinhub.signin import HubClient, Sessions
from web.streams import MOST_PER_PERSON, Streams

RUN = "/app/api/twins/runs/20260101T000000000-abcdef/stream"
Talk = Callable[[ServerConnection], Awaitable[None]]


@dataclass
class Platform:
    """A workspace that says what a test tells it, and the application in front of it."""

    talk: Talk
    sessions: Sessions = field(default_factory=lambda: Sessions("secret"))
    asked: list[Request] = field(default_factory=list)
    refusal: int | None = None
    known: bool = True
    port: int = 0
    client: HubClient | None = None

    async def hub(self, request: httpx2.Request) -> httpx2.Response:
        """Answer as the hub does to who owns a token."""
        is_alice = self.known and request.headers["authorization"] == "token token-of-alice"
        return httpx2.Response(200, json={"kind": "user", "name": "alice"}) if is_alice else httpx2.Response(403)

    def before(self, connection: ServerConnection, request: Request) -> Response | None:
        """Note the handshake that reached the workspace, and refuse it when a test wants that."""
        self.asked.append(request)
        return connection.respond(self.refusal, "no\n") if self.refusal else None

    def sign_out(self) -> None:
        """Let the hub know alice no longer."""
        self.known = False
        if self.client:
            self.client.forget("token-of-alice")

    def connect(self, path: str = RUN, *, session: str | None = "", **headers: str) -> connect:
        """Open a stream as a browser does, signed in as alice unless another session is given."""
        own = f"127.0.0.1:{self.port}"
        cookie = self.sessions.seal("token-of-alice") if session == "" else session
        sent = {"Origin": f"http://{own}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if cookie is not None:
            sent["Cookie"] = f"{SESSION_COOKIE}={cookie}"
        return connect(f"ws://{own}{path}", additional_headers=sent, proxy=None, compression=None, close_timeout=1)


@contextlib.asynccontextmanager
async def platform(talk: Talk, **settings: Any) -> AsyncIterator[Platform]:
    """Run workspace and application on free ports of loopback."""
    made = Platform(talk, **settings)
    async with serve(made.talk, "127.0.0.1", 0, process_request=made.before, close_timeout=1) as workspace:
        gateway = f"http://127.0.0.1:{next(iter(workspace.sockets)).getsockname()[1]}"
        client = HubClient("http://hub", transport=httpx2.MockTransport(made.hub))
        made.client = client
        streams = Streams(gateway, client, made.sessions, look_again_s=0.05)
        listener = socket.create_server(("127.0.0.1", 0))
        made.port = listener.getsockname()[1]
        config = uvicorn.Config(streams, log_level="error", lifespan="off", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield made
        finally:
            server.should_exit = True
            await serving


async def close_of(stream: ClientConnection) -> tuple[int | None, str | None]:
    """Read to the end and give how it ended."""
    with contextlib.suppress(ConnectionClosed):
        async for _ in stream:
            pass
    return stream.close_code, stream.close_reason


async def wait_for_ever(stream: ServerConnection) -> None:
    """Say nothing until the other side goes."""
    await stream.wait_closed()


def test_output_passes_as_it_is_and_the_end_is_told() -> None:
    """The page counts bytes by the offset in each frame, so no frame may be cut or joined."""

    async def talk(stream: ServerConnection) -> None:
        await stream.send(b"\0\0\0\0\0\0\0\x05hello\xff")
        await stream.send('{"type": "end"}')
        await stream.close(1000)

    async def scenario() -> None:
        async with platform(talk) as made, made.connect(f"{RUN}?offset=5&token=x") as stream:
            assert await stream.recv() == b"\0\0\0\0\0\0\0\x05hello\xff"
            assert json.loads(await stream.recv()) == {"type": "end"}
            assert (await close_of(stream))[0] == 1000
        [asked] = made.asked
        assert asked.path == "/user/alice/twins/runs/20260101T000000000-abcdef/stream?offset=5"
        assert asked.headers["authorization"] == "token token-of-alice"
        assert "cookie" not in asked.headers
        assert "origin" not in asked.headers

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"session": None}, 401),
        ({"session": "forged"}, 401),
        ({"path": "/app/api/twins/runs/..%2f..%2fapi/stream"}, 404),
        ({"path": "/app/api/twins/runs/a/log"}, 404),
        ({"path": "/app/library"}, 404),
    ],
)
def test_strangers_and_other_sites_are_refused_before_the_handshake(wrong: dict[str, str], status: int) -> None:
    """Browsers send the session's cookie with any WebSocket that any site opens."""

    async def scenario() -> None:
        async with platform(wait_for_ever) as made:
            with pytest.raises(InvalidStatus) as refused:
                await made.connect(wrong.pop("path", RUN), **wrong)
            assert refused.value.response.status_code == status
            assert made.asked == []

    asyncio.run(scenario())


@pytest.mark.parametrize(("refusal", "code"), [(302, 4409), (424, 4409), (503, 4409), (404, 4404), (403, 4403)])
def test_what_the_workspace_refuses_is_told_by_a_code(refusal: int, code: int) -> None:
    """A page sees nothing of a refused handshake, and must know whether to try again."""

    async def scenario() -> None:
        async with platform(wait_for_ever, refusal=refusal) as made, made.connect() as stream:
            assert (await close_of(stream))[0] == code

    asyncio.run(scenario())


@pytest.mark.parametrize(("sent", "received"), [(4404, 4404), (1012, 1012), (1001, 1012), (1011, 1012)])
def test_close_codes_come_through_or_make_the_page_connect_again(sent: int, received: int) -> None:
    """A workspace's server that restarts must not look like the end of a run."""

    async def talk(stream: ServerConnection) -> None:
        await stream.close(sent, "because")

    async def scenario() -> None:
        async with platform(talk) as made, made.connect() as stream:
            assert (await close_of(stream))[0] == received

    asyncio.run(scenario())


def test_a_workspace_that_dies_makes_the_page_connect_again() -> None:
    """Its connection ends without a word."""

    async def talk(stream: ServerConnection) -> None:
        stream.transport.abort()

    async def scenario() -> None:
        async with platform(talk) as made, made.connect() as stream:
            assert (await close_of(stream))[0] == 1012

    asyncio.run(scenario())


def test_signing_out_ends_what_is_open() -> None:
    """Somebody else may sit before that screen."""

    async def scenario() -> None:
        async with platform(wait_for_ever) as made, made.connect() as stream:
            made.sign_out()
            assert await close_of(stream) == (4401, "Your session has ended. Sign in again.")

    asyncio.run(scenario())


def test_one_person_cannot_hold_any_number_of_streams() -> None:
    """Each costs a connection to the workspace; one that was closed makes place."""

    async def scenario() -> None:
        async with platform(wait_for_ever) as made, contextlib.AsyncExitStack() as stack:
            held = [await stack.enter_async_context(made.connect()) for _ in range(MOST_PER_PERSON)]
            async with made.connect() as one_more:
                assert (await close_of(one_more))[0] == 4429
            await held[0].close()
            async with asyncio.timeout(5):
                while True:
                    async with made.connect() as next_one:
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(next_one.wait_closed(), 0.2)
                            continue
                        break

    asyncio.run(scenario())


def test_a_page_that_talks_is_not_listened_to() -> None:
    """Nothing from a browser reaches a workspace by this way."""
    heard: list[Any] = []

    async def talk(stream: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            heard.append(await stream.recv())

    async def scenario() -> None:
        async with platform(talk) as made, made.connect() as stream:
            await stream.send("rm -rf /")
            assert (await close_of(stream))[0] == 1003

    asyncio.run(scenario())
    assert heard == []


def test_a_browser_that_does_not_read_stops_the_reading_of_the_log() -> None:
    """A gigabyte of output must not pile up in the platform for a page in the background."""
    sent = 0

    async def talk(stream: ServerConnection) -> None:
        nonlocal sent
        with contextlib.suppress(ConnectionClosed):
            while True:
                await stream.send(os.urandom(256 * 1024))
                sent += 256 * 1024

    async def scenario() -> None:
        async with platform(talk) as made, made.connect():
            before = -1
            async with asyncio.timeout(20):
                while before != sent or sent == 0:
                    before = sent
                    await asyncio.sleep(0.3)
            assert sent < 64 * 1024 * 1024

    asyncio.run(scenario())
