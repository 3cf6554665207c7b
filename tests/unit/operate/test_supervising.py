"""supervisord on a full disk."""

import subprocess
import sys
from pathlib import Path

from tests.support.installation import wait_until
from twinhub.operate.supervising import __name__ as module

CONFIG = """\
[supervisord]
logfile = /dev/full
logfile_maxbytes = 1MB
pidfile = {folder}/pid
[program:talker]
command = {python} {folder}/talker.py
stdout_logfile = /dev/full
stdout_logfile_maxbytes = 1MB
redirect_stderr = true
"""
TALKER = """\
import os, pathlib, signal
for _ in range(1000):
    os.write(1, b"x" * 4000)
pathlib.Path(__file__).with_name("said").touch()
signal.pause()
"""


def test_it_outlives_a_disk_without_room_for_any_of_its_words(tmp_path: Path) -> None:
    """It would end, all logs' pipes with it, and every process that writes one more line."""
    (tmp_path / "config").write_text(CONFIG.format(folder=tmp_path, python=sys.executable))
    (tmp_path / "talker.py").write_text(TALKER)
    command = [sys.executable, "-m", module, "-n", "-c", str(tmp_path / "config")]
    with Path("/dev/full").open("w") as full, subprocess.Popen(command, stdout=full, stderr=full) as process:
        try:
            # Far more than a pipe holds: somebody reads it all the time.
            wait_until((tmp_path / "said").exists, 20, "a program that is not held up")
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(20)
