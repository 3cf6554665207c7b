"""How much of a core the embedded history takes at 20,000 messages a second, merges included, and how quickly it is read.

    .venv/bin/python benchmarks/realtime_history.py [SECONDS]

Frames are made before; what is measured is what the service does with them: read, collect, write, sync, merge.
"""

import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from realtime.frames import Item, encode_items, partition_of
from realtime.service.history.collecting import Collector
from realtime.service.history.contract import HistoryKind, Place, Question
from realtime.service.history.embedded import Embedded

RATE = 20_000
PER_FRAME = 40
INSTANCES = 100_000
WRITE_EVERY_S = 10
RANDOM = random.Random(1)  # noqa: S311 - readings


def make_frames(seconds: int, start_s: float) -> list[bytes]:
    """Make one second's frames, to be used again with other times."""
    frames = []
    for number in range(RATE // PER_FRAME * seconds):
        items: dict[int, list[Item]] = {}
        for _ in range(PER_FRAME):
            instance = f"turbine-{RANDOM.randrange(INSTANCES)}"
            content = b'{"temperature_c":%.3f,"rotor_rpm":%.2f}' % (RANDOM.gauss(70, 9), RANDOM.gauss(12, 2))
            items.setdefault(partition_of(instance, 16), []).append(Item(instance, content))
        frames.append(encode_items(start_s + number * PER_FRAME / RATE, items))
    return frames


def used_s() -> float:
    """Processor time of all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def main(seconds: int) -> None:
    start_s = time.time() - seconds
    frames = make_frames(seconds, start_s)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        store = Embedded(Path(folder), keep_days=30, owner_bytes=10**12)
        place = await store.place("anna", HistoryKind.TELEMETRY, 1)
        longest = await fill(store, frames, place)
        before, began = longest[0], longest[1]
        busy, wall = used_s() - before, time.perf_counter() - began
        files = segments_below(Path(folder))
        size = sum(file.stat().st_size for file in files)
        question = Question(
            owner="anna", kind=HistoryKind.TELEMETRY, model="Turbine", instance="turbine-7", from_us=0, to_us=2**60
        )
        reads = []
        for number in range(20):
            began = time.perf_counter()
            await store.read(Question(**{**_fields(question), "instance": f"turbine-{number}"}))
            reads.append(time.perf_counter() - began)
        figures = {
            "messages": RATE * seconds,
            "core_share_at_20000_per_s": round(busy / seconds, 3),
            "times_faster_than_needed": round(seconds / wall, 1),
            "longest_stop_of_the_loop_ms": round(longest[2] * 1000, 1),
            "bytes_per_message": round(size / (RATE * seconds), 1),
            "files": len(files),
            "read_one_instance_ms_median": round(sorted(reads)[10] * 1000, 1),
        }
        print(json.dumps(figures, indent=1))
        assert figures["core_share_at_20000_per_s"] < 0.3


def segments_below(folder: Path) -> list[Path]:
    """List the files."""
    return list(folder.rglob("*.parquet"))


def _fields(question: Question) -> dict[str, object]:
    return {name: getattr(question, name) for name in question.__struct_fields__}


async def fill(store: Embedded, frames: list[bytes], place: Place) -> tuple[float, float, float]:
    """Put all frames in; give processor time and clock at the start, and the longest that one frame stopped the loop."""
    before, began, longest = used_s(), time.perf_counter(), 0.0
    collector = Collector("anna", HistoryKind.TELEMETRY, place)
    for position, data in enumerate(frames, 1):
        at = time.perf_counter()
        collector.add("Turbine", position, data)
        longest = max(longest, time.perf_counter() - at)
        if position % (RATE // PER_FRAME * WRITE_EVERY_S) == 0 or position == len(frames):
            batch = collector.take_whole()
            assert batch is not None
            await store.write(batch)
            collector = Collector("anna", HistoryKind.TELEMETRY, batch.place)
    return before, began, longest


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 120))
