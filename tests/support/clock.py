"""Another time for some processes of a platform; the machine's own clock is never touched."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.support.installation import Installation, wait_until
from twinhub.operate.health import PARTS, fetch_health

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """The clock of the processes that were given one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_bytes(bytes(struct.calcsize("l")))
        file.chmod(0o644)

    def jump(self, offset: timedelta) -> None:
        """Set it so far from the true time, at once; monotonic clocks go on, as a kernel's do."""
        with self.file.open("r+b") as stream:
            stream.write(struct.pack("l", round(offset.total_seconds())))


@contextmanager
def own_clock(installation: Installation, *parts: str) -> Iterator[Clock]:
    """Restart parts with a clock of their own, and with the true one at the end."""
    run = installation.places.run
    clock, library = Clock(run / "clock"), run / "clock.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, SOURCE], check=True)
    library.chmod(0o755)
    config = run / "supervisord.conf"
    before = config.read_text()
    try:
        _apply(installation, _with_clock(before, parts, f"LD_PRELOAD={library} TEST_CLOCK={clock.file}"), parts)
        yield clock
    finally:
        _apply(installation, before, parts)
        clock.file.unlink()
        library.unlink()


def _with_clock(config: str, parts: tuple[str, ...], variables: str) -> str:
    """Give the parts' programs some variables, but not what drops root in front of them."""
    names = {f"[program:{part}]" for part in parts}
    lines, section = [], ""
    for line in config.splitlines():
        section = line if line.startswith("[") else section
        changed = section in names and line.startswith("command = ")
        assert not changed or " -- " in line, "the part does not run as an account of its own"
        lines.append(line.replace(" -- ", f" -- /usr/bin/env {variables} ", 1) if changed else line)
    return "\n".join(lines) + "\n"


def _apply(installation: Installation, config: str, parts: tuple[str, ...]) -> None:
    places = installation.places
    file = places.run / "supervisord.conf"
    file.write_text(config)
    command = [str(Path(sys.executable).parent / "supervisorctl"), "-s", f"unix://{places.run / 'supervisor.sock'}"]
    subprocess.run([*command, "update", *parts], check=True, capture_output=True)
    for part in {*PARTS} & {*parts}:
        wait_until(lambda part=part: not fetch_health(places, part), 60, f"the health of the {part}")
