"""The changes."""

from __future__ import annotations

import strawberry

from libms.graphql.asset import Asset, find_asset
from libms.graphql.context import Context
from libms.graphql.info import Info
from libms.graphql.lists import Trashed, make_trashed
from libms.paths import AssetPath


def _found(context: Context, path: AssetPath) -> Asset:
    context.restart()
    return find_asset(context, path)


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Make a folder, and those above it.")
    def make_folder(self, info: Info, path: str) -> Asset:
        return _found(info.context, info.context.assets.make_folder(info.context.user, path))

    @strawberry.mutation(
        description="Write a small text. With `ifMatch`, over the file that has this etag, and refused when somebody "
        "changed it meanwhile; without, only where nothing is."
    )
    def write_text(self, info: Info, path: str, text: str, if_match: str | None = None) -> Asset:
        return _found(info.context, info.context.assets.write_text(info.context.user, path, text, if_match))

    @strawberry.mutation(description="Rename or move; refused where something stands at the target.")
    def move(self, info: Info, source: str, target: str) -> Asset:
        return _found(info.context, info.context.assets.move(info.context.user, source, target))

    @strawberry.mutation(description="Copy a file or folder; refused where something stands at the target.")
    def copy(self, info: Info, source: str, target: str, ref: str | None = None) -> Asset:
        return _found(info.context, info.context.assets.copy(info.context.user, source, target, ref))

    @strawberry.mutation(description="Put something into the trash.")
    def delete(self, info: Info, path: str) -> Trashed:
        return make_trashed(info.context.assets.delete(info.context.user, path))

    @strawberry.mutation(description="Bring something back from the trash to where it was.")
    def restore(self, info: Info, id: strawberry.ID) -> Asset:
        return _found(info.context, info.context.assets.restore(info.context.user, str(id)))

    @strawberry.mutation(description="Give something in the trash up for good; there is no way back.")
    def erase(self, info: Info, id: strawberry.ID) -> strawberry.ID:
        info.context.assets.erase(info.context.user, str(id))
        return id

    @strawberry.mutation(
        description="Freeze an asset as a version in `common`: a copy that never changes, with checksums, owner and "
        "origin recorded. It stands at common/CATEGORY/NAME@VERSION."
    )
    def publish(self, info: Info, path: str, version: str, name: str | None = None, note: str | None = None) -> Asset:
        user = info.context.user
        found = info.context.assets.publish(user, path, version, name=name, note=note or "")
        return _found(info.context, found)

    @strawberry.mutation(description="Copy a shared asset into your own folder; where it came from is kept.")
    def take(self, info: Info, path: str, target: str | None = None) -> Asset:
        return _found(info.context, info.context.assets.take(info.context.user, path, target))
