"""`python -m benchmarks.memory --data-dir DIR`: memory of every process of the platform, and of an idle workspace.

Of processes the proportional set size (PSS), of the workspace what its control
group holds without the page cache: both add up without counting pages twice.
"""

import json
import subprocess
from pathlib import Path

from benchmarks.installed import read_installation
from tests.support.installation import wait_until
from tests.support.people import make_person


def main() -> None:
    installation = read_installation(__doc__)
    pids = {row["name"]: row["pid"] for row in json.loads(installation.twinhub("status", "--json").stdout)["processes"]}
    pids["supervisord"] = int((installation.places.run / "supervisord.pid").read_text())
    total = 0.0
    for name, pid in pids.items():
        size = _pss_mb(pid)
        total += size
        print(f"{name:<28} {size:8.1f} MB")
    print(f"{'the platform together':<28} {total:8.1f} MB")
    person = make_person(installation, "bench-memory")
    try:
        person.start_workspace()
        settled = wait_until(lambda: _settled(person.container), 60, "an idle workspace")
        print(f"{'one idle workspace':<28} {settled:8.1f} MB")
    finally:
        person.stop_workspace()
        installation.twinhub("user", "remove", person.name, "--yes")
        subprocess.run(["docker", "rm", "-f", person.container], capture_output=True, check=False)


def _pss_mb(pid: int) -> float:
    """Give the proportional set size of a process and its children."""
    children = (Path(f"/proc/{pid}/task/{pid}/children")).read_text().split()
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return (
        own
        if "supervisor" in Path(f"/proc/{pid}/cmdline").read_text()
        else own + sum(_pss_mb(int(c)) for c in children)
    )


def _settled(container: str) -> float:
    """Give the workspace's memory, or 0 while it still changes by more than a percent within a second."""
    first, second = _workspace_mb(container), _workspace_mb(container)
    return second if abs(first - second) < 0.01 * second else 0.0


def _workspace_mb(container: str) -> float:
    # 'docker stats' waits for two samples a second apart and leaves out the page cache.
    command = ["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container]
    used = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("/")[0].strip()
    number, unit = used.rstrip("KMGiB"), used.lstrip("0123456789.")
    return float(number) * {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[unit] * 1.048576


if __name__ == "__main__":
    main()
