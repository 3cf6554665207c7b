"""Which worker should have which partition: the same answer wherever it is asked, from who is there alone."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final

WAITING: Final = "waiting-"
"""Before the id of a worker that does not run just now, where its host speaks for it."""


def plan_shares(workers: Iterable[str], partitions: int) -> dict[int, str]:
    """Give each partition to the worker that it hashes to most, but to none more than its share.

    Where a worker comes or goes, few partitions move beside those that it has or had.
    """
    present = sorted({one for one in workers if not one.startswith(WAITING)})
    if not present:
        return {}
    room = dict.fromkeys(present, -(-partitions // len(present)))
    shares: dict[int, str] = {}
    for partition in range(partitions):
        chosen = max((one for one in present if room[one]), key=lambda one: _weight(one, partition))
        room[chosen] -= 1
        shares[partition] = chosen
    return shares


def _weight(worker: str, partition: int) -> tuple[int, str]:
    # Twice, as the checksum of texts that differ in their last characters only would order the workers alike.
    first = zlib.crc32(f"{partition}/{worker}".encode())
    return zlib.crc32(f"{first:08x}{worker}".encode()), worker
