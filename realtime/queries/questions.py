"""Questions about a model's instances, and answers to them, as they stand on the wire.

Service to workers, on query.MODEL: Asked, in msgpack. Workers to the service: Parts,
in msgpack, whose data one after the other is an Answer, in msgpack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

LARGEST_PART: Final = 900_000
"""Bytes of an answer that travel together."""
MOST_ROWS: Final = 1000
DEEPEST_PAGE: Final = 20_000
"""offset + limit of a list."""
MOST_POINTS: Final = 50_000
MOST_GROUPS: Final = 50_000
MOST_VALUES: Final = 4_000_000
"""So many values of percentiles and distinct counts are gathered from several workers for one answer."""
MOST_PARTITIONS: Final = 65_536
LARGEST_SCHEMA: Final = 1024 * 1024
"""Bytes of what is told of a model's fields."""
LARGEST_PAGE: Final = 16 * 1024 * 1024
"""Bytes of what is shown of a list's instances."""
Scalar = bool | int | float | str | None

# Workers run their owners' code: a few bytes of what they send must not become much in memory.
Column = Annotated[list[Scalar], msgspec.Meta(max_length=MOST_GROUPS)]
Columns = Annotated[list[Column], msgspec.Meta(max_length=5)]
NumbersOfGroups = Annotated[list[bytes], msgspec.Meta(max_length=MOST_GROUPS)]
ValuesOfGroups = Annotated[
    list[Annotated[list[Scalar], msgspec.Meta(max_length=MOST_VALUES)]], msgspec.Meta(max_length=MOST_GROUPS)
]
Kinds = Annotated[list[str], msgspec.Meta(max_length=20)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Parameters = dict[str, Any] | list[Any]


class Sort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which field, and which way; what has none comes last."""

    field: Name
    descending: bool = False


class Listing(msgspec.Struct, kw_only=True, tag="list", forbid_unknown_fields=True):
    """Which instances fulfil a condition; a page of them, without `sort` in the order in which they appeared."""

    where: Text = ""
    parameters: Parameters = {}
    sort: Annotated[list[Sort], msgspec.Meta(max_length=5)] = []
    offset: Annotated[int, msgspec.Meta(ge=0, le=DEEPEST_PAGE)] = 0
    limit: Annotated[int, msgspec.Meta(ge=0, le=MOST_ROWS)] = 100
    fields: Annotated[list[Name], msgspec.Meta(max_length=200)] | None = None
    """Those to show, lists and dicts too; None is all that have columns."""


class One(msgspec.Struct, kw_only=True, tag="instance", forbid_unknown_fields=True):
    """One instance in full."""

    id: str


class Grouping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A field whose values are groups; or whose ranges are, `bin` wide for numbers, `every_s` seconds long for times."""

    field: Name
    bin: Annotated[float, msgspec.Meta(gt=0)] | None = None
    every_s: Annotated[float, msgspec.Meta(ge=0.001)] | None = None


class Measure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to calculate of each group: count, sum, min, max, avg, distinct, or a percentile such as p95 or p99.9."""

    of: Annotated[str, msgspec.Meta(pattern=r"^(count|sum|min|max|avg|distinct|p\d{1,2}(\.\d{1,3})?|p100)$")]
    field: Name | None = None
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""

    @property
    def called(self) -> str:
        """Give its name in the answer."""
        return self.name or (f"{self.of}_{self.field}" if self.field else self.of)

    @property
    def percentile(self) -> float | None:
        """Give which part of the values lies below, None for what is no percentile."""
        return float(self.of[1:]) / 100 if self.of[0] == "p" else None


class Top(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only the groups in which a measure is largest, or smallest."""

    measure: Name
    n: Annotated[int, msgspec.Meta(ge=1, le=MOST_GROUPS)] = 10
    smallest: bool = False


class Aggregate(msgspec.Struct, kw_only=True, tag="aggregate", forbid_unknown_fields=True):
    """Counts and calculations over instances that fulfil a condition, by group."""

    where: Text = ""
    parameters: Parameters = {}
    group_by: Annotated[list[Grouping], msgspec.Meta(max_length=3)] = []
    measures: Annotated[list[Measure], msgspec.Meta(min_length=1, max_length=20)] = msgspec.field(
        default_factory=lambda: [Measure(of="count")]
    )
    top: Top | None = None


class Points(msgspec.Struct, kw_only=True, tag="points", forbid_unknown_fields=True):
    """Two numbers of each instance, for a map, with up to two more fields."""

    x: Name
    y: Name
    fields: Annotated[list[Name], msgspec.Meta(max_length=2)] = []
    where: Text = ""
    parameters: Parameters = {}
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_POINTS)] = MOST_POINTS


class Schema(msgspec.Struct, kw_only=True, tag="fields", forbid_unknown_fields=True):
    """Which fields there are."""


class Check(msgspec.Struct, kw_only=True, tag="check", forbid_unknown_fields=True):
    """Whether a condition could be asked."""

    where: Text = ""
    parameters: Parameters = {}


Question = Listing | One | Aggregate | Points | Schema | Check


class Asked(msgspec.Struct, kw_only=True):
    """A question, and who is to answer it for which partitions, so that none is counted twice while it moves."""

    question: Question
    partitions: dict[str, list[int]]
    """By worker. Where it is one only, its answer is final: calculated to the end, and cut to the page."""


class Part(msgspec.Struct, array_like=True):
    """A piece of an answer."""

    worker: str
    number: int
    count: int
    data: bytes


class Answer(msgspec.Struct, kw_only=True):
    """What a worker says: for which of its partitions, and what, or why not."""

    partitions: Annotated[list[int], msgspec.Meta(max_length=MOST_PARTITIONS)] = []
    version: int = 0
    what: str = ""
    """Why the question is refused; '' where it is not."""
    fix: str = ""
    body: msgspec.Raw = msgspec.Raw(b"\xc0")


class Rows(msgspec.Struct, kw_only=True):
    """Answer to Listing."""

    total: int
    ids: Annotated[list[str], msgspec.Meta(max_length=DEEPEST_PAGE)] = []
    places: Annotated[list[int], msgspec.Meta(max_length=DEEPEST_PAGE)] = []
    """Of each: a number by which they are told apart and put in order, where all else is equal."""
    keys: Columns = []
    """What it was sorted by: a list for each field."""
    fields: Annotated[list[bytes], msgspec.Meta(max_length=DEEPEST_PAGE)] = []
    """In JSON."""
    skipped: int = 0
    """So many were left out before the first."""


class State(msgspec.Struct, kw_only=True):
    """Answer to One; null where there is no such instance."""

    state: bytes
    """In JSON."""
    partition: int
    position: int
    time_s: float


class Groups(msgspec.Struct, kw_only=True):
    """Answer to Aggregate: columns, an entry for each group."""

    instances: int
    """So many fulfil the condition."""
    keys: Columns = []
    parts: Annotated[dict[str, Column], msgspec.Meta(max_length=100)] = {}
    """What measures are made of, as mMEASURE.PART."""
    numbers: Annotated[dict[str, NumbersOfGroups], msgspec.Meta(max_length=20)] = {}
    """Values of percentiles, 8 bytes each."""
    values: Annotated[dict[str, ValuesOfGroups], msgspec.Meta(max_length=20)] = {}
    """Values that are counted once each."""
    count: Annotated[int, msgspec.Meta(ge=0, le=MOST_GROUPS)] = 0
    """Of groups."""
    key_kinds: Kinds = []
    """Of the keys: time (microseconds since 1970), seconds (since 1970), date (days since 1970), anything else is itself."""
    kinds: Kinds = []
    """Of the measures' fields; '' where there is none."""


class Places(msgspec.Struct, kw_only=True):
    """Answer to Points."""

    total: int
    ids: Annotated[list[str], msgspec.Meta(max_length=MOST_POINTS)] = []
    columns: Annotated[dict[str, Column], msgspec.Meta(max_length=4)] = {}


class Known(msgspec.Struct, kw_only=True):
    """Answer to Schema."""

    fields: list[dict[str, Any]] = []


def encode_parts(worker: str, answer: Answer) -> list[bytes]:
    """Make the messages of an answer."""
    whole = msgspec.msgpack.encode(answer)
    pieces = [whole[at : at + LARGEST_PART] for at in range(0, len(whole), LARGEST_PART)]
    return [msgspec.msgpack.encode(Part(worker, number, len(pieces), data)) for number, data in enumerate(pieces)]


def encode_busy(worker: str) -> bytes:
    """Make the message of a worker that is still at it: a part of no parts."""
    return msgspec.msgpack.encode(Part(worker, 0, 0, b""))


def read_parts(parts: dict[int, Part]) -> Answer | None:
    """Put an answer together, None while something of it is missing; raises msgspec.DecodeError."""
    count = next(iter(parts.values())).count
    if len(parts) < count:
        return None
    return msgspec.msgpack.decode(b"".join(parts[at].data for at in range(count)), type=Answer)


def needed(question: Aggregate) -> Iterator[str]:
    """Name the fields that an aggregate is about, beside those of its condition."""
    yield from (one.field for one in question.group_by)
    yield from (one.field for one in question.measures if one.field)
