"""The GraphQL schema: GitLab's shape, as every DTaaS client sends it."""

from __future__ import annotations

from dataclasses import dataclass, field

import strawberry
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, ParserCache, QueryDepthLimiter, ValidationCache
from strawberry.types import Info

from libms.access import authorise, visible_owners
from libms.models import EntryType, Names
from libms.paths import parse_path
from libms.storage import DiskStorage, describe
from twinhub.errors import TooLarge
from twinhub.settings import Library
from twinhub.signin import User

DEEPEST_QUERY = 12
"""The fixed queries are seven levels deep; introspection by GraphiQL is the deepest that we expect."""
MOST_ALIASES = 30
MOST_TOKENS = 2_000
CACHED_QUERIES = 256


@dataclass
class Context:
    """What resolvers need for one request."""

    user: User
    storage: DiskStorage
    limits: Library
    notices: list[str] = field(default_factory=list)
    """What the person should know although the query succeeded, such as a listing that was cut."""


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


def list_directory(info: Info[Context, None], path: str) -> Project:
    """List a folder: OWNER/CATEGORY/…"""
    context = info.context
    asset = parse_path(path)
    authorise(context.user, asset)
    if asset.owner is None:
        found = Names([], visible_owners(context.user, context.storage.owners()), cut=False)
    else:
        _ensure_own(context, asset.owner)
        found = context.storage.names(asset, context.limits.listing_limit)
    if found.cut:
        context.notices.append(
            f"'{asset}' has more than {context.limits.listing_limit} entries; the others are left out here. "
            f"GET /lib/files/{asset} lists all of them by pages."
        )
    blobs = [BlobEdge(node=Blob(name=name, type=EntryType.BLOB)) for name in found.blobs]
    trees = [TreeEdge(node=TreeEntry(name=name, type=EntryType.TREE)) for name in found.trees]
    tree = Tree(blobs=BlobConnection(edges=blobs), trees=TreeConnection(edges=trees))
    return Project(repository=Repository(tree=tree))


def read_file(info: Info[Context, None], path: str) -> Project:
    """Read a file as text."""
    context = info.context
    asset = parse_path(path)
    authorise(context.user, asset)
    limit = context.limits.read_limit_mb * 1_000_000
    with context.storage.file(asset) as descriptor:
        size = describe(descriptor).size
        if size > limit:
            raise TooLarge(
                f"'{asset}' has {size} bytes; a query returns at most {context.limits.read_limit_mb} MB.",
                f"Download it: GET /lib/files/{asset}",
            )
        with open(descriptor, "rb", closefd=False) as stream:
            text = stream.read(limit).decode("utf-8", "replace").strip("\ufeff \t\n\r\v\f")
    blob = RepositoryBlob(name=asset.name, raw_blob=text, raw_text_blob=text)
    return Project(repository=Repository(blobs=RepositoryBlobConnection(nodes=[blob])))


def _ensure_own(context: Context, owner: str) -> None:
    if owner == context.user.name:
        context.storage.ensure_owner(owner)


@strawberry.type
class Query:
    list_directory: Project = strawberry.field(resolver=list_directory)
    read_file: Project = strawberry.field(resolver=read_file)


def make_schema() -> strawberry.Schema:
    """Build the schema with its limits."""
    return strawberry.Schema(
        query=Query,
        extensions=[
            lambda: QueryDepthLimiter(max_depth=DEEPEST_QUERY),
            lambda: MaxAliasesLimiter(max_alias_count=MOST_ALIASES),
            lambda: MaxTokensLimiter(max_token_count=MOST_TOKENS),
            lambda: ParserCache(maxsize=CACHED_QUERIES),
            lambda: ValidationCache(maxsize=CACHED_QUERIES),
        ],
    )
