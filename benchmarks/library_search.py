"""`python -m benchmarks.library_search [--assets N] [--keep DIR]`: the library's index over 100,000 assets of 100 owners.

Makes real folders with README.md and front matter, and files, on the disk below
the temporary folder; builds the index from nothing by the same thread that the
service runs; then asks it. Prints the time to build, what the file and the process
take, and the median and the worst of 50 for every kind of question.
"""

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from libms.disk.storage import DiskBackend, Folders
from libms.index import Index, Indexer, Query
from twinhub.names import COMMON, Category

OWNERS, TIMES = 100, 50
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="make the assets there, or use those of the last time")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = asked.keep or Path(scratch)
        files = base / "files"
        if not files.is_dir():
            subprocess.run([sys.executable, "-c", MAKE, str(files), str(asked.assets)], check=True)
        _measure(base, Path(scratch) / "index.sqlite")


def _measure(base: Path, file: Path) -> None:
    folders = Folders(base / "files", base / "staging", base / "trash")
    for folder in (folders.staging, folders.trash):
        folder.mkdir(exist_ok=True)
    backend = DiskBackend(folders, trash_days=30, make_owner=lambda owner: None)
    before = _rss_mb()
    with _following(backend, file, folders.files, "build from nothing") as index:
        size = sum(each.stat().st_size for each in file.parent.glob("index.sqlite*"))
        print(f"{'file':<44} {size / 1e6:8.1f} MB")
        print(f"{'memory: before, after, most':<44} {before:8.1f} {_rss_mb():.1f} {_most_rss_mb():.1f} MB", flush=True)
        _ask(index)
    with _following(backend, file, folders.files, "start again, nothing changed"):
        print(f"{'memory after it':<44} {_rss_mb():8.1f} MB")


@contextmanager
def _following(backend: DiskBackend, file: Path, files: Path, what: str) -> Iterator[Index]:
    wall, cpu = time.perf_counter(), time.process_time()
    index = Index(file)
    indexer = Indexer(backend, index, files)
    indexer.start()
    assert indexer.wait_until_ready(1200)
    print(f"{what:<44} {time.perf_counter() - wall:8.1f} s, {time.process_time() - cpu:.1f} s of a core", flush=True)
    yield index
    indexer.stop()
    index.close()


def _ask(index: Index) -> None:
    mine = ("owner7", COMMON)
    print(f"{'first page of 20; then the last one':<44}   median    worst  hits")
    for what, query in {
        "all assets": Query(None),
        "all assets of 2 owners of 100": Query(mine),
        "one category": Query(None, category="models"),
        "a word of every asset": Query(None, text="measurement"),
        "the same, 2 owners": Query(mine, text="measurement"),
        "the same, 2 owners, a category, a tag": Query(mine, category="models", text="measurement", tags=("thermal",)),
        "a word of every README": Query(None, text="simulation"),
        "one letter": Query(None, text="m"),
        "two letters": Query(mine, text="sp"),
        "a word with digits": Query(None, text="measurement00"),
        "a number": Query(None, text="00012"),
        "a word of 5 assets": Query(None, text="needle"),
        "a word of 5 assets, 2 owners": Query(mine, text="needle"),
        "a rare and a frequent word": Query(None, text="needle simulation"),
        "six frequent words": Query(None, text="measurement simulation model spring a b"),
        "six frequent words, 2 owners": Query(mine, text="measurement simulation model spring a b"),
        "no such word": Query(None, text="zzzzqqq"),
        "frequent words, never together": Query(None, text="eventually odd"),
        "a tag": Query(None, tags=("thermal",)),
        "three tags, 2 owners": Query(mine, tags=("thermal", "fmu", "control")),
        "inside assets": Query(None, text="readme", inside=True),
        "inside assets, 2 owners": Query(mine, text="readme", inside=True),
    }.items():
        _time(what, index, query)
    _time_last(index)
    started = time.perf_counter()
    for number in range(1000):
        index.usage(f"owner{number % OWNERS}")
    print(f"{'bytes of an owner':<44} {time.perf_counter() - started:8.3f} ms")


def _time(what: str, index: Index, query: Query) -> None:
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        page = index.search(query)
        times.append((time.perf_counter() - started) * 1000)
    print(f"{what:<44} {statistics.median(times):8.2f} {max(times):8.2f} {len(page.hits):5d}", flush=True)


def _time_last(index: Index) -> None:
    """Go through all pages: the time of one must not grow with its number."""
    for what, text in (
        ("all assets", ""),
        ("a word of every asset", "measurement"),
        ("six frequent words", "measurement simulation model spring a b"),
    ):
        times, found, after = [], 0, None
        more = True
        while more:
            started = time.perf_counter()
            page = index.search(Query(None, text=text, first=100, after=after))
            times.append((time.perf_counter() - started) * 1000)
            found, after, more = found + len(page.hits), page.end_cursor, page.has_next
        label = f"{what}: {len(times)} pages of 100"
        print(f"{label:<44} {statistics.median(times):8.2f} {max(times):8.2f} {found:5d}", flush=True)


def _rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _most_rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def make_assets(files: Path, count: int) -> None:
    """Write `count` assets: every second one a folder with a README, the others files."""
    chosen = random.Random(3)  # noqa: S311 - the same assets each time
    vocabulary = ["".join(chosen.choices(LETTERS, k=chosen.randint(3, 9))) for _ in range(20_000)]
    tags = ("thermal", "fmu", "control", "csv", "robot", "sensor")

    def words(number: int) -> str:
        return " ".join(vocabulary[min(int(chosen.paretovariate(0.6)), 19_999)] for _ in range(number))

    owners = [COMMON, *(f"owner{number}" for number in range(OWNERS - 1))]
    for number in range(count):
        folder = files / owners[number % OWNERS] / list(Category)[number // OWNERS % 5]
        name = f"measurement{number:06d}_{chosen.choice(vocabulary)}"
        if number // OWNERS % 2:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.fmu").write_bytes(b"")
            continue
        (folder / name).mkdir(parents=True)
        rare = " needle" if number % 20_000 == 0 else ""
        parity = "eventually" if number % (4 * OWNERS) < OWNERS else "odd"
        front = f"---\ntitle: {words(3)}\ntags: [{', '.join(chosen.sample(tags, 3))}]\n---\n"
        (folder / name / "README.md").write_text(
            f"{front}# {words(3)}\n\nA simulation of a spring model. {words(12)}.\n\n{words(60)}{rare} {parity}\n"
        )


MAKE = "import sys; from pathlib import Path; from benchmarks.library_search import make_assets; make_assets(Path(sys.argv[1]), int(sys.argv[2]))"

if __name__ == "__main__":
    main()
