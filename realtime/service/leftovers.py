"""States that nothing names: left where a worker was ended while it wrote one, or before it said so."""

from __future__ import annotations

import base64
import logging

import msgspec
from nats.js.errors import KeyNotFoundError, NotFoundError

from realtime.service.spaces import Space, broker_errors
from realtime.wire import SNAPSHOTS, STATES, SnapshotRecord

STREAM = f"OBJ_{STATES}"
log = logging.getLogger("realtime.leftovers")


class Leftovers:
    """Erases what was left over at the look before already: what is being written just now must stay."""

    def __init__(self) -> None:
        self._before: dict[str, set[str]] = {}

    async def look(self, space: Space) -> None:
        """Erase an owner's leftovers of the look before, and note those of now."""
        with broker_errors():
            found = await self._find(space)
            for subject in found & self._before.get(space.owner, set()):
                await space.js.purge_stream(STREAM, subject=subject)
                log.info("%s was left over in the states of %s", subject, space.label)
        self._before[space.owner] = found

    async def _find(self, space: Space) -> set[str]:
        """Name the subjects of what nothing names."""
        # The pieces first: whatever is complete by the time when objects are listed, is listed.
        prefix = f"$O.{STATES}.C."
        info = await space.js.stream_info(STREAM, subjects_filter=f"{prefix}>")
        pieces = {one: one.removeprefix(prefix) for one in info.state.subjects or {}}
        try:
            objects = await (await space.js.object_store(STATES)).list(ignore_deletes=True)
        except NotFoundError:
            objects = []
        found = {subject for subject, nuid in pieces.items() if nuid not in {one.nuid for one in objects}}
        for one in objects:
            if one.name.count("/") == 2 and not await _is_named(space, one.name):
                found |= {
                    f"{prefix}{one.nuid}",
                    f"$O.{STATES}.M.{base64.urlsafe_b64encode(one.name.encode()).decode()}",
                }
        return found


async def _is_named(space: Space, name: str) -> bool:
    model, partition, _ = name.split("/")
    try:
        entry = await (await space.kv(SNAPSHOTS)).get(f"{model}.{partition}")
    except KeyNotFoundError:
        return False
    return msgspec.json.decode(entry.value or b"", type=SnapshotRecord).object == name
