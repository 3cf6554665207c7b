"""The two fixed queries, in GitLab's shape, as every DTaaS client sends them."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import strawberry

from libms.errors import BadRequest
from libms.graphql.connections import PageInfo, check_first, decode_name, encode_name, make_page_info
from libms.graphql.contract import NODE_BYTES, read_listing, read_text
from libms.graphql.info import Info
from libms.models import EntryType, Listing

TREE: Final = "t"
BLOB: Final = "b"


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


@strawberry.type(description="Of listDirectory it has the tree, of readFile the blobs.")
class Repository:
    listed: strawberry.Private[Tree | None] = None
    content: strawberry.Private[RepositoryBlobConnection | None] = None

    @strawberry.field(description="What is in the folder.")
    def tree(self) -> Tree:
        if self.listed is None:
            raise BadRequest("readFile gives blobs; there is no tree.", "Ask listDirectory for the tree of a folder.")
        return self.listed

    @strawberry.field(description="The file.")
    def blobs(self) -> RepositoryBlobConnection:
        if self.content is None:
            raise BadRequest(
                "listDirectory gives a tree; there are no blobs.", "Ask readFile for the content of a file."
            )
        return self.content


@strawberry.type
class Project:
    repository: Repository


def list_directory(
    info: Info, path: str, ref: str | None = None, first: int | None = None, after: str | None = None
) -> Project:
    """Resolve the listing of a folder."""
    listing, notice = read_listing(info.context, path, ref)
    start = _after(listing, after)
    count = info.context.services.limits.listing_limit if first is None else check_first(first)
    trees, blobs = listing.slice(start, count)
    shown = len(trees) + len(blobs)
    info.context.spend(shown * NODE_BYTES)
    if first is None and start + shown < len(listing):
        info.context.notices.append(notice)
    names = [*(f"{TREE}{name}" for name in trees), *(f"{BLOB}{name}" for name in blobs)]
    ends = [encode_name(one) for one in (names[0], names[-1])] if names else []
    tree = Tree(
        blobs=BlobConnection(edges=[BlobEdge(node=Blob(name=n, type=EntryType.BLOB)) for n in blobs]),
        trees=TreeConnection(edges=[TreeEdge(node=TreeEntry(name=n, type=EntryType.TREE)) for n in trees]),
        page_info=make_page_info(ends, more=start + shown < len(listing), later=start > 0),
        total_count=len(listing),
    )
    return Project(repository=Repository(listed=tree))


def _after(listing: Listing, cursor: str | None) -> int:
    """Give where the page after a cursor begins. It names an entry, so that none is skipped when others come or go."""
    if cursor is None:
        return 0
    text = decode_name(cursor)
    name = text[1:]
    if text[:1] == TREE:
        return bisect_right(listing.trees, _bytes(name), key=_bytes)
    if text[:1] == BLOB:
        return len(listing.trees) + bisect_right(listing.blobs, _bytes(name), key=_bytes)
    raise BadRequest(f"'{cursor[:60]}' is no cursor of this list.", "Send 'endCursor' of the page before.")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def read_file(info: Info, path: str, ref: str | None = None) -> Project:
    """Resolve a file's content."""
    asset, text = read_text(info.context, path, ref)
    blob = RepositoryBlob(name=asset.name, raw_blob=text, raw_text_blob=text)
    return Project(repository=Repository(content=RepositoryBlobConnection(nodes=[blob])))
