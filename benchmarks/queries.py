"""`python -m benchmarks.queries --data-dir DIR`: requests per second of both queries, through the gateway, with wrk.

wrk runs on the same machine and takes its share of the cores. Also sent directly
to the service, which shows what the gateway costs.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.installed import read_installation
from tests.support.installation import write_as_owner
from tests.support.people import make_person

LIST = '{ listDirectory(path: "%s/data/bench") { repository { tree { blobs { edges { node { name type } } } } } } }'
READ = '{ readFile(path: "%s/data/bench/0.csv") { repository { blobs { nodes { name rawBlob rawTextBlob } } } } }'
FILES, SECONDS, CONNECTIONS = 20, 8, 16

SCRIPT = """wrk.method = "POST"
wrk.body = %s
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "token %s"
"""


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    installation = read_installation(__doc__)
    person = make_person(installation, "bench-queries")
    try:
        person.ask("GET", f"/lib/files/{person.name}")  # makes the folder
        for number in range(FILES):
            write_as_owner(installation.places.files / person.name / f"data/bench/{number}.csv", "t,x\n" * 256)
        direct = f"http://127.0.0.1:{installation.places.libms_port}"
        for name, query in (("listDirectory, 20 files", LIST), ("readFile, 1 KiB", READ)):
            for way, url in (("gateway", installation.url), ("direct", direct)):
                rate, slowest = _measure(url, query % person.name, person.token)
                print(f"{name:<28} {way:<8} {rate:8.0f} requests/s   99 % within {slowest}", flush=True)
    finally:
        installation.twinhub("user", "remove", person.name, "--yes")


def _measure(url: str, query: str, token: str) -> tuple[float, str]:
    body = json.dumps(json.dumps({"query": query}))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        Path(script.name).chmod(0o600)
        script.write(SCRIPT % (body, token))
        script.flush()
        command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--latency", "-s", script.name]
        said = subprocess.run([*command, f"{url}/lib"], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    slowest = re.search(r"99%\s+(\S+)", said)
    assert rate is not None, said
    assert slowest is not None, said
    return float(rate[1]), slowest[1]


if __name__ == "__main__":
    main()
