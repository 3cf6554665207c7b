"""What the two fixed queries read, whoever puts it into JSON."""

from __future__ import annotations

import os
from typing import Final

from libms.graphql.context import Context
from libms.models import Listing
from libms.paths import AssetPath
from twinhub.errors import TooLarge

TRIMMED: Final = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What ECMAScript's trim() takes away, as the reference implementation does."""


NODE_BYTES: Final = 100
"""What one entry of a listing adds to an answer, roughly."""


def read_listing(context: Context, text: str, ref: str | None) -> tuple[Listing, str]:
    """Read the names in a folder, and the words for a client that gets only some of them."""
    path = context.assets.locate(context.user, text, root=True)
    if path.owner is None:
        owners = context.assets.access.visible_owners(context.user, context.assets.backend.owners())
        return Listing(owners, [], ""), ""
    limit = context.services.limits.listing_limit
    notice = (
        f"'{path}' has more than {limit} entries; the others are left out here. "
        f"Ask for pages with 'first' and 'after', or GET /lib/files/{path}."
    )
    return context.assets.backend.listing(path, ref), notice


def read_text(context: Context, text: str, ref: str | None) -> tuple[AssetPath, str]:
    """Read a file as the contract has it: trimmed UTF-8; raises TooLarge, AssetNotFound, NotAFile."""
    asset = context.assets.locate(context.user, text)
    limit_mb = context.services.limits.read_limit_mb
    with context.assets.backend.file(asset, ref) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > limit_mb * 1_000_000:
            raise TooLarge(
                f"'{asset}' has {size} bytes; a query returns at most {limit_mb} MB.",
                f"Download it: GET /lib/files/{asset}",
            )
        context.spend(size)
        raw = os.pread(descriptor, limit_mb * 1_000_000, 0)
    context.assets.audit.record(context.user.name, "read", asset)
    return asset, raw.decode("utf-8", "replace").strip(TRIMMED)
