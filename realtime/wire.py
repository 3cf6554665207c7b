"""What service, hosts and workers say to each other: names in an owner's NATS account, and the records kept there.

Each owner has a NATS account of their own, so no name needs the owner's, and nobody
sees anything of another one.

Streams, all synced to disk before they acknowledge:
    IN       in.MODEL       frames (realtime.frames); the one order in which everything happens
    OUT      out.MODEL      Outs, in msgpack: alerts, events, dead letters and replies, whatever crashed perhaps twice
    DEAD     dead.MODEL     one DeadLetter each, in JSON
    CHANGES  changes.MODEL  Changes, in msgpack: states after the last message of each interval, for the history
Buckets (key-value): models, versions, snapshots, skips on disk; leases, workers in memory, their entries live 5 s.
Object store: bundles (name MODEL/VERSION), states (snapshots, any name).
Subjects without a stream:
    reply.MODEL     list of Reply, in msgpack, at once after the frame; the same, with the same ids, stands in OUT
    query.MODEL     a question to all workers of a model; each answers once or in parts, see realtime.queries
    check           a question to any host of the owner: could this bundle run (CheckQuestion), answered with CheckAnswer
    replay          a question to any host of the owner: what comes of recorded messages (ReplayQuestion), answered with ReplayAnswer
    batch.MODEL     for programs: a JSON list of {"id": …, "message": …}, acknowledged with {"accepted": n} or an error
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from realtime.outputs import Alert, DeadLetter, Event, Reply

MODEL_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
LONGEST_INSTANCE: Final = 200
"""Characters of an instance's id."""
LONGEST_TROUBLE: Final = 8000
"""Characters of why a worker ended or what hinders it."""
LARGEST_MESSAGE: Final = 256 * 1024
"""Bytes of one message."""
DEFAULT_PARTITIONS: Final = 16

IN: Final = "IN"
OUT: Final = "OUT"
DEAD: Final = "DEAD"
CHANGES: Final = "CHANGES"
MODELS: Final = "models"
VERSIONS: Final = "versions"
SNAPSHOTS: Final = "snapshots"
SKIPS: Final = "skips"
LEASES: Final = "leases"
WORKERS: Final = "workers"
DASHBOARDS: Final = "dashboards"
"""Pages that people put together; the service's own."""
PLACES: Final = "places"
"""How far the service has given on what models brought about; its own."""
CREDENTIALS: Final = "credentials"
"""How often each device's key was renewed; the service's own."""
BUNDLES: Final = "bundles"
STATES: Final = "states"
CHECK: Final = "check"
REPLAY: Final = "replay"
LEASE_S: Final = 5.0
"""So long an entry of `leases` and `workers` lives without being renewed."""

Kept = Reply | Alert | Event | DeadLetter
"""What of the outputs goes into OUT; messages to other twins go into those twins' streams."""


class ModelRecord(msgspec.Struct, kw_only=True):
    """Bucket `models`, key MODEL: what should run."""

    name: str
    version: int
    """The one that runs, or will; a roll back names an older one."""
    partitions: int = DEFAULT_PARTITIONS
    enabled: bool = True
    latest: int = 0
    """The highest version there has been."""
    changed_at: float = 0.0
    """Seconds since 1970."""
    changed_by: str = ""
    removed_at: float | None = None
    """Since when it waits to be erased; until then it can be brought back."""


class VersionRecord(msgspec.Struct, kw_only=True):
    """Bucket `versions`, key MODEL.VERSION: what one version is."""

    name: str
    version: int
    schema: dict[str, Any] = {}
    """As realtime.describe gives it: fields with type and unit, messages with their JSON schemas, timers."""
    deployed_at: float = 0.0
    deployed_by: str = ""
    note: str = ""
    digest: str = ""
    """SHA-256 of the bundle."""


class Bundle(msgspec.Struct, kw_only=True):
    """Object MODEL/VERSION of the store `bundles`, in msgpack: a model's files and slow data."""

    files: dict[str, bytes]
    """By their relative paths."""
    entry: str
    """The path of the file that has the class."""
    model: str
    """The class's name."""
    tables: dict[str, Any] = {}


class SnapshotRecord(msgspec.Struct, kw_only=True):
    """Bucket `snapshots`, key MODEL.PARTITION: the newest state that is kept whole; never replaced by an older one."""

    position: int
    """Of the last frame of IN that is in it."""
    version: int
    object: str
    """Its name in the store `states`."""
    instances: int
    bytes: int
    time_s: float


class WorkerRecord(msgspec.Struct, kw_only=True):
    """Bucket `workers`, key MODEL.ID: how a worker is, renewed each second or so."""

    worker: str
    model: str
    version: int
    host: str
    pid: int
    partitions: list[int] = []
    """Those that it has, and has brought up to date once."""
    loading: list[int] = []
    """Those that it is bringing up to date."""
    instances: int = 0
    memory_bytes: int = 0
    messages: int = 0
    """Handled since it started."""
    rate: float = 0.0
    """Messages per second, over the last ones."""
    lag: int = 0
    """Frames that wait."""
    failures: int = 0
    """Messages put aside since it started."""
    restarts: int = 0
    """How often its host had to start it again."""
    trouble: str = ""
    """Why it ended last, or what hinders it; '' where all is well."""


class Out(msgspec.Struct, array_like=True, frozen=True):
    """What one frame brought about in one partition."""

    partition: int
    position: int
    outputs: list[Kept]
    part: int = 0
    """Of what is too large for one message of the broker; APART for what may come later than its place."""


APART: Final = -1
"""Receivers do not drop it by its position: it has letters only, whose ids tell which come again."""
Outs = list[Out]


class Changes(msgspec.Struct, array_like=True, frozen=True):
    """States of instances of one partition that changed since the last ones, as JSON."""

    partition: int
    time_s: float
    states: list[tuple[str, msgspec.Raw]]
    """Raw is msgpack of the state as a map."""


class CheckQuestion(msgspec.Struct, kw_only=True):
    """Subject `check`, in JSON: the object's name in the store `bundles`."""

    object: str
    seconds: float = 20.0
    migrate_from: int = 0
    """Not 0: states of this version would be taken over, so say where that cannot be."""


class CheckAnswer(msgspec.Struct, kw_only=True):
    """What came of it: the schema, or what is wrong and what to do."""

    schema: dict[str, Any] | None = None
    what: str = ""
    fix: str = ""


class ReplayQuestion(msgspec.Struct, kw_only=True):
    """Subject `replay`, in JSON: play a recording to versions of a model."""

    model: str
    versions: list[int]
    recording: str
    """Name in the store `states` of a realtime.replaying.Recording, in msgpack."""
    result: str
    """Name in the store `states` under which the results are to be left, in JSON."""
    seconds: float = 120.0


class ReplayAnswer(msgspec.Struct, kw_only=True):
    """The results are there where `what` is empty; else what is wrong and what to do."""

    what: str = ""
    fix: str = ""
