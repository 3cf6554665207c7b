"""A platform put up by ./install.sh itself, and taken down to the last file afterwards.

`python -m tests.support.installation up|down` does so for tests/run.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from twinhub.operate.supervisor import Supervisor
from twinhub.places import Places, read_places

ROOT = Path(__file__).parents[2]
DATA_DIR = Path("/var/tmp/twinhub-test")  # noqa: S108 - services that are not root must reach it, so not pytest's tmp_path
NAME = DATA_DIR.name
PORT = 8470
Found = TypeVar("Found")

EXISTING = "TWINHUB_TEST_DATA_DIR"
"""Set by developers to use an installation that is there already, and to leave it there."""


class Installation:
    """One platform on this machine."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    @property
    def places(self) -> Places:
        return read_places(self.data_dir)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.places.settings.port}"

    @property
    def admin_password(self) -> str:
        return (self.data_dir / "secrets" / "admin-password").read_text().strip()

    @property
    def command(self) -> Path:
        """The operator's command; of the checkout, where the platform runs straight from it."""
        installed = sorted((self.data_dir / "app").glob("*/venv/bin/twinhub"), key=lambda file: file.stat().st_mtime)
        return installed[-1] if installed else Path(sys.executable).parent / "twinhub"

    def pid_of(self, part: str) -> int:
        """Ask supervisord itself: starting the command costs the processor that a killed part needs to come back."""
        return next(state.pid for state in Supervisor(self.places).states() if state.name == part)

    def install(self, *options: str) -> str:
        """Run install.sh; give what it printed."""
        return run_install(self.data_dir, *options)

    def uninstall(self) -> None:
        """Remove all of it, people's files included."""
        run_install(self.data_dir, "--uninstall", "--purge", "--yes")

    def wait_for_image(self, variant: str) -> None:
        """Return when a variant is built that is made from what is there now; `up` leaves all but the first for later."""

        def ready() -> bool:
            rows = {row["variant"]: row for row in json.loads(self.twinhub("image", "list", "--json").stdout)}
            assert rows[variant]["state"] != "failed", rows[variant]["note"]
            return rows[variant]["state"] == "ready"

        wait_until(ready, 1800, f"the image {variant!r}", pause_s=2)

    def twinhub(self, *words: str, given: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the operator's command of this installation."""
        done = subprocess.run(
            [str(self.command), "--data-dir", str(self.data_dir), *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done


def put_up() -> Installation:
    """Put up a platform from nothing, as anybody else would, and return when the last image is there."""
    made = Installation(DATA_DIR)
    take_down()  # an earlier session was killed
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    made.install("--port", str(PORT), "--name", NAME, "--address", "127.0.0.1")
    # From then on nobody's container is made anew because another image is there.
    made.wait_for_image("full")
    return made


def take_down() -> None:
    """Remove what put_up made, if it is there."""
    if (DATA_DIR / "secrets").exists():
        Installation(DATA_DIR).uninstall()


def run_install(data_dir: Path, *options: str) -> str:
    """Run ./install.sh, its progress shown live; raises with what it printed when it fails."""
    with subprocess.Popen(
        [str(ROOT / "install.sh"), "--data-dir", str(data_dir), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            sys.stderr.write(line)
    text = "".join(lines)
    assert process.returncode == 0, text
    return text


def wait_until(
    question: Callable[[], Found], timeout_s: float = 30.0, what: str = "it", *, pause_s: float = 0.05
) -> Found:
    """Ask until the answer is true; give it."""
    deadline = monotonic() + timeout_s
    while True:
        found = question()
        if found:
            return found
        assert monotonic() < deadline, f"{what} did not come true within {timeout_s:.0f} s"
        sleep(pause_s)


def write_as_owner(file: Path, data: bytes | str) -> None:
    """Write a file, and the folders above it, as the account that has the nearest folder above them."""
    missing = [folder for folder in file.parents if not folder.exists()]
    owner = next(folder for folder in file.parents if folder.exists()).stat().st_uid
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    for made in (*missing, file):
        os.chown(made, owner, owner)


if __name__ == "__main__":
    {"up": put_up, "down": take_down}[sys.argv[1]]()
