"""The queries."""

from __future__ import annotations

import os
from typing import Final

import strawberry

from libms.descriptions.compare import compare, compare_manifests
from libms.errors import BadRequest, NotAFolder
from libms.graphql.asset import Asset, AssetConnection, AssetEdge, Category, find_asset, make_asset
from libms.graphql.comparisons import Comparison, make_file_comparison, make_folder_comparison
from libms.graphql.connections import (
    Long,
    check_first,
    decode_cursor,
    encode_cursor,
    make_page_info,
    page_of,
)
from libms.graphql.context import Context
from libms.graphql.fixed import Project, list_directory, read_file
from libms.graphql.info import Info
from libms.graphql.lists import (
    EventConnection,
    EventEdge,
    Ref,
    RefKind,
    TrashedConnection,
    TrashedEdge,
    Usage,
    Viewer,
    make_event,
    make_trashed,
)
from libms.index import Query as IndexQuery
from libms.paths import AssetPath, parse_path
from twinhub.errors import Forbidden, TooLarge
from twinhub.names import COMMON

LONGEST_TEXT: Final = 1000
MOST_TAGS: Final = 20
LARGEST_COMPARED_BYTES: Final = 5_000_000


def _owner(context: Context, owner: str | None) -> AssetPath:
    """Give an owner's folder, one's own by default; raises what access to it raises."""
    path = parse_path(context.user.name if owner is None else owner)
    if path.owner is None or path.names:
        raise BadRequest(f"'{owner}' is no owner.", f"Name an account, or '{COMMON}'.")
    context.assets.allow(context.user, path)
    return path


@strawberry.type
class Query:
    list_directory: Project = strawberry.field(
        resolver=list_directory, description="List a folder: OWNER/CATEGORY/… All of it, or a page."
    )
    read_file: Project = strawberry.field(resolver=read_file, description="Read a file as text.")

    @strawberry.field(description="You.")
    def viewer(self, info: Info) -> Viewer:
        user, assets = info.context.user, info.context.assets
        return Viewer(
            name=user.name,
            admin=user.admin,
            may_write=user.may_write_library,
            may_write_common=assets.access.may_write(user, COMMON),
            backend=assets.backend.name,
        )

    @strawberry.field(description="One file or folder, in full.")
    def asset(self, info: Info, path: str, ref: str | None = None) -> Asset:
        return find_asset(info.context, info.context.assets.locate(info.context.user, path), ref)

    @strawberry.field(
        description="Search by name, card and README over everything that you may read; "
        "`inside` finds files within assets too."
    )
    def assets(  # noqa: PLR0917 - arguments of a GraphQL field are named by every client
        self,
        info: Info,
        owner: str | None = None,
        category: Category | None = None,
        text: str | None = None,
        tags: list[str] | None = None,
        inside: bool = False,
        first: int = 50,
        after: str | None = None,
    ) -> AssetConnection:
        context = info.context
        if text and len(text) > LONGEST_TEXT:
            raise BadRequest(f"The text to search for has {len(text)} characters.", f"Use at most {LONGEST_TEXT}.")
        if tags and len(tags) > MOST_TAGS:
            raise BadRequest(f"{len(tags)} tags were given.", f"Use at most {MOST_TAGS}.")
        owners: tuple[str, ...] | None = None if context.user.admin else (context.user.name, COMMON)
        if owner is not None:
            owners = (_owner(context, owner).owner or "",)
        else:
            context.assets.allow(context.user, AssetPath(None, ()))
        wanted = IndexQuery(
            owners=owners,
            category=None if category is None else category.value,
            text=text or "",
            tags=tuple(tags or ()),
            inside=inside,
            first=check_first(first),
            after=after,
        )
        page = context.services.index.search(wanted)
        nodes = [make_asset(hit.path, hit) for hit in page.hits]
        edges = [AssetEdge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
        return AssetConnection(
            edges=edges,
            nodes=nodes,
            page_info=make_page_info([edge.cursor for edge in edges], more=page.has_next, later=after is not None),
            indexing=not context.services.indexer.ready,
        )

    @strawberry.field(description="What differs between two files or folders, or between two versions of one.")
    def compare(  # noqa: PLR0917 - as above
        self,
        info: Info,
        old: str,
        new: str,
        old_ref: str | None = None,
        new_ref: str | None = None,
        tolerance: float | None = None,
    ) -> Comparison:
        context = info.context
        one, other = (context.assets.locate(context.user, path) for path in (old, new))
        reader = context.services.reader
        folders = (reader.is_folder(one, old_ref), reader.is_folder(other, new_ref))
        if all(folders):
            integrity = context.services.integrity
            digests = (integrity.digests_below(one, old_ref), integrity.digests_below(other, new_ref))
            return make_folder_comparison(compare_manifests(*digests))
        if any(folders):
            raise NotAFolder(f"ENOTDIR: not a directory: of '{one}' and '{other}' only one is a folder.", "")
        contents = (_whole(context, one, old_ref), _whole(context, other, new_ref))
        return make_file_comparison(compare(other.name, *contents, tolerance=tolerance or 0.0))

    @strawberry.field(description="What can be brought back, latest first; yours by default.")
    def trash(
        self, info: Info, owner: str | None = None, first: int = 50, after: str | None = None
    ) -> TrashedConnection:
        every = info.context.assets.backend.trash(_owner(info.context, owner).owner or "")
        page, ends, cursor = page_of(every, first, after)
        nodes = [make_trashed(one) for one in page]
        edges = [TrashedEdge(cursor=cursor(index), node=node) for index, node in enumerate(nodes)]
        return TrashedConnection(edges=edges, nodes=nodes, page_info=ends, total_count=len(every))

    @strawberry.field(description="Who changed or downloaded an owner's assets, latest first; yours by default.")
    def audit(self, info: Info, owner: str | None = None, first: int = 50, after: str | None = None) -> EventConnection:
        context = info.context
        whose = _owner(context, owner).owner or ""
        if not context.assets.access.may_write(context.user, whose):
            raise Forbidden(f"The log of '{whose}' is for those who may change it.", "Ask an administrator.")
        before = decode_cursor("event", after)
        events = context.assets.audit.latest(whose, check_first(first) + 1, before)
        shown = events[:first]
        # In the log of `common`, where something went or came from may be a name in somebody's own folder.
        full = context.user.admin or whose == context.user.name
        edges = [
            EventEdge(
                cursor=encode_cursor("event", one.at),
                node=make_event(one, detail=full or one.user == context.user.name),
            )
            for one in shown
        ]
        return EventConnection(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=make_page_info(
                [edge.cursor for edge in edges], more=len(events) > first, later=after is not None
            ),
        )

    @strawberry.field(description="Branches and tags of an owner's repository; none where the library is on disk.")
    def refs(self, info: Info, owner: str) -> list[Ref]:
        found = info.context.assets.backend.refs(_owner(info.context, owner).owner or "")
        return [Ref(name=one.name, kind=RefKind(one.kind)) for one in found]

    @strawberry.field(description="How much room an owner has used; you by default.")
    def usage(self, info: Info, owner: str | None = None) -> Usage:
        context = info.context
        whose = _owner(context, owner).owner or ""
        quota = context.assets.quota
        limit = quota.limit(whose)
        return Usage(
            owner=whose,
            used_bytes=Long(context.services.index.usage(whose)),
            trash_bytes=Long(sum(one.size for one in context.assets.backend.trash(whose))),
            held_bytes=Long(quota.held(whose)),
            limit_bytes=None if limit is None else Long(limit),
        )


def _whole(context: Context, path: AssetPath, ref: str | None) -> bytes:
    with context.assets.backend.file(path, ref) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > LARGEST_COMPARED_BYTES:
            raise TooLarge(
                f"'{path}' has {size} bytes; at most {LARGEST_COMPARED_BYTES // 10**6} MB are compared.",
                "Compare checksums: asset(path:) { sha256 }.",
            )
        context.assets.audit.record(context.user.name, "read", path, "to compare")
        return os.pread(descriptor, size, 0)
