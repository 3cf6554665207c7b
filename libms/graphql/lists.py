"""Trash, log, versions and comparisons as GraphQL types."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from libms import models
from libms.audit import Event as LoggedEvent
from libms.graphql.connections import Long, PageInfo, as_time


@strawberry.type(description="You, and what you may do.")
class Viewer:
    name: str
    admin: bool
    may_write: bool = strawberry.field(description="Whether your token allows changing anything.")
    may_write_common: bool
    backend: str = strawberry.field(description="Where assets are kept: disk, git or gitlab.")


@strawberry.enum(description="What a version of an owner's repository is.")
class RefKind(Enum):
    BRANCH = "branch"
    TAG = "tag"


@strawberry.type(description="A branch or tag of an owner's repository.")
class Ref:
    name: str
    kind: RefKind


@strawberry.type(description="Room that an owner has used.")
class Usage:
    owner: str
    used_bytes: Long
    trash_bytes: Long
    held_bytes: Long = strawberry.field(description="Promised to uploads under way.")
    limit_bytes: Long | None = strawberry.field(description="Null for no limit but the disk.")


@strawberry.type(description="A deleted asset that can be brought back.")
class Trashed:
    id: strawberry.ID
    path: str
    by: str
    time: datetime
    expires: datetime
    size: Long


def make_trashed(one: models.Trashed) -> Trashed:
    """Give something in the trash as GraphQL has it."""
    return Trashed(
        id=strawberry.ID(one.id),
        path=str(one.path),
        by=one.by,
        time=as_time(one.time),
        expires=as_time(one.expires),
        size=Long(one.size),
    )


@strawberry.type
class TrashedEdge:
    cursor: str
    node: Trashed


@strawberry.type
class TrashedConnection:
    edges: list[TrashedEdge]
    nodes: list[Trashed]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="Something that somebody did with an asset.")
class Event:
    time: datetime
    user: str
    action: str
    path: str
    detail: str | None


def make_event(one: LoggedEvent, *, detail: bool) -> Event:
    """Give a line of the log as GraphQL has it, with or without its detail."""
    shown = one.detail if detail else ""
    return Event(time=as_time(one.time), user=one.user, action=one.action, path=one.path, detail=shown or None)


@strawberry.type
class EventEdge:
    cursor: str
    node: Event


@strawberry.type
class EventConnection:
    edges: list[EventEdge]
    nodes: list[Event]
    page_info: PageInfo
