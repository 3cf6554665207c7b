"""`python -m benchmarks.library`: both fixed queries, beside the figures of the reference implementation; needs wrk.

One process, no authentication, loopback, the load generator on the same cores.
The reference is the DTaaS library microservice 0.5.4 (Node 20) on a 2-core
Debian 12 machine, local mode, measured with the same requests; it cannot be
installed from a registry, so its figures stand here and it does not run beside.
Then the same with sign-in: what a token adds to each request, and start-up.
"""

import http.server
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.alone import Service, make_tree, running

SECONDS = 8
STARTS = 5
REFERENCE_START_S = 1.09
LIST = (
    'query { listDirectory(path: "%s") { repository { tree { blobs { edges { node { name type } } }'
    " trees { edges { node { name type } } } } } } }"
)
READ = 'query { readFile(path: "%s") { repository { blobs { nodes { name rawBlob rawTextBlob } } } } }'
SCRIPT = """wrk.method = "POST"
wrk.body = %s
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "token benchmark"
"""


@dataclass(frozen=True)
class Case:
    """One query at one number of connections, and what the reference reaches."""

    name: str
    query: str
    connections: int
    reference_rate: float
    reference_mib: float


def cases() -> list[Case]:
    """Give the table of the reference: requests/s, and memory in MiB (lower end at 1 connection, upper at more)."""
    table = [
        ("list, 8 entries", LIST % "user1/small", (1, 1699, 150), (16, 2697, 250)),
        ("list, 1,000 entries", LIST % "user1/wide", (1, 91, 229), (16, 52, 259)),
        ("read 1 kB", READ % "user1/blob/1k.txt", (1, 1732, 170), (16, 2776, 220)),
        ("read 1 MB", READ % "user1/blob/1m.txt", (1, 100, 158), (16, 91, 422)),
        ("read 10 MB", READ % "user1/blob/10m.txt", (1, 8.5, 342), (4, 8.8, 646)),
    ]
    return [Case(name, query, *figures) for name, query, *both in table for figures in both]


def measure(service: Service, case: Case, seconds: int = SECONDS) -> tuple[float, str, float]:
    """Give requests per second, the 99th percentile and the mean latency in ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % json.dumps(json.dumps({"query": case.query})))
        script.flush()
        command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
        done = subprocess.run(
            [*command, "-s", script.name, f"{service.url}/lib"], capture_output=True, text=True, check=True
        )
    said = done.stdout
    assert "Non-2xx" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slowest = re.search(r"99%\s+(\S+)", said)
    assert rate is not None, said
    assert slowest is not None, said
    return float(rate[1]), slowest[1], 1000 * case.connections / float(rate[1])


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "files"
        make_tree(tree)
        starts = []
        for _ in range(STARTS):
            with running(tree) as service:
                starts.append(service.start_s)
        start = statistics.median(starts)
        print(f"start to first answer: median {start:.2f} s (reference {REFERENCE_START_S} s, n={STARTS})", flush=True)
        with running(tree, READ_LIMIT_MB=16) as service:
            print(f"memory before the first query: {service.memory_mib():.0f} MiB")
            for case in cases():
                show(service, case)
        with running(tree, READ_LIMIT_MB=16) as service:
            open_ms = [measure(service, case)[2] for case in cases()[:1] + cases()[4:5]]
        with hub_stand_in() as hub, running(tree, READ_LIMIT_MB=16, HUB_URL=hub) as service:
            for case, plain_ms in zip(cases()[:1] + cases()[4:5], open_ms, strict=True):
                with_token_ms = measure(service, case)[2]
                added = with_token_ms - plain_ms
                print(f"{case.name}, 1 connection: sign-in adds {added:.3f} ms ({plain_ms:.3f} to {with_token_ms:.3f})")


def show(service: Service, case: Case) -> None:
    rate, slowest, _ = measure(service, case)
    memory = service.memory_mib()
    print(
        f"{case.name:<20} {case.connections:2} conn {rate:9.1f}/s {rate / case.reference_rate:6.1f} x   "
        f"99 % {slowest:>9}   {memory:4.0f} MiB, {memory / case.reference_mib:.2f} of the reference's",
        flush=True,
    )


@contextmanager
def hub_stand_in() -> Iterator[str]:
    """Answer the one question that the library asks a hub; its own speed is not measured, as answers are remembered."""
    model = {"name": "user1", "kind": "user", "admin": False, "groups": [], "scopes": ["custom:library:write"]}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(model).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
