"""Start the library by itself over a folder made for measuring."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 30
CATEGORIES = ("data", "digital_twins", "functions", "models", "tools")
OWNERS = ("user1", "user2", "common")


@dataclass(frozen=True)
class Service:
    """A running library."""

    url: str
    process: subprocess.Popen[bytes]
    start_s: float

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Give the memory of its one process: VmRSS now, VmHWM the most since the start."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


@contextmanager
def running(tree: Path, **settings: object) -> Iterator[Service]:
    """Run `python -m libms --config FILE` over a folder, without a hub unless HUB_URL is among the settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tree.parent / f"libms-{port}.env"
    lines = {"PORT": port, "LOCAL_PATH": tree, "LOG_LEVEL": "warning", "KEEP_FREE_MB": 0, **settings}
    config.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    started = time.perf_counter()
    command = [sys.executable, "-m", "libms", "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_plain())
    try:
        _wait(f"http://127.0.0.1:{port}/lib/health", process)
        yield Service(f"http://127.0.0.1:{port}", process, time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait(20)
        config.unlink()


def _plain() -> dict[str, str]:
    """Give an environment without the names that the service takes for settings."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit("the library did not start")
        try:
            urllib.request.urlopen(address, timeout=1).close()  # noqa: S310 - our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
        else:
            return
    sys.exit("the library does not answer")


def make_tree(root: Path) -> None:
    """Make the owners' folders, one of 8 entries, one of 1,000, and texts of 1 kB, 1 MB and 10 MB."""
    for owner in OWNERS:
        for category in CATEGORIES:
            (root / owner / category).mkdir(parents=True)
    small, wide, blob = (root / "user1" / name for name in ("small", "wide", "blob"))
    for category in CATEGORIES:
        (small / category).mkdir(parents=True)
    for number in range(3):
        (small / f"f{number}.txt").write_text(text(1024))
    wide.mkdir()
    for number in range(1000):
        (wide / f"entry{number:04}.txt").write_text(text(64))
    blob.mkdir()
    for name, size in (("1k", 1 << 10), ("1m", 1 << 20), ("10m", 10 << 20)):
        (blob / f"{name}.txt").write_text(text(size))


def text(size: int) -> str:
    """Give lines of 64 characters that end in no white space."""
    line = "0123456789abcdefghijklmnopqrstuvwxyz 0123456789ABCDEFGHIJKLMNOP\n"
    return (line * (size // len(line) + 1))[: size - 1] + "x"
