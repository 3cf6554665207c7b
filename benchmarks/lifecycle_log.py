"""`python -m benchmarks.lifecycle_log`: 200 lines per millisecond for 10 s, from a twin through the server to a reader.

Every line is checked, for a reader that listens, one that leaves and comes back
each second, and one that is slow. Printed: lines per second, how long after it
was printed a line arrived, and the server's memory.
"""

import asyncio
import json
import struct
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.unit.lifecycle.server.jupyter_process import TOKEN, Server, running_server

LINES_PER_MS = 200
SECONDS = 10
TOTAL = LINES_PER_MS * SECONDS * 1000

PRINTER = f"""#!/usr/bin/env python3
import sys, time
write = sys.stdout.buffer.write
begin = time.monotonic()
for ms in range({SECONDS * 1000}):
    first = ms * {LINES_PER_MS}
    now = time.time()
    write(b"".join(b"%08d %.3f the level is 1.25 m\\n" % (line, now) for line in range(first, first + {LINES_PER_MS})))
    sys.stdout.buffer.flush()
    left = begin + (ms + 1) / 1000 - time.monotonic()
    if left > 0:
        time.sleep(left)
"""


@dataclass
class Reader:
    """Checks what arrives: each line once, in order."""

    offset: int = 0
    next_line: int = 0
    rest: bytes = b""
    state: str = "running"
    delays_ms: list[float] = field(default_factory=list)

    def take(self, frame: bytes) -> None:
        (begin,) = struct.unpack("!Q", frame[:8])
        assert begin == self.offset, f"frame begins at {begin}, not at {self.offset}"
        self.offset += len(frame) - 8
        lines = (self.rest + frame[8:]).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            assert int(line[:8]) == self.next_line, f"line {line[:8]!r} instead of {self.next_line}"
            self.next_line += 1
        if lines:
            self.delays_ms.append(1000 * (time.time() - float(lines[-1].split()[1])))


async def read(server: Server, run_id: str, *, leave_after_s: float = 1e9, frame_every_s: float = 0) -> Reader:
    reader = Reader()
    while reader.state != "end":
        address = f"ws://{server.address}/runs/{run_id}/stream?offset={reader.offset}"
        headers = {"Authorization": f"token {TOKEN}"}
        async with connect(address, additional_headers=headers, max_size=2**20, max_queue=4) as stream:
            await listen(stream, reader, time.monotonic() + leave_after_s, frame_every_s)
    return reader


async def listen(stream: ClientConnection, reader: Reader, until: float, frame_every_s: float) -> None:
    while time.monotonic() < until:
        try:
            frame = await asyncio.wait_for(stream.recv(), 0.5)
        except TimeoutError:
            continue
        except ConnectionClosed:
            return
        if isinstance(frame, bytes):
            reader.take(frame)
        else:
            told = json.loads(frame)
            assert told["type"] != "gap", told
            reader.state = told["type"]
        if frame_every_s:
            await asyncio.sleep(frame_every_s)


def measure(name: str, **habits: float) -> None:
    with running_server() as server:
        idle_mb = server.status_mb("VmRSS")
        server.make_twin("printer", execute=PRINTER)
        begin = time.monotonic()
        run = server.ask("POST", "printer/runs", {"phase": "execute"})
        reader = asyncio.run(read(server, run["id"], **habits))
        took_s = time.monotonic() - begin
        ended = server.ask("GET", f"runs/{run['id']}")
        assert reader.next_line == TOTAL, f"{reader.next_line} lines of {TOTAL}"
        assert not reader.rest
        delays = sorted(reader.delays_ms)
        print(
            f"{name:<32} {reader.next_line:,} lines, {reader.offset / 1e6:.0f} MB; printed in {ended['duration_s']:.1f} s, "
            f"read in {took_s:.1f} s: {TOTAL / took_s:,.0f} lines/s; delay median {delays[len(delays) // 2]:.0f} ms, "
            f"99 % {delays[len(delays) * 99 // 100]:.0f} ms; server {idle_mb:.0f} MB idle, peak {server.status_mb('VmHWM'):.0f} MB"
        )


def main() -> None:
    measure("a reader that listens")
    measure("one that comes back each second", leave_after_s=1.0)
    measure("a slow reader, 40 frames/s", frame_every_s=0.025)


if __name__ == "__main__":
    main()
