"""The watching itself: look, decide, tell."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client import Counter, Gauge

from hub.watch import ending
from hub.watch.control_groups import find_control_groups, mounted_controllers
from hub.watch.ending import Endings, Why
from hub.watch.engine import ERRORS, Container, Engine, Key
from hub.watch.hub import Hub, HubSilent, Server
from hub.watch.idleness import Idleness
from hub.watch.remembered import memory_of, read_memories, recall, write_memories
from hub.watch.room import Room
from hub.watch.rules import StopReason
from hub.watch.watched import Watched, started_at
from twinhub.places import Places
from twinhub.workspace_state import WorkspaceState, forget_state, told_of, write_state

TICK_S: Final = 1.0
USAGE_PERIOD_S: Final = 3.0
ASK_PERIOD_S: Final = 5.0
GB: Final = 1_000_000_000

ENDED: Final = Counter("twinhub_workspaces_ended", "Workspaces that the platform stopped", ["why"])
WATCHED: Final = Gauge("twinhub_workspaces_watched", "Workspaces that run and are looked after")

log = logging.getLogger("watch")


@dataclass(frozen=True)
class Answers:
    """What the engine and the hub said; None from one that did not answer."""

    containers: dict[Key, Container] | None
    servers: dict[Key, Server] | None


class Watcher:
    """Follow every running workspace of one installation."""

    def __init__(self, places: Places, engine: Engine, hub: Hub, *, looking: Executor, ending: Executor) -> None:
        self._places = places
        self._engine = engine
        self._hub = hub
        # Apart: fifty people who go idle at once must not hold up who watches the disk.
        self._executor = looking
        self._endings = Endings(places, engine, hub, ending)
        self._idleness = Idleness(places, time.monotonic())
        self._room = Room(places, engine.root(), looking, lambda watched, why: self._end(watched, why, at_once=True))
        self._controllers = mounted_controllers()
        self._watched: dict[Key, Watched] = {}
        self._memories = read_memories(places.watch_memory)
        self._asked: Future[Answers] | None = None
        self._ask_at = self._use_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Watch until told to stop."""
        while not stop.wait(TICK_S):
            try:
                self.tick()
            except Exception:
                log.exception("one look at the workspaces failed")

    def tick(self) -> None:
        """Look once at what is due; nothing here waits for the hub, the engine or a disk."""
        now = time.monotonic()
        self._ask(now)
        if now >= self._use_at:
            self._use_at = now + USAGE_PERIOD_S
            self._look_at_use(now)
        WATCHED.set(len(self._watched))
        self._room.look(list(self._watched.values()), now, time.monotonic)

    # --- asking the hub and the engine, beside the watching ---------------------------

    def _ask(self, now: float) -> None:
        if self._asked is None and now >= self._ask_at:
            self._ask_at = now + ASK_PERIOD_S
            self._asked = self._executor.submit(self._fetch)
        elif self._asked is not None and self._asked.done():
            answers, self._asked = self._asked.result(), None
            self._idleness.heard(answers.servers, now)
            if answers.containers is not None:
                self._follow(answers.containers, now)

    def _fetch(self) -> Answers:
        containers: dict[Key, Container] | None = None
        servers: dict[Key, Server] | None = None
        try:
            containers = self._engine.running()
        except ERRORS as error:
            log.warning("the container engine does not answer: %s", error)
        try:
            servers = self._hub.servers()
        except HubSilent as error:
            log.warning("%s", error)
        return Answers(containers, servers)

    def _follow(self, containers: dict[Key, Container], now: float) -> None:
        for key in [key for key, watched in self._watched.items() if containers.get(key) != watched.container]:
            self._leave(key)
        for key, container in containers.items():
            if key not in self._watched:
                self._begin(container, now)
        for owner, server in list(told_of(self._places)):
            if Key(owner, server) not in containers:
                forget_state(self._places, owner, server)

    def _begin(self, container: Container, now: float) -> None:
        groups = find_control_groups(container.pid, self._controllers)
        started = started_at(container.pid, now)
        if groups is None or started is None:
            return  # it has ended just now
        watched = Watched(container, groups, started)
        # What was before this watch is not known, so it does not count.
        memory = self._memories.get(str(container.key))
        if memory is not None:
            recall(watched, memory)
        self._watched[container.key] = watched

    def _leave(self, key: Key) -> None:
        memory = memory_of(self._watched.pop(key))
        if memory.tolerated_bytes is None:
            self._memories.pop(str(key), None)
        else:
            self._memories[str(key)] = memory
        forget_state(self._places, key.owner, key.server)

    # --- looking ----------------------------------------------------------------------

    def _look_at_use(self, now: float) -> None:
        wall = datetime.now(UTC)
        for key, watched in list(self._watched.items()):
            reading = watched.groups.read()
            if reading is None:
                self._leave(key)
                continue
            profile = self._idleness.profile_of(watched.container.profile)
            watched.disk_limit_bytes = None if profile.disk_gb is None else round(profile.disk_gb * GB)
            watched.take(reading, now, wall)
            self._room.count(watched, now)
            warned_before = watched.warned
            reason = self._idleness.look(watched, now, wall)
            if watched.warned is not None and warned_before is None:
                self._warn(watched)
            if reason is not None:
                self._end(watched, self._words(reason, watched), at_once=False)
            self._tell(watched, now, wall)
        self._remember()

    def _words(self, reason: StopReason, watched: Watched) -> Why:
        profile = self._idleness.profile_of(watched.container.profile)
        if reason is StopReason.TIME_LIMIT:
            return ending.time_limit(profile.longest_hours)
        return ending.idle(profile.idle_stop_minutes)

    def _warn(self, watched: Watched) -> None:
        text = ending.warning(watched.plan, time.monotonic())
        user_id = self._places.settings.workspace_user_id
        self._executor.submit(self._engine.say, watched.container, text, user_id)

    def _end(self, watched: Watched, why: Why, *, at_once: bool) -> None:
        if watched.ending:
            return
        watched.ending = True
        ENDED.labels(why.reason).inc()

        def tried() -> None:
            watched.ending = False  # should it live on, it is looked at again

        self._endings.end(watched.container, why, at_once=at_once, done=tried)

    # --- telling ------------------------------------------------------------------------

    def _tell(self, watched: Watched, now: float, wall: datetime) -> None:
        def when(moment: float | None) -> str | None:
            if moment is None:
                return None
            return (wall + timedelta(seconds=moment - now)).isoformat(timespec="seconds")

        reading, plan, container = watched.reading, watched.plan, watched.container
        state = WorkspaceState(
            measured_at=wall.isoformat(timespec="seconds"),
            profile=container.profile,
            variant=container.variant,
            memory_bytes=reading.memory_bytes,
            memory_limit_bytes=reading.memory_limit_bytes,
            cpu_cores_used=None if watched.cores_used is None else round(watched.cores_used, 3),
            cpus=reading.cpus,
            disk_bytes=watched.measured.used_bytes if watched.measured else None,
            disk_limit_bytes=watched.disk_limit_bytes,
            disk_measured_at=watched.measured_stamp.isoformat(timespec="seconds") if watched.measured_stamp else None,
            last_activity=when(watched.used),
            stops_at=when(plan.stops_at),
            stop_reason=plan.reason,
            keep_until=when(watched.kept_until),
            warned=watched.warned is not None,
            oom_kills=reading.oom_kills,
            last_oom_at=watched.last_oom.isoformat(timespec="seconds") if watched.last_oom else None,
        )
        try:
            write_state(self._places, container.key.owner, container.key.server, state)
        except OSError as error:
            log.warning("what is known of %s cannot be told: %s", container.key, error)

    def _remember(self) -> None:
        self._memories.update({str(key): memory_of(watched) for key, watched in self._watched.items()})
        try:
            write_memories(self._places.watch_memory, self._memories)
        except OSError as error:
            log.warning("what must be remembered cannot be written: %s", error)
