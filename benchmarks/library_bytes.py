"""`python -m benchmarks.library_bytes [--large]`: bytes in and out of the library, beside dd; no authentication, loopback.

1 GB up (tus, one PATCH) and down beside `dd` with fsync on the same disk; queries at 100 requests/s while 1 GB comes in;
the first page of a folder with 100,000 entries; with --large also 10 GB both ways and the most memory that took.
"""

import argparse
import base64
import http.client
import json
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.alone import Service, make_tree, running

BLOCK = bytes(range(256)) * 4096
GB = 1000
"""Blocks of 1 MiB in what is called 1 GB here."""
RATE, ENTRIES, PAGES = 100, 100_000, 20
IDLE_TICKS = 3
"""Hundredths of a second of work per second that an idle service does."""
LIST = json.dumps(
    {"query": '{ listDirectory(path: "user1/small") { repository { tree { blobs { edges { node { name } } } } } } }'}
)
PAGE = json.dumps(
    {
        "query": '{ listDirectory(path: "user1/data/many", first: 100) { repository { tree { totalCount blobs { edges { node { name } } } } } } }'
    }
)


def connect(service: Service) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=600)


def blocks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield BLOCK


def upload(service: Service, name: str, count: int) -> float:
    """Send a file by tus; give MB/s until it stands under its name."""
    connection = connect(service)
    path = base64.b64encode(f"user1/data/{name}".encode()).decode()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(count << 20), "Upload-Metadata": f"path {path}"}
    started = time.perf_counter()
    connection.request("POST", "/lib/uploads", headers=headers)
    made = connection.getresponse()
    made.read()
    assert made.status == 201, made.status
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(count << 20),
    }
    connection.request("PATCH", made.headers["Location"], body=blocks(count), headers=headers)
    answer = connection.getresponse()
    assert answer.status == 204, answer.read()
    return (count << 20) / 1e6 / (time.perf_counter() - started)


def download(service: Service, name: str) -> float:
    """Read a file; give MB/s."""
    connection = connect(service)
    started = time.perf_counter()
    connection.request("GET", f"/lib/files/user1/data/{name}")
    answer = connection.getresponse()
    size, buffer = 0, bytearray(1 << 20)
    while got := answer.readinto(buffer):
        size += got
    return size / 1e6 / (time.perf_counter() - started)


def dd(folder: Path, count: int) -> float:
    """Write with dd and fsync; give MB/s."""
    target = folder / "dd"
    started = time.perf_counter()
    command = ["dd", "if=/dev/zero", f"of={target}", "bs=1M", f"count={count}", "conv=fsync"]
    subprocess.run(command, check=True, capture_output=True)
    rate = (count << 20) / 1e6 / (time.perf_counter() - started)
    target.unlink()
    return rate


def ask(connection: http.client.HTTPConnection, body: str) -> float:
    """Send a query; give milliseconds until the whole answer was read."""
    started = time.perf_counter()
    connection.request("POST", "/lib", body=body, headers={"Content-Type": "application/json"})
    connection.getresponse().read()
    return 1000 * (time.perf_counter() - started)


def latency_while(service: Service, work: threading.Thread) -> list[float]:
    """Ask 100 times a second until the work ends; late answers count from when they were due."""
    connection, found, due = connect(service), [], time.perf_counter()
    work.start()
    while work.is_alive():
        time.sleep(max(due - time.perf_counter(), 0))
        took = ask(connection, LIST)
        found.append(max(took, 1000 * (time.perf_counter() - due)))
        due += 1 / RATE
    work.join()
    return found


def show_99(name: str, values: list[float]) -> None:
    ordered = sorted(values)
    p99 = ordered[int(len(ordered) * 0.99)]
    print(f"{name}: median {statistics.median(values):.1f} ms, 99 % {p99:.1f} ms, n={len(values)}", flush=True)


def show_folder(service: Service, tree: Path) -> None:
    many = tree / "user1/data/many"
    many.mkdir()
    for number in range(ENTRIES):
        (many / f"entry{number:06}.txt").touch()
    connection = connect(service)
    ask(connection, PAGE.replace("user1/data/many", "user1/small"))
    busy = [ask(connection, PAGE) for _ in range(PAGES)]
    wait_for_index(service)
    connection.close()  # the service has ended it by now; the next request opens another
    cold = []
    for number in range(5):
        (many / f"new{number}").touch()
        time.sleep(0.1)  # so that the folder's time stamp has settled
        cold.append(ask(connection, PAGE))
    cold_words = f"{statistics.median(cold):.0f} ms (at most {max(cold):.0f}) when the folder has just changed"
    wait_for_index(service)
    connection.close()  # the service has ended it by now; the next request opens another
    warm = [ask(connection, PAGE) for _ in range(PAGES)]
    print(f"first 100 of {ENTRIES} entries: {cold_words}, median {statistics.median(warm):.1f} ms otherwise,", end=" ")
    print(f"{statistics.median(busy):.1f} ms while the index is made", flush=True)


def wait_for_index(service: Service) -> None:
    """Wait until the process has nothing to do but answer."""
    file = Path(f"/proc/{service.process.pid}/stat")
    while True:
        before = sum(map(int, file.read_text().rpartition(")")[2].split()[11:13]))
        time.sleep(2)
        after = sum(map(int, file.read_text().rpartition(")")[2].split()[11:13]))
        if after - before <= 2 * IDLE_TICKS:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 10 GB, which takes that much disk")
    large = parser.parse_args().large
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        tree = Path(folder) / "files"
        make_tree(tree)
        with running(tree, UPLOAD_LIMIT_GB=20) as service:
            disk = dd(Path(folder), GB)
            up = upload(service, "one", GB)
            down = download(service, "one")
            print(f"1 GB: dd with fsync {disk:.0f} MB/s, up {up:.0f} MB/s ({up / disk:.2f} of dd),", end=" ")
            print(f"down {down:.0f} MB/s ({down / disk:.2f} of dd)", flush=True)
            busy = threading.Thread(target=upload, args=(service, "two", GB))
            show_99(f"{RATE} queries/s while 1 GB comes in", latency_while(service, busy))
            show_folder(service, tree)
            if large:
                up, down = upload(service, "ten", 10 * GB), download(service, "ten")
                most = service.memory_mib("VmHWM")
                print(f"10 GB: up {up:.0f} MB/s, down {down:.0f} MB/s, memory at most {most:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
