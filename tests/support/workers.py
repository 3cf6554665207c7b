"""Workers of real-time twins beside a real broker: models deployed, messages sent, states and outputs looked at."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from realtime import wire
from realtime.bundles import load_bundle
from realtime.frames import Item, encode_frame, encode_items, partition_of
from realtime.service.labels import broker_password, broker_user
from realtime.service.spaces import Space
from realtime.snapshots import read_snapshot
from realtime.wire import Bundle, ModelRecord, Out, SnapshotRecord, VersionRecord, WorkerRecord
from tests.support.nats import Broker, opened_spaces, running_broker

OWNER = "ann"


class Rig:
    """An owner's account with models, and processes that run them."""

    def __init__(self, broker: Broker, space: Space, folder: Path) -> None:
        self.broker = broker
        self.space = space
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._partitions: dict[str, int] = {}
        self._ended: set[int] = set()

    # --- deploying and sending --------------------------------------------------------------

    async def deploy(
        self, model: str, code: str, *, version: int = 1, partitions: int = 4, tables: Mapping[str, Any] | None = None
    ) -> int:
        """Deploy one version and have it in force from here on; give the position from where."""
        js = self.space.js
        bundle = Bundle(files={"model.py": code.encode()}, entry="model.py", model=model, tables=dict(tables or {}))
        await (await js.object_store(wire.BUNDLES)).put(f"{model}/{version}", msgspec.msgpack.encode(bundle))
        await (await js.key_value(wire.VERSIONS)).put(
            f"{model}.{version}", msgspec.json.encode(VersionRecord(name=model, version=version))
        )
        record = ModelRecord(name=model, version=version, partitions=partitions, latest=version)
        await (await js.key_value(wire.MODELS)).put(model, msgspec.json.encode(record))
        self._partitions[model] = partitions
        ack = await js.publish(f"in.{model}", encode_frame(time.time(), version=version))
        return ack.seq

    async def send(self, model: str, items: Iterable[tuple[str, Any]], *, at_s: float | None = None) -> int:
        """Send messages in one frame; give its position."""
        groups: dict[int, list[Item]] = {}
        for instance, message in items:
            content = message if isinstance(message, bytes) else msgspec.json.encode(message)
            groups.setdefault(partition_of(instance, self._partitions[model]), []).append(Item(instance, content))
        data = encode_items(time.time() if at_s is None else at_s, groups)
        ack = await self.space.js.publish(f"in.{model}", data, timeout=2)
        return ack.seq

    # --- processes --------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        """Give what a worker or a host is told."""
        return {
            **os.environ,
            "REALTIME_SERVERS": self.broker.urls,
            "REALTIME_USER": broker_user(OWNER, "worker"),
            "REALTIME_PASSWORD": broker_password(self.broker.config.secret, OWNER, "worker"),
            **more,
        }

    def start(
        self, name: str, *, model: str = "", module: str = "realtime.worker", **more: str
    ) -> subprocess.Popen[bytes]:
        """Start a worker, or a host."""
        given = self.environment(REALTIME_MODEL=model, REALTIME_WORKER=name, **more)
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module], env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.processes[name] = process
        return process

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End one, and wait for it."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(30)
        self._ended.add(process.pid)

    def stop(self) -> None:
        """End all."""
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
        for process in self.processes.values():
            process.wait(30)
        self.processes.clear()

    def logs(self) -> str:
        """Give what they wrote."""
        return "\n".join(f"--- {file.name}\n{file.read_text()[-4000:]}" for file in sorted(self.folder.glob("*.log")))

    # --- looking ----------------------------------------------------------------------------

    async def workers(self, model: str) -> list[WorkerRecord]:
        """Give the workers that are alive; what one that was ended has said stays for some seconds."""
        return [one for one in await self.space.workers(model) if one.pid not in self._ended]

    async def ready(self, model: str, within_s: float = 15.0) -> None:
        """Wait until all partitions are up to date."""
        await self.until(
            lambda found: sorted(n for one in found for n in one.partitions) == [*range(self._partitions[model])],
            model,
            within_s,
        )

    async def until(
        self, so: Callable[[list[WorkerRecord]], bool], model: str, within_s: float = 15.0
    ) -> list[WorkerRecord]:
        """Wait until the workers' records are as wanted."""
        end = time.monotonic() + within_s
        while True:
            found = await self.workers(model)
            if so(found):
                return found
            if time.monotonic() > end:
                raise TimeoutError(f"{found}\n{self.logs()}")
            await asyncio.sleep(0.05)

    async def idle(self, *models: str, within_s: float = 30.0) -> None:
        """Wait until nothing waits and nothing more comes of what was sent."""
        end, seen, since = time.monotonic() + within_s, -1, time.monotonic()
        while time.monotonic() - since < 1.5:
            info = await self.space.js.stream_info(wire.IN)
            busy = sum([one.lag for model in models for one in await self.workers(model)])
            if busy or info.state.last_seq != seen:
                seen, since = info.state.last_seq, time.monotonic()
            if time.monotonic() > end:
                raise TimeoutError(self.logs())
            await asyncio.sleep(0.1)

    async def states(self, model: str, code: str) -> dict[str, Any]:
        """Give all states as the newest snapshots have them, which a worker that ended cleanly has left."""
        found: dict[str, Any] = {}
        bundle = Bundle(files={"model.py": code.encode()}, entry="model.py", model=model)
        loaded = load_bundle(bundle, 1)
        bucket, store = await self.space.js.key_value(wire.SNAPSHOTS), await self.space.js.object_store(wire.STATES)
        for number in range(self._partitions[model]):
            record = msgspec.json.decode((await bucket.get(f"{model}.{number}")).value or b"", type=SnapshotRecord)
            partition = read_snapshot(loaded.model, (await store.get(record.object)).data or b"")
            found |= {
                name: msgspec.to_builtins(twin) for name, twin in zip(partition.names, partition.twins, strict=True)
            }
        return found

    async def outs(self, model: str) -> list[Out]:
        """Give all that is in OUT, as it stands there, repeats too."""
        js = self.space.js
        info = await js.stream_info(wire.OUT, subjects_filter=f"out.{model}")
        wanted = sum((info.state.subjects or {}).values())
        found: list[Out] = []
        if not wanted:
            return found
        subscription = await js.subscribe(f"out.{model}", stream=wire.OUT, ordered_consumer=True)
        for _ in range(wanted):
            message = await subscription.next_msg(5)
            found += msgspec.msgpack.decode(message.data, type=wire.Outs)
        await subscription.unsubscribe()
        return found


@contextlib.asynccontextmanager
async def running_rig(folder: Path, *, count: int = 1) -> AsyncIterator[Rig]:
    """Run a broker with an owner's account; whatever was started is ended afterwards."""
    with running_broker(folder / "broker", count=count, owners=[OWNER]) as broker:
        async with opened_spaces(broker) as spaces:
            rig = Rig(broker, await spaces.open(OWNER), folder)
            try:
                yield rig
            finally:
                rig.stop()
