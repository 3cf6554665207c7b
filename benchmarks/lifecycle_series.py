"""`python -m benchmarks.lifecycle_series`: a table of 1,000,000 rows and five columns as plots, through the server.

Printed: how long the first look takes, how long other requests wait meanwhile,
how long later windows take, what 10,000 rows more cost, and the memory.
"""

import math
import random
import statistics
import threading
import time
from pathlib import Path

from tests.unit.lifecycle.server.jupyter_process import Server, running_server

ROWS = 1_000_000
WINDOWS = 40
NAMES = ("{tank}.t.level", "{tank}.t.valve", "{controller}.c.error", "noise")


def main() -> None:
    with running_server() as server:
        server.make_twin("large", execute="exit 0")
        file = server.workspace / "data" / "large" / "outputs.csv"
        file.parent.mkdir(parents=True)
        write_rows(file, 0, ROWS)
        print(f"{ROWS:,} rows, {len(NAMES) + 1} columns, {file.stat().st_size / 1e6:.0f} MB; server {memory(server)}")
        first_look(server)
        show("later windows", [timed(server, *random_window()) for _ in range(WINDOWS)])
        show("the whole table", [timed(server, 0, ROWS / 1000) for _ in range(10)])
        write_rows(file, ROWS, ROWS + 10_000, mode="a")
        show("after 10,000 rows more", [timed(server, 0, ROWS)])
        cache = sum(each.stat().st_size for each in (server.folder / "cache").rglob("*"))
        print(f"cache {cache / 1e6:.0f} MB; server {memory(server)}")


def first_look(server: Server) -> None:
    """Look for the first time, and ask for something small again and again meanwhile."""
    waits: list[float] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            begin = time.monotonic()
            server.ask("GET", "runs")
            waits.append(1000 * (time.monotonic() - begin))
            time.sleep(0.02)

    other = threading.Thread(target=ask)
    other.start()
    begin = time.monotonic()
    server.ask("GET", "large/outputs/outputs.csv/series")
    took_s = time.monotonic() - begin
    done.set()
    other.join()
    print(
        f"{'the first look':<24} {took_s:6.2f} s; {len(waits)} other requests meanwhile: "
        f"median {statistics.median(waits):.0f} ms, longest {max(waits):.0f} ms"
    )


def timed(server: Server, begin: float, end: float) -> float:
    words = {"columns": ",".join(NAMES), "from": begin, "to": end, "points": 2000}
    started = time.monotonic()
    answer = server.request("GET", "large/outputs/outputs.csv/series", params=words)
    took_ms = 1000 * (time.monotonic() - started)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["x"]) <= 4000
    return took_ms


def random_window() -> tuple[float, float]:
    begin, end = sorted(random.uniform(0, ROWS / 1000) for _ in range(2))  # noqa: S311 - any window will do
    return begin, end


def write_rows(file: Path, begin: int, end: int, *, mode: str = "w") -> None:
    with file.open(mode) as stream:
        if mode == "w":
            stream.write(f"time,{','.join(NAMES)}\n")
        for row in range(begin, end):
            level, valve, noise = math.sin(row / 1e4), math.cos(row / 3e4), random.gauss(0, 1)
            stream.write(f"{row * 0.001:.3f},{level:.9g},{valve:.9g},{row % 7},{noise:.9g}\n")


def memory(server: Server) -> str:
    return f"{server.status_mb('VmRSS'):.0f} MB, peak {server.status_mb('VmHWM'):.0f} MB"


def show(name: str, times_ms: list[float]) -> None:
    times_ms = sorted(times_ms)
    print(
        f"{name:<24} median {statistics.median(times_ms):.0f} ms, 95 % {times_ms[len(times_ms) * 95 // 100]:.0f} ms "
        f"(n={len(times_ms)})"
    )


if __name__ == "__main__":
    main()
