"""A real InfluxDB and a real PostgreSQL for tests, in a folder of the test's, on free ports of loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from tests.support.nats import free_port

STARTS_S = 30.0
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NOBODY = 65534


def await_that(condition: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something answers."""
    until = time.monotonic() + STARTS_S
    while True:
        with contextlib.suppress(OSError, psycopg.Error):
            condition()
            return
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < until, log.read_text()[-2000:]
        time.sleep(0.05)


@contextlib.contextmanager
def running_influx(folder: Path) -> Iterator[str]:
    """Run InfluxDB 1; give its address. Its database is 'twinhub'."""
    program = os.environ.get("REALTIME_TEST_INFLUXD") or shutil.which("influxd")
    assert program, (
        "influxd is missing: install Debian's package 'influxdb', or name the program in REALTIME_TEST_INFLUXD"
    )
    port, other = free_port(), free_port()
    config, log = folder / "influx.conf", folder / "influx.log"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{other}"\n[meta]\n dir = "{folder}/meta"\n'
        f'[data]\n dir = "{folder}/data"\n wal-dir = "{folder}/wal"\n index-version = "tsi1"\n'
        f'[http]\n bind-address = "127.0.0.1:{port}"\n log-enabled = false\n[monitor]\n store-enabled = false\n'
    )
    with log.open("wb") as stream:
        process = subprocess.Popen([program, "-config", str(config)], stdout=stream, stderr=stream)
    url = f"http://127.0.0.1:{port}"
    try:
        await_that(lambda: urllib.request.urlopen(f"{url}/ping", timeout=2).close(), process, log)  # noqa: S310 - ours
        made = urllib.request.Request(f"{url}/query", data=b"q=CREATE+DATABASE+twinhub")  # noqa: S310 - ours
        urllib.request.urlopen(made, timeout=10).close()  # noqa: S310 - ours
        yield url
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL as an account without rights; give its address, for the user 'history' with the password 'secret'."""
    assert POSTGRES, "PostgreSQL is missing: install Debian's package 'postgresql'"
    programs, port, log = POSTGRES[-1], free_port(), folder / "postgres.log"
    data = folder / "postgres"
    data.mkdir()
    (folder / "password").write_text("secret")
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    if as_nobody:
        os.chown(data, NOBODY, NOBODY)
        # The folders of tests are their owner's only.
        for parent in [folder, *folder.parents[:3]]:
            if parent.stat().st_uid == os.getuid() and len(parent.parts) > 2:
                parent.chmod(parent.stat().st_mode | 0o011)
        (folder / "password").chmod(0o644)
    options = ["-A", "scram-sha-256", "-U", "history", "--no-sync", f"--pwfile={folder / 'password'}"]
    subprocess.run([programs / "initdb", "-D", data, *options], check=True, capture_output=True, cwd="/", **as_nobody)  # type: ignore[call-overload]
    command = [programs / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd="/", **as_nobody)  # type: ignore[call-overload]
    url = f"postgresql://127.0.0.1:{port}/postgres"
    try:
        await_that(
            lambda: psycopg.connect(url, user="history", password="secret", connect_timeout=2).close(), process, log
        )
        yield url
    finally:
        process.terminate()
        process.wait(20)
