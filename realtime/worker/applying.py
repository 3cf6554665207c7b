"""What frames do to partitions, and what of that leaves."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from realtime.context import EMPTY
from realtime.errors import ModelRefused
from realtime.frames import Frame, Group, decode_frame, decode_group
from realtime.outputs import Event, Output
from realtime.partition import Partition
from realtime.places import LOADING, PARTITION, PLACE, POSITION
from realtime.worker.outgoing import Outgoing
from realtime.worker.reading import Read
from realtime.worker.versions import Versions

log = logging.getLogger(__name__)
FIRST_VERSION: Final = 1
"""What handles messages that come before any frame has named a version."""


class Applying:
    """Applies frames, and counts."""

    def __init__(self, versions: Versions, outgoing: Outgoing) -> None:
        self.messages = 0
        self.trouble = ""
        """Why a version was not taken over; '' where none was refused since."""
        self._versions = versions
        self._outgoing = outgoing

    async def apply(self, read: Read, partitions: Iterable[Partition]) -> None:
        """Apply a frame to those that have not had it."""
        try:
            frame = decode_frame(read.data)
        except msgspec.DecodeError as error:
            log.warning("frame %s cannot be read: %s", read.position, error)
            frame = Frame(0.0)
        behind = [one for one in partitions if one.position < read.position]
        groups = _groups(frame, {one.number for one in behind})
        outputs: list[tuple[int, list[Output]]] = []
        for partition in behind:
            given = groups.get(partition.number, [])
            events = await self._ensure_version(partition, frame, given, read.position)
            if given or not partition.pass_by(frame.time_s, read.position):
                events += await partition.apply(frame.time_s, given, read.position)
                self.messages += sum(len(one.items) for one in given)
            if events:
                outputs.append((partition.number, events))
        if outputs:
            await self._outgoing.add(read.position, outputs)

    async def _ensure_version(
        self, partition: Partition, frame: Frame, given: Collection[Group], position: int
    ) -> list[Output]:
        """Switch where the frame says so; give what is to be told of it."""
        version = frame.version or (FIRST_VERSION if given and not partition.version else 0)
        if not version or version == partition.version:
            return []
        where = partition.where
        where[PARTITION], where[POSITION], where[PLACE] = partition.number, position, LOADING
        try:
            if LOADING in partition.left_out.get(position, ()):
                raise ModelRefused(
                    "Loading it ended the worker again and again.", "Mend the model and deploy it again."
                )
            loaded = await self._versions.load(version)
            partition.switch(loaded.model, loaded.tables, version)
        except ModelRefused as error:
            self.trouble = f"Version {version} is not in force: {error}"
            return [self._event(partition, frame, position, self.trouble)] if frame.version else []
        finally:
            where[POSITION] = 0
        self.trouble = ""
        return []

    def _event(self, partition: Partition, frame: Frame, position: int, text: str) -> Event:
        return Event(
            output_id=f"{position}.version.{partition.number}",
            model=partition.model.name,
            instance="",
            time_s=max(frame.time_s, partition.time_s),
            text=text[:4096],
            details=EMPTY,
        )


def _groups(frame: Frame, wanted: set[int]) -> dict[int, list[Group]]:
    found: dict[int, list[Group]] = {}
    for number, raw in frame.groups:
        if number in wanted:
            try:
                group = decode_group(raw)
            except msgspec.DecodeError as error:
                log.warning("messages for partition %s cannot be read: %s", number, error)
                continue
            if not group.source or len(group.positions) == len(group.items):
                found.setdefault(number, []).append(group)
    return found
