"""`python -m benchmarks.startup`: from a checkout to the login page, and `up` afterwards.

Installs into a folder of its own and removes it. What a bare machine needs more
than this one, such as the engine's packages, is printed as missing.
"""

import shutil
import time
from pathlib import Path

import httpx2

from benchmarks.installed import show
from tests.support.installation import Installation

DATA_DIR = Path("/var/tmp/twinhub-benchmark")  # noqa: S108 - services must be able to reach it
ROUNDS = 5


def main() -> None:
    missing = [name for name in ("dockerd", "mmdebstrap") if shutil.which(name) is None]
    print(f"missing before, so installed on the way: {', '.join(missing) or 'nothing'}")
    installation = Installation(DATA_DIR)
    started = time.monotonic()
    installation.install("--port", "8480", "--name", "twinhub-benchmark", "--address", "127.0.0.1")
    assert httpx2.get(f"{installation.url}/hub/login", trust_env=False).status_code == 200
    print(f"{'install.sh to login page':<44} {time.monotonic() - started:8.1f} s")
    show("install.sh again, nothing changed", [_timed(installation.install) for _ in range(ROUNDS)], "s")
    show("twinhub up, everything runs", [_timed(lambda: installation.twinhub("up")) for _ in range(ROUNDS)], "s")
    from_down = []
    for _ in range(ROUNDS):
        installation.twinhub("down")
        from_down.append(_timed(lambda: installation.twinhub("up")))
    show("twinhub up, from down to healthy", from_down, "s")
    installation.uninstall()


def _timed(work) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
