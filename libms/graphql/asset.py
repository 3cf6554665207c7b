"""One asset as GraphQL type; what costs is read when it is asked for."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Final

import strawberry

from libms import publishing
from libms.errors import BadRequest
from libms.graphql.connections import Long, PageInfo, as_time
from libms.graphql.context import Context
from libms.graphql.descriptions import (
    MOST_ROWS,
    Card,
    Fmu,
    Table,
    TextPreview,
    TwinDescription,
    make_card,
    make_fmu,
    make_table,
    make_twin,
)
from libms.graphql.info import Info
from libms.index import Hit
from libms.models import About, EntryType
from libms.paths import AssetPath
from twinhub.names import COMMON
from twinhub.names import Category as CategoryName

LARGEST_PREVIEW: Final = 1_000_000
CELL_BYTES: Final = 20
PUBLISHED_FILE_BYTES: Final = 200
"""What one file of a manifest adds to an answer, roughly."""


@strawberry.enum(description="The five kinds of assets.")
class Category(Enum):
    DATA = CategoryName.DATA.value
    MODELS = CategoryName.MODELS.value
    FUNCTIONS = CategoryName.FUNCTIONS.value
    TOOLS = CategoryName.TOOLS.value
    DIGITAL_TWINS = CategoryName.DIGITAL_TWINS.value


@strawberry.enum(description="Whether an asset is a file or a folder.")
class AssetKind(Enum):
    FILE = "file"
    FOLDER = "folder"


@strawberry.type(description="A file of a published version.")
class PublishedFile:
    path: str
    size: Long
    sha256: str


@strawberry.type(description="A frozen version of an asset in `common`, as its manifest records it.")
class Publication:
    path: str
    name: str
    version: str
    by: str
    time: datetime
    note: str | None
    source: str = strawberry.field(description="The asset that was published.")
    derived_from: str | None = strawberry.field(description="The published asset that the source was taken from.")
    content: strawberry.Private[publishing.Publication]

    @strawberry.field(description="Its files with their checksums.")
    def files(self, info: Info) -> list[PublishedFile]:
        info.context.spend(len(self.content.files) * PUBLISHED_FILE_BYTES)
        return [PublishedFile(path=one.path, size=Long(one.size), sha256=one.sha256) for one in self.content.files]

    @strawberry.field(description="Whether every file still has its checksum and the manifest is this platform's own.")
    def intact(self, info: Info) -> bool:
        return info.context.services.integrity.intact(self.content, check=info.context.check)


def make_publication(one: publishing.Publication) -> Publication:
    """Give a publication as GraphQL has it."""
    return Publication(
        path=str(one.path),
        name=one.name,
        version=one.version,
        by=one.by,
        time=as_time(one.time),
        note=one.note or None,
        source=one.source,
        derived_from=one.derived_from or None,
        content=one,
    )


@strawberry.type(description="Where an asset in somebody's own folder was taken from.")
class Origin:
    path: str
    version: str | None
    time: datetime
    by: str


@strawberry.type(description="A file or folder of the library.")
class Asset:
    path: str
    name: str
    owner: str
    category: Category | None
    kind: AssetKind
    size: Long = strawberry.field(description="Bytes of a file; 0 for a folder.")
    modified: datetime
    place: strawberry.Private[AssetPath]
    ref: strawberry.Private[str | None]
    known_tag: strawberry.Private[str | None] = None

    @property
    def is_folder(self) -> bool:
        return self.kind is AssetKind.FOLDER

    @strawberry.field(description="Changes with every change; what If-Match and writeText compare.")
    def etag(self, info: Info) -> str:
        return self._tag(info.context)

    def _tag(self, context: Context) -> str:
        """Look once, and before the text is read: a tag that is newer than the text would let it overwrite a change."""
        if self.known_tag is None:
            self.known_tag = context.assets.backend.about(self.place, self.ref).etag
        return self.known_tag

    @strawberry.field(description="Whether you may change it.")
    def may_write(self, info: Info) -> bool:
        context = info.context
        frozen = context.assets.publications.find(self.place) is not None
        return self.ref is None and not frozen and context.assets.access.may_write(context.user, self.owner)

    @strawberry.field(description="IANA media type of a file, by ending and content; null for a folder.")
    def media_type(self, info: Info) -> str | None:
        return None if self.is_folder else info.context.services.reader.media_type(self.place, self.ref)

    @strawberry.field(description="Checksum of a file, computed when it is asked for; null for a folder.")
    def sha256(self, info: Info) -> str | None:
        context = info.context
        return None if self.is_folder else context.services.digests.sha256(self.place, self.ref, check=context.check)

    @strawberry.field(description="What it says of itself.")
    def card(self, info: Info) -> Card:
        return make_card(info.context.services.reader.card(self.place, self.ref, folder=self.is_folder))

    @strawberry.field(description="README.md of a folder, as Markdown, cut at 256 kB.")
    def readme(self, info: Info) -> str | None:
        found = info.context.services.reader.readme(self.place, self.ref) if self.is_folder else None
        info.context.spend(len(found or ""))
        return found

    @strawberry.field(description="The beginning of a text file; null for everything else.")
    def text(self, info: Info, limit: int = 200_000) -> TextPreview | None:
        if not 0 < limit <= LARGEST_PREVIEW:
            raise BadRequest(f"'limit' is {limit}.", f"Ask for 1 to {LARGEST_PREVIEW} bytes.")
        if not self.is_folder:
            self._tag(info.context)
        found = None if self.is_folder else info.context.services.reader.preview(self.place, self.ref, limit)
        if found is None:
            return None
        info.context.spend(len(found.text))
        info.context.assets.audit.record(info.context.user.name, "read", self.place)
        return TextPreview(text=found.text, truncated=found.truncated, editable=found.editable)

    @strawberry.field(description="Columns and first rows of a CSV or TSV file; null for everything else.")
    def table(self, info: Info, rows: int = 50) -> Table | None:
        if not 0 <= rows <= MOST_ROWS:
            raise BadRequest(f"'rows' is {rows}.", f"Ask for 0 to {MOST_ROWS}.")
        found = None if self.is_folder else info.context.services.reader.table(self.place, self.ref, rows)
        if found is None:
            return None
        info.context.spend(sum(len(row) for row in found.rows) * CELL_BYTES)
        info.context.assets.audit.record(info.context.user.name, "read", self.place)
        return make_table(found)

    @strawberry.field(description="What a functional mock-up unit says of itself; null for everything else.")
    def fmu(self, info: Info) -> Fmu | None:
        found = None if self.is_folder else info.context.services.reader.fmu(self.place, self.ref)
        return make_fmu(found) if found else None

    @strawberry.field(description="Descriptor and phases of a digital twin; null for everything else.")
    def twin(self, info: Info) -> TwinDescription | None:
        found = info.context.services.reader.twin(self.place, self.ref) if self.is_folder else None
        return make_twin(found) if found else None

    @strawberry.field(description="The published version that this is, or is a part of.")
    def publication(self, info: Info) -> Publication | None:
        found = info.context.assets.publications.find(self.place)
        return make_publication(found) if found else None

    @strawberry.field(description="Where it was taken from.")
    def origin(self, info: Info) -> Origin | None:
        found = info.context.assets.publications.origin(self.place)
        if found is None:
            return None
        return Origin(path=found.path, version=found.version or None, time=as_time(found.time), by=found.by)

    @strawberry.field(description="All published versions of it, latest first.")
    def versions(self, info: Info) -> list[Publication]:
        if self.place.category is None or len(self.place.names) != 2:
            return []
        publications = info.context.assets.publications
        here = publications.find(self.place)
        name = here.name if here else self.name
        found = publications.versions(self.place.category, name)
        if self.owner != COMMON:
            found = [one for one in found if one.source == str(self.place)] or found
        return [make_publication(one) for one in found]


@strawberry.type
class AssetEdge:
    cursor: str
    node: Asset


@strawberry.type(description="Assets that a search found.")
class AssetConnection:
    edges: list[AssetEdge]
    nodes: list[Asset]
    page_info: PageInfo
    indexing: bool = strawberry.field(description="Whether the index is still being made, so that some may be missing.")


def make_asset(path: AssetPath, about: About | Hit, ref: str | None = None) -> Asset:
    """Give a file or folder as GraphQL has it, from a look at it or as the index remembers it."""
    category = path.category
    return Asset(
        path=str(path),
        name=path.name,
        owner=path.owner or "",
        category=Category(category) if category else None,
        kind=AssetKind.FOLDER if about.type is EntryType.TREE else AssetKind.FILE,
        size=Long(about.size),
        modified=as_time(about.modified),
        place=path,
        ref=ref,
    )


def find_asset(context: Context, path: AssetPath, ref: str | None = None) -> Asset:
    """Describe what is at a path that the person may see; raises AssetNotFound."""
    return make_asset(path, context.assets.backend.about(path, ref), ref)
