"""Which requests the gate knows: those that DockerSpawner and our workspaces make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

from hub.engine_gate.errors import refused

VERSION: Final = r"(?P<version>/v1\.(?:4[0-9]|[5-9][0-9]))?"
"""Older dialects read bodies differently (HostConfig at start), so the gate does not speak them."""

SWITCH: Final = r"0|1|true|false|True|False"
LONGEST_TARGET: Final = 2048


class About(StrEnum):
    """What a request is about, which tells what has to be checked."""

    ENGINE = "engine"
    IMAGE = "image"
    NEW_CONTAINER = "new container"
    CONTAINER = "container"


TARGETS: Final = {
    About.IMAGE: r"[a-z0-9][a-z0-9._-]{0,80}:[\w.-]{1,60}",
    About.CONTAINER: r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}",
}


@dataclass(frozen=True)
class Shape:
    """One kind of request; `{}` in its path stands for what it names."""

    method: str
    path: str
    about: About
    query: dict[str, str]
    """Allowed parameters and the pattern of their values."""

    def pattern(self) -> str:
        """Give the expression that its paths match."""
        return VERSION + self.path.replace("{}", f"(?P<target>{TARGETS.get(self.about, '')})")


SHAPES: Final = (
    Shape("GET", "/_ping", About.ENGINE, {}),
    Shape("HEAD", "/_ping", About.ENGINE, {}),
    Shape("GET", "/version", About.ENGINE, {}),
    Shape("GET", "/images/{}/json", About.IMAGE, {}),
    Shape("POST", "/containers/create", About.NEW_CONTAINER, {"name": r"[\w.-]{1,128}"}),
    Shape("GET", "/containers/{}/json", About.CONTAINER, {}),
    Shape("POST", "/containers/{}/start", About.CONTAINER, {}),
    Shape("POST", "/containers/{}/stop", About.CONTAINER, {"t": r"[0-9]{1,3}"}),
    Shape("POST", "/containers/{}/kill", About.CONTAINER, {"signal": r"(SIG)?(TERM|KILL|INT|HUP)"}),
    Shape("POST", "/containers/{}/wait", About.CONTAINER, {"condition": r"not-running|next-exit|removed"}),
    Shape(
        "GET",
        "/containers/{}/logs",
        About.CONTAINER,
        {"stdout": SWITCH, "stderr": SWITCH, "timestamps": SWITCH, "follow": r"0|false|False", "tail": r"[0-9]{1,4}"},
    ),
    Shape("GET", "/containers/{}/stats", About.CONTAINER, {"stream": r"0|false|False", "one-shot": SWITCH}),
    Shape("DELETE", "/containers/{}", About.CONTAINER, {"v": SWITCH, "force": SWITCH, "link": r"0|false|False"}),
)


@dataclass(frozen=True)
class Call:
    """A request that has one of the known shapes."""

    shape: Shape
    version: str
    """'' or the dialect, such as '/v1.41'."""
    target: str
    """The container or image that it names, or ''."""
    query: dict[str, str]

    def address(self, target: str) -> str:
        """Give the path for the engine, with the target as it was resolved."""
        return self.version + self.shape.path.replace("{}", target)


def parse_call(method: str, raw_path: bytes, raw_query: bytes) -> Call:
    """Find the shape of a request; raises GateRefused when it has none.

    The path is matched as it came. No allowed one needs a percent sign, so nothing is decoded.
    """
    path = raw_path.decode("latin-1")
    if len(raw_path) + len(raw_query) > LONGEST_TARGET:
        raise refused("the address is too long")
    for shape in SHAPES:
        found = re.fullmatch(shape.pattern(), path, re.ASCII)
        if found and shape.method == method:
            target = found.groupdict().get("target") or ""
            return Call(shape, found["version"] or "", target, _parse_query(shape, raw_query))
    raise refused(f"{method[:10]} {path[:80]!r} is nothing that the hub needs of the engine")


def _parse_query(shape: Shape, raw_query: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw_query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw_query))
    except ValueError as error:
        raise refused("the query cannot be read") from error
    query = dict(pairs)
    if len(query) != len(pairs):
        raise refused("a parameter stands twice")
    for name, value in pairs:
        pattern = shape.query.get(name)
        if pattern is None or not re.fullmatch(pattern, value, re.ASCII):
            raise refused(f"the parameter '{name[:40]}' is not allowed as given")
    return query
