"""Whether a published version is still what its manifest says."""

from __future__ import annotations

from libms.backend import Backend
from libms.digests import Check, Digests, nothing
from libms.errors import AssetNotFound, NotAFile, NotAFolder
from libms.models import EntryType
from libms.paths import AssetPath
from libms.publishing import Publication


class Integrity:
    """Compare files with manifests."""

    def __init__(self, backend: Backend, digests: Digests) -> None:
        self._backend = backend
        self._digests = digests

    def intact(self, publication: Publication, *, check: Check = nothing) -> bool:
        """Tell whether the manifest is this platform's own and every file, and no other, has its checksum."""
        return publication.signed and self.digests_below(publication.path, check=check) == {
            file.path: file.sha256 for file in publication.files
        }

    def digests_below(self, path: AssetPath, ref: str | None = None, *, check: Check = nothing) -> dict[str, str]:
        """Give the checksum of every file of an asset by its path in it; empty where nothing is."""
        try:
            if self._backend.about(path, ref).type is EntryType.BLOB:
                return {path.name: self._digests.sha256(path, ref, check=check)}
            return {
                found.path: self._digests.sha256(path / found.path, ref, check=check)
                for found in self._backend.walk(path, ref)
                if found.type is EntryType.BLOB
            }
        except (AssetNotFound, NotAFile, NotAFolder):
            return {}
