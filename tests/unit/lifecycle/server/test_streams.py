"""WebSockets against a real server: nothing lost, nothing twice, nobody let in who may not."""

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.unit.lifecycle.server.jupyter_process import HEADERS, Server

LINES = 20_000
COUNTER = f"""#!/usr/bin/env python3
for line in range({LINES}):
    print(line, "x" * 40, flush=line % 500 == 0)
"""


def connected(server: Server, path: str, **headers: str) -> connect:
    return connect(f"ws://{server.address}/{path}", additional_headers={**HEADERS, **headers}, max_size=2**20)


async def read_frames(stream: ClientConnection, offset: int, most: int = 10**9) -> tuple[bytes, list[dict[str, Any]]]:
    """Give the output and the texts that came, until the end or so many frames."""
    output, texts = b"", []
    async for frame in stream:
        if isinstance(frame, bytes):
            (begin,) = struct.unpack("!Q", frame[:8])
            assert begin == offset + len(output)
            output += frame[8:]
        else:
            texts.append(json.loads(frame))
        if len(output) and (most := most - 1) <= 0:
            break
    return output, texts


def test_each_line_comes_once_however_often_the_connection_breaks(server: Server) -> None:
    """A page on a train loses its connection each minute, and must not lose a line."""
    server.make_twin("counter", execute=COUNTER)
    run_id = server.ask("POST", "counter/runs", {"phase": "execute"})["id"]

    async def read_all() -> bytes:
        output, texts = b"", [{"type": "state"}]
        while texts[-1]["type"] != "end":
            async with connected(server, f"runs/{run_id}/stream?offset={len(output)}") as stream:
                more, texts = await read_frames(stream, len(output), most=2)
                output += more
                texts = texts or [{"type": "state"}]
        return output

    lines = asyncio.run(read_all()).split(b"\n")
    assert [int(line.split()[0]) for line in lines[:-1]] == list(range(LINES))


def test_states_come_with_the_output_and_the_end_closes(server: Server) -> None:
    """The badge on the page follows without asking."""
    server.make_twin("short", execute="echo one; exit 4")
    run_id = server.ask("POST", "short/runs", {"phase": "execute"})["id"]

    async def read() -> tuple[bytes, list[dict[str, Any]], int | None]:
        async with connected(server, f"runs/{run_id}/stream") as stream:
            output, texts = await read_frames(stream, 0)
            return output, texts, stream.close_code

    output, texts, code = asyncio.run(read())
    assert (output, code) == (b"one\n", 1000)
    assert texts[-1] == {"type": "end"}
    last = [text["run"] for text in texts if text["type"] == "state"][-1]
    assert (last["state"], last["exit_code"]) == ("failed", 4)


def test_what_was_dropped_from_a_log_is_said(server: Server) -> None:
    """Of output without end the middle goes; whoever reads on must know."""
    server.make_twin("long", execute="printf '%s' aaaaabbbbbccccc")
    run = server.run("long")
    (server.runs / run["id"] / "log.gap").write_text("5 10\n")

    async def read() -> list[str | bytes]:
        async with connected(server, f"runs/{run['id']}/stream") as stream:
            return [frame async for frame in stream]

    frames = asyncio.run(read())
    binary = [frame for frame in frames if isinstance(frame, bytes)]
    assert binary == [struct.pack("!Q", 0) + b"aaaaa", struct.pack("!Q", 10) + b"ccccc"]
    assert {"type": "gap", "from": 5, "to": 10} in [json.loads(frame) for frame in frames if isinstance(frame, str)]


def test_events_tell_of_runs_and_twins(server: Server) -> None:
    """Cards change by themselves, also for what a terminal starts."""
    server.make_twin("seen", execute="sleep 60")

    async def watch() -> list[dict[str, Any]]:
        async with connected(server, "events") as stream:
            told = [json.loads(await stream.recv())]
            run_id = (await asyncio.to_thread(server.ask, "POST", "seen/runs", {"phase": "execute"}))["id"]
            told.append(await until(stream, lambda text: run_id in running(text)))
            await asyncio.to_thread(server.ask, "POST", f"runs/{run_id}/stop")
            told.append(await until(stream, lambda text: text["type"] == "runs" and run_id not in running(text)))
            await asyncio.to_thread(server.make_twin, "appeared", execute="exit 0")
            told.append(await until(stream, lambda text: text["type"] == "twins"))
            return told

    first, _, stopped, _ = asyncio.run(watch())
    assert (first["type"], first["changed"]) == ("runs", [])
    assert [run["state"] for run in stopped["changed"] if run["twin"] == "seen"] == ["stopped"]


def running(text: dict[str, Any]) -> list[str]:
    return [run["id"] for run in text.get("running", ())]


async def until(stream: ClientConnection, wanted: Any) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            text: dict[str, Any] = json.loads(await stream.recv())
            if wanted(text):
                return text


@pytest.mark.parametrize("path", ["events", "runs/20260101T000000000-abcdef/stream"])
@pytest.mark.parametrize("authorization", ["", "token wrong"])
def test_who_is_not_signed_in_may_not_listen(server: Server, path: str, authorization: str) -> None:
    """Output may hold anything, and is refused before the socket opens."""
    assert asyncio.run(refusal(server, path, Authorization=authorization)).status_code == 403


@pytest.mark.parametrize("path", ["events", "runs/20260101T000000000-abcdef/stream"])
def test_a_page_of_another_site_may_not_listen(server: Server, path: str) -> None:
    """It would else read what a twin prints, with the person's own cookie."""
    with server.signed_in_browser() as browser:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
    session = {"Authorization": "", "Cookie": cookies}
    assert asyncio.run(refusal(server, path, Origin="https://elsewhere.example", **session)).status_code == 403

    async def own_page() -> str:
        async with connected(server, "events", Origin=f"http://127.0.0.1:{server.port}", **session) as stream:
            return json.loads(await stream.recv())["type"]

    assert asyncio.run(own_page()) == "runs"


async def refusal(server: Server, path: str, **headers: str) -> Any:
    with pytest.raises(InvalidStatus) as error:
        async with connected(server, path, **headers):
            pass
    return error.value.response


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("runs/20260101T000000000-abcdef/stream", 404),
        ("runs/..%2f..%2fetc/stream", 404),
        ("runs/x/stream?offset=-1", 400),
    ],
)
def test_a_stream_of_nothing_is_refused_in_words(server: Server, path: str, status: int) -> None:
    """The page must be able to tell a run that was removed from a connection that broke."""
    answer = asyncio.run(refusal(server, path))
    assert (answer.status_code, "error" in json.loads(answer.body)) == (status, True)


def test_listeners_share_one_look(server: Server, tmp_path: Path) -> None:
    """A class of thirty follows one run."""
    server.make_twin("followed", execute="sleep 1; echo done")
    run_id = server.ask("POST", "followed/runs", {"phase": "execute"})["id"]

    async def read_many() -> list[bytes]:
        async def one() -> bytes:
            async with connected(server, f"runs/{run_id}/stream") as stream:
                return (await read_frames(stream, 0))[0]

        return await asyncio.gather(*(one() for _ in range(30)))

    assert asyncio.run(read_many()) == [b"done\n"] * 30
