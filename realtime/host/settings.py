"""What a host is told by the environment."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping

import msgspec

from realtime.worker.settings import Broker, NotConfigured, read_broker


class HostSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One host."""

    broker: Broker
    name: str
    workers: int = 1
    """Of each model."""
    hung_s: float = 10.0
    """So long one handler may take."""
    starts_s: float = 60.0
    """So long a worker may take to begin."""
    restart_s: float = 1.0
    """So long a worker that ended waits at first, and each time twice as long, up to a minute."""
    well_s: float = 60.0
    """After so long without an end all is forgiven."""
    ends: int = 3
    """So often the same message may end a worker before it is left out."""


def read_host_settings(environ: Mapping[str, str] = os.environ) -> HostSettings:
    """Read them; raises NotConfigured."""
    try:
        return HostSettings(
            broker=read_broker(environ),
            # It stands in keys of buckets, and stays the same when the host is started anew: its workers' leases are theirs again.
            name=re.sub(r"[^A-Za-z0-9_-]", "_", environ.get("REALTIME_HOST") or socket.gethostname())[:60],
            workers=max(1, int(environ.get("REALTIME_WORKERS_PER_MODEL") or 1)),
            hung_s=float(environ.get("REALTIME_HUNG_S") or 10.0),
            restart_s=float(environ.get("REALTIME_RESTART_S") or 1.0),
        )
    except ValueError as error:
        raise NotConfigured(
            f"REALTIME_WORKERS_PER_MODEL, REALTIME_HUNG_S or REALTIME_RESTART_S is no number: {error}.",
            "Leave them out for 1, 10 and 1.",
        ) from None
