"""The two fixed queries, in GitLab's shape, as every DTaaS client sends them."""

from __future__ import annotations

from typing import Final

import strawberry

from libms.graphql.connections import PageInfo, check_first, decode_cursor, encode_cursor, make_page_info
from libms.graphql.contract import read_listing, read_text
from libms.graphql.info import Info
from libms.models import EntryType

NODE_BYTES: Final = 100
"""What one entry of a listing adds to an answer, roughly."""


@strawberry.type(description="A file, or anything else that is no folder.")
class Blob:
    name: str
    type: str


@strawberry.type(description="A folder.")
class TreeEntry:
    name: str
    type: str


@strawberry.type
class BlobEdge:
    node: Blob


@strawberry.type
class TreeEdge:
    node: TreeEntry


@strawberry.type
class BlobConnection:
    edges: list[BlobEdge]


@strawberry.type
class TreeConnection:
    edges: list[TreeEdge]


@strawberry.type(description="What is in one folder.")
class Tree:
    blobs: BlobConnection
    trees: TreeConnection
    page_info: PageInfo = strawberry.field(description="Where this page ends, counted over folders and then files.")
    total_count: int = strawberry.field(description="How many folders and files there are in all.")


@strawberry.type(description="One file's content as text: UTF-8, surrounding white space trimmed.")
class RepositoryBlob:
    name: str
    raw_blob: str
    raw_text_blob: str


@strawberry.type
class RepositoryBlobConnection:
    nodes: list[RepositoryBlob]


@strawberry.type
class Repository:
    tree: Tree | None = None
    blobs: RepositoryBlobConnection | None = None


@strawberry.type
class Project:
    repository: Repository


def list_directory(
    info: Info, path: str, ref: str | None = None, first: int | None = None, after: str | None = None
) -> Project:
    """Resolve the listing of a folder."""
    listing, notice = read_listing(info.context, path, ref)
    limit = info.context.services.limits.listing_limit
    before = decode_cursor("entry", after)
    start = 0 if before is None else before + 1
    count = limit if first is None else check_first(first, limit)
    trees, blobs = listing.slice(start, count)
    shown = len(trees) + len(blobs)
    info.context.spend(shown * NODE_BYTES)
    if first is None and start + shown < len(listing):
        info.context.notices.append(notice)
    ends = (encode_cursor("entry", start), encode_cursor("entry", start + shown - 1)) if shown else ()
    return Project(
        repository=Repository(
            tree=Tree(
                blobs=BlobConnection(edges=[BlobEdge(node=Blob(name=n, type=EntryType.BLOB)) for n in blobs]),
                trees=TreeConnection(edges=[TreeEdge(node=TreeEntry(name=n, type=EntryType.TREE)) for n in trees]),
                page_info=make_page_info(ends, more=start + shown < len(listing), later=start > 0),
                total_count=len(listing),
            )
        )
    )


def read_file(info: Info, path: str, ref: str | None = None) -> Project:
    """Resolve a file's content."""
    asset, text = read_text(info.context, path, ref)
    blob = RepositoryBlob(name=asset.name, raw_blob=text, raw_text_blob=text)
    return Project(repository=Repository(blobs=RepositoryBlobConnection(nodes=[blob])))
