"""Near the devices: a server of one's own with worker beside it, which goes on without the centre and lets it catch up.

The edge's server is a leaf of the centre's, with a JetStream domain of its own. It has streams and buckets as an owner's
account has (realtime.stores), and workers that know of nothing else. What models there bring about is taken over into the
centre's streams, each once and in order, whenever there is a connection; the frames too, into a stream beside the
centre's own. Names of models are the owner's: the centre must not run one of the same name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from nats.js import JetStreamContext
from nats.js.api import ExternalStream, StorageType, StreamConfig, StreamSource

from realtime import wire
from realtime.errors import RealtimeError
from realtime.stores import ensure_stream

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
APART: Final = (
    "in.>",
    "out.>",
    "dead.>",
    "changes.>",
    "reply.>",
    "query.>",
    "batch.>",
    "check",
    "$KV.>",
    "$O.>",
    "$JS.API.>",
)
"""What centre and edge both have must not reach the other one, or both would keep it."""


class EdgeRefused(RealtimeError):
    """An edge cannot be set up as it was asked for."""

    code = "edge_refused"
    status = 422


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One edge's server."""

    name: str
    """JetStream's domain, too."""
    folder: Path
    listen: str
    """As HOST:PORT, for workers and whatever takes messages in."""
    centre: str
    """Address where the centre takes leaves, as nats-leaf://HOST:PORT or tls://HOST:PORT."""
    user: str
    """The owner's user at the centre, who is the same here."""
    password: str
    store_bytes: int = 10_000_000_000


def edge_text(edge: Edge) -> str:
    """Write the configuration of an edge's server, a file that nobody else may read; raises EdgeRefused."""
    scheme, found, place = edge.centre.partition("://")
    if not NAME.fullmatch(edge.name) or not found:
        raise EdgeRefused(
            f"'{edge.name}' at '{edge.centre}' is no edge.",
            "Use a letter, then letters, digits, - and _; and nats-leaf://HOST:PORT.",
        )
    users = f"[{{ user: {_quoted(edge.user)}, password: {_quoted(edge.password)} }}]"
    remote = f"{scheme}://{_escaped(edge.user)}:{_escaped(edge.password)}@{place}"
    return "\n".join(
        [
            f"server_name: {_quoted('edge-' + edge.name)}",
            f"listen: {_quoted(edge.listen)}",
            "max_payload: 8MB",
            "jetstream {",
            f"  store_dir: {_quoted(str(edge.folder))}",
            f"  domain: {_quoted(edge.name)}",
            "  sync_interval: always",
            f"  max_file: {edge.store_bytes}",
            "}",
            f"accounts {{ owner: {{ jetstream: enabled, users: {users} }} }}",
            "leafnodes {",
            "  reconnect: 1",
            f"  remotes: [{{ url: {_quoted(remote)}, account: owner,",
            f"    deny_imports: {json.dumps(APART)}, deny_exports: {json.dumps(APART)} }}]",
            "}",
            "",
        ]
    )


def centre_text(listen: str) -> str:
    """Write what the centre's configuration needs beside its own, to take leaves at HOST:PORT."""
    return f"leafnodes {{ listen: {_quoted(listen)} }}\n"


async def follow_edge(js: JetStreamContext, name: str, *, replicas: int = 1) -> None:
    """Have the centre's streams take over what the edge's have, from its beginning; asked for again it changes nothing."""
    for stream in (wire.OUT, wire.DEAD, wire.CHANGES):
        config = (await js.stream_info(stream)).config
        sources = config.sources or []
        if all(one.external is None or one.external.api != _api(name) for one in sources):
            await js.update_stream(config.evolve(sources=[*sources, _source(stream, name)]))
    copy = StreamConfig(
        name=copy_of(name), mirror=_source(wire.IN, name), storage=StorageType.FILE, num_replicas=replicas
    )
    await ensure_stream(js, copy)


def copy_of(name: str) -> str:
    """Name the centre's stream that has an edge's frames."""
    return f"{wire.IN}_{name}"


def _source(stream: str, name: str) -> StreamSource:
    return StreamSource(name=stream, external=ExternalStream(api=_api(name)))


def _api(name: str) -> str:
    return f"$JS.{name}.API"


def _quoted(text: str) -> str:
    return json.dumps(text)


def _escaped(text: str) -> str:
    return quote(text, safe="")
