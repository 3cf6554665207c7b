"""What the API can do, as one table: routes and the OpenAPI document are both made from it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from lifecycle.errors import TwinError
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.server.commands import Commands
from lifecycle.server.watching import RunWatches, WorkspaceWatch

Schema = dict[str, Any]

LARGEST_BODY_BYTES: Final = 64 * 1024
JSON: Final = "application/json"


@dataclass(frozen=True)
class World:
    """What operations work with."""

    places: Places
    runs: Runs
    slow: ThreadPoolExecutor
    """For what may take seconds, so that it holds up nothing else."""
    watches: RunWatches
    workspace: WorkspaceWatch
    commands: Commands
    document: Schema
    """The OpenAPI document."""
    background: set[asyncio.Task[None]] = field(default_factory=set)
    """What goes on after its answer."""


@dataclass(frozen=True)
class Call:
    """One request, checked against its operation."""

    world: World
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any = None

    @property
    def twin(self) -> str:
        """The twin's name, as the address has it."""
        return self.path["twin"]

    @property
    def run(self) -> str:
        """The run's id, as the address has it."""
        return self.path["run"]


@dataclass(frozen=True)
class Reply:
    """An answer that is not just a JSON value with the operation's usual status."""

    content: Any
    status: int | None = None
    media: str = JSON
    """Anything but JSON takes bytes as content."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """A parameter behind the question mark."""

    name: str
    schema: Schema
    description: str
    example: Any = None


@dataclass(frozen=True)
class Answer:
    """What an operation answers when it is done."""

    schema: Schema | None
    status: int = 200
    description: str = "Done."
    media: tuple[str, ...] = (JSON,)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names of headers with what they mean."""


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    name: str
    """The operationId."""
    summary: str
    act: Callable[[Call], Awaitable[Any]]
    answer: Answer
    refusals: tuple[int, ...] = ()
    """Statuses beside those that every operation may answer."""
    query: tuple[Query, ...] = ()
    body: Schema | None = None
    body_required: bool = True
    largest_body_bytes: int = LARGEST_BODY_BYTES
    description: str = ""
    refusal_schema: Schema | None = None
    """The shape of a 400 where it is not the platform's own."""
    refuse: Callable[[TwinError], Reply] | None = None
    """How a body that cannot be read is refused then."""

    @property
    def tag(self) -> str:
        """The noun that it is about."""
        return self.act.__module__.rpartition(".")[2]

    @property
    def names(self) -> list[str]:
        """The parameters in its path, in order."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def pattern(self) -> str:
        """The regular expression that its path is recognised by."""
        parts = (f"({PATH_PARAMETERS[part].pattern})" if place % 2 else re.escape(part) for place, part in self._parts)
        whole = "".join(parts)
        return f"{whole}?" if whole.endswith("/") else whole

    @property
    def _parts(self) -> Iterable[tuple[int, str]]:
        return enumerate(re.split(r"\{(\w+)\}", self.path))


@dataclass(frozen=True)
class PathParameter:
    """A part of an address that stands for something."""

    description: str
    schema: Schema
    pattern: str = r"[^/]+"


def _named(description: str, **schema: Any) -> PathParameter:
    return PathParameter(description, {"type": "string", "minLength": 1, "maxLength": 255, **schema})


RUN_ID_SCHEMA: Final = {"type": "string", "pattern": "^[0-9]{8}T[0-9]{9}-[0-9a-f]{6}$"}

PATH_PARAMETERS: Final[dict[str, PathParameter]] = {
    "twin": _named("The name of a twin: its folder's below digital_twins."),
    "run": PathParameter("The id of a run.", RUN_ID_SCHEMA),
    "other": PathParameter("The id of another run.", RUN_ID_SCHEMA),
    "snapshot": _named("The name of a snapshot."),
    "version": PathParameter("The number of a version.", {"type": "integer", "minimum": 1, "maximum": 10**9 - 1}),
    "newer": PathParameter(
        "The number of another version, or now.", {"type": "string", "pattern": "^([1-9][0-9]{0,8}|now)$"}
    ),
    "sweep": _named("The id of a sweep."),
    "example": _named("The name of an example."),
    "phase": _named("A phase.", maxLength=32),
    "file": PathParameter(
        "A file below the twin's folder for results; slashes within it stay slashes.",
        {"type": "string", "minLength": 1, "maxLength": 4096},
        r".+",
    ),
}


def routes(operations: Iterable[Operation]) -> list[tuple[str, dict[str, Operation]]]:
    """Give each address's pattern with its operations by method; fixed words go before what stands for something."""
    found: dict[str, dict[str, Operation]] = {}
    paths: dict[str, str] = {}
    for operation in operations:
        found.setdefault(operation.pattern, {})[operation.method] = operation
        paths[operation.pattern] = operation.path
    ordered = sorted(found, key=lambda pattern: [part.startswith("{") for part in paths[pattern].split("/")])
    return [(pattern, found[pattern]) for pattern in ordered]
