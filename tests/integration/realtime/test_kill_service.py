"""The service ended without warning, and its broker, host and workers with it: what a sender was told is kept, is kept."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from tests.support.ledger import LEDGER
from tests.support.realtime import OWNER, Standalone, standalone

KILLS = 3
INSTANCES = 5
ALONE = LEDGER.replace(
    '        if message.number % 7 == 0:\n            context.send("Book", f"book{message.number % 5}", Note(number=message.number))\n',
    "",
)


def send_for(found: Standalone, first: int, seconds: float, kept: list[int], doubtful: set[int]) -> int:
    """Send batches, one after the other, until the time is over and the service is ended in the midst of one; give the next number."""
    end, number = time.monotonic() + seconds, first
    with httpx2.Client(timeout=5) as client:
        while True:
            numbers = range(number, number + 10)
            number += 10
            batch = [{"id": f"i{one % INSTANCES}", "message": {"number": one}} for one in numbers]
            if time.monotonic() > end:
                found.process.kill()
            try:
                answer = client.post(f"{found.url}/realtime/{OWNER}/models/Ledger/messages", json=batch)
            except httpx2.HTTPError:
                doubtful |= set(numbers)
                return number
            if answer.status_code < 300:
                kept += numbers
            else:
                doubtful |= set(numbers)


def states(found: Standalone) -> list[dict[str, Any]]:
    listed = found.get("/models/Ledger/instances", limit=INSTANCES)
    return [found.get(f"/models/Ledger/instances/{one['id']}")["state"] for one in listed["instances"]]


def test_what_the_service_acknowledged_is_in_the_states_once_however_often_it_was_ended(tmp_path: Path) -> None:
    """A sender that was told 'kept' has thrown its message away."""
    chance = random.Random(3)  # noqa: S311 - the same ends in each run
    kept: list[int] = []
    doubtful: set[int] = set()
    number = 0
    for kill in range(KILLS):
        with standalone(tmp_path) as found:
            if not kill:
                found.deploy({"model.py": ALONE}, entry="model.py")
            number = send_for(found, number, chance.uniform(0.3, 1.2), kept, doubtful)
    with standalone(tmp_path) as found:
        end = time.monotonic() + 30
        while True:
            try:
                counted = Counter(one for state in states(found) for one in state["numbers"])
            except httpx2.HTTPError:
                counted = Counter()  # its workers are not back yet
            if set(kept) <= set(counted):
                break
            assert time.monotonic() < end, f"{len(set(kept) - set(counted))} of {len(kept)} are lost"
            time.sleep(0.2)
        assert [one for one, times in counted.items() if times != 1] == []
        assert set(counted) <= set(kept) | doubtful
    print(f"{len(kept)} messages acknowledged around {KILLS} ends of the service")
