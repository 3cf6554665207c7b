"""A backup of a broker that takes messages all the time comes back with everything that it had acknowledged by then."""

import asyncio
import dataclasses
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from realtime.service.spaces import Space
from realtime.wire import IN
from tests.support.nats import Broker, make_broker, opened_spaces, running_broker, until
from twinhub.operate.backup import making
from twinhub.operate.backup.errors import BackupRefused
from twinhub.operate.backup.holding import BrokerHeld
from twinhub.operate.backup.making import make_backup
from twinhub.operate.backup.restoring import Changes, restore
from twinhub.operate.report import Report
from twinhub.places import Places
from twinhub.settings import Settings

OWNER = "ada"
SIZE = 2000


def held_by(pid: int, moments: list[tuple[float, float]]) -> type[BrokerHeld]:
    """Give what holds this very process in place of the installation's, and notes from when to when."""

    class Held(BrokerHeld):
        def _find(self) -> int:
            return pid

        def _hold(self) -> None:
            super()._hold()
            moments.append((time.monotonic(), 0.0))

        def _let_go(self) -> bool:
            if self._release is not None:
                moments[-1] = (moments[-1][0], time.monotonic())
            return super()._let_go()

    return Held


async def publish(space: Space, acknowledged: list[tuple[float, int]], stop: asyncio.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        await space.js.publish("in.M", number.to_bytes(8, "big") + os.urandom(SIZE))
        acknowledged.append((time.monotonic(), number))


async def back_up(places: Places, broker: Broker) -> list[tuple[float, int]]:
    """Make two backups while messages come in; give what was acknowledged when."""
    acknowledged: list[tuple[float, int]] = []
    stop = asyncio.Event()
    async with opened_spaces(broker) as spaces:
        space = await spaces.open(OWNER)
        work = asyncio.create_task(publish(space, acknowledged, stop))
        for wanted in (200, 400):
            await until(partial(_has, acknowledged, wanted), 30)
            await asyncio.to_thread(make_backup, places, Report(quiet=True))
        stop.set()
        await work
    return acknowledged


async def _has(acknowledged: list[tuple[float, int]], wanted: int) -> bool:
    return len(acknowledged) >= wanted


async def last_number(broker: Broker) -> int:
    async with opened_spaces(broker) as spaces:
        space = await spaces.open(OWNER)
        message = await space.js.get_last_msg(IN, "in.M")
        return int.from_bytes((message.data or b"")[:8], "big")


def test_what_was_acknowledged_before_a_backup_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who restores it must find what devices were told to forget."""
    places = Places(tmp_path / "data", Settings())
    places.secrets.mkdir(parents=True)
    with running_broker(places.realtime) as broker:
        moments: list[tuple[float, float]] = []
        process = broker.servers[0].process
        assert process is not None
        monkeypatch.setattr(making, "BrokerHeld", held_by(process.pid, moments))
        acknowledged = asyncio.run(back_up(places, broker))
    began, ended = moments[-1]
    assert ended - began < 30
    backup = making.catalogue.list_backups(places.backups)[-1]
    again = dataclasses.replace(places, data_dir=tmp_path / "again")
    restore(backup, again.data_dir, Changes({}), Report(quiet=True))
    copy = make_broker(again.realtime, owners=[OWNER], secret=broker.config.secret)
    copy.servers[0].start()
    try:
        last = asyncio.run(last_number(copy))
    finally:
        copy.stop()
    assert last >= max(number for when, number in acknowledged if when < began)


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_broker_is_let_go_when_its_backup_fails(tmp_path: Path) -> None:
    """A disk that is full must not stop everybody's devices."""
    places = Places(tmp_path, Settings())
    with running_broker(places.realtime) as broker:
        process = broker.servers[0].process
        assert process is not None
        kind = held_by(process.pid, [])
        held = kind(places)
        held.at((b"realtime", b"broker", b"x"))
        assert state_of(process.pid) == "T"
        held.__exit__(OSError, OSError("full"), None)
        assert state_of(process.pid) != "T"
        with kind(places) as held:
            held.at((b"realtime", b"broker"))
            assert held._release is not None
            os.killpg(held._release.pid, signal.SIGKILL)  # as after 30 s, when it has let the broker go
            held._release.wait()
            with pytest.raises(BackupRefused):
                held.at((b"realtime", b"history"))
        assert state_of(process.pid) != "T"
