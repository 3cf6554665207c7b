"""Another time for some processes of a platform; the machine's own clock is never touched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.installation import Installation, wait_until
from twinhub.operate.health import PARTS, fetch_health

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
"""Debian's libfaketime, which stands before the C library and answers what time it is."""


class Clock:
    """The clock of the processes that were given one."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def jump(self, offset: str) -> None:
        """Set it so far from the true time, as "+3d" or "-2h"; it is noticed within a second."""
        part = self._file.with_suffix(".part")
        part.write_text(offset + "\n")
        part.chmod(0o644)
        part.rename(self._file)


@contextmanager
def own_clock(installation: Installation, *parts: str) -> Iterator[Clock]:
    """Restart parts with a clock of their own, and with the true one at the end."""
    clock = Clock(installation.places.run / "clock")
    clock.jump("+0")
    config = installation.places.run / "supervisord.conf"
    before = config.read_text()
    try:
        _apply(installation, _with_clock(before, parts, clock._file), parts)
        yield clock
    finally:
        _apply(installation, before, parts)
        clock._file.unlink()


def _with_clock(config: str, parts: tuple[str, ...], file: Path) -> str:
    names = {f"[program:{part}]" for part in parts}
    variables = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    extra = "".join(f',{name}="{value}"' for name, value in variables.items())
    lines, section = [], ""
    for line in config.splitlines():
        section = line if line.startswith("[") else section
        lines.append(line + extra if section in names and line.startswith("environment = ") else line)
    return "\n".join(lines) + "\n"


def _apply(installation: Installation, config: str, parts: tuple[str, ...]) -> None:
    places = installation.places
    file = places.run / "supervisord.conf"
    file.write_text(config)
    command = [str(Path(sys.executable).parent / "supervisorctl"), "-s", f"unix://{places.run / 'supervisor.sock'}"]
    subprocess.run([*command, "update", *parts], check=True, capture_output=True)
    for part in {*PARTS} & {*parts}:
        wait_until(lambda part=part: not fetch_health(places, part), 60, f"the health of the {part}")
