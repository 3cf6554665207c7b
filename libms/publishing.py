"""Published assets: frozen versions in `common` with a manifest, and where a person's own asset was taken from.

A version stands beside the others as NAME@VERSION (`spring@1.2.fmu` for a
file), so that it is an ordinary path for workspaces, twins and old clients.
Its manifest lies in `common/CATEGORY/.published/`, on whatever backend, with a
signature of this platform: whoever can write to `common` past the library can
forge files, but not a manifest that says who published what from where.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from libms.backend import Backend
from libms.copying import CopiedFile
from libms.errors import AssetNotFound, BadRequest, Frozen, NotAFile, NotAFolder
from libms.paths import AssetPath
from twinhub.errors import PublicError
from twinhub.names import COMMON

MANIFESTS: Final = ".published"
ORIGINS: Final = ".origins"
VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}")
LARGEST_RECORD_BYTES: Final = 64 * 1024 * 1024
"""A manifest names every file of a folder; this is some 400,000 of them."""
LATEST_TIME: Final = 253_402_300_799
"""The end of the year 9999."""
LARGEST_SIZE: Final = 2**53
DOUBLE_ENDINGS: Final = (".tar.gz", ".tar.xz", ".tar.bz2", ".nii.gz", ".csv.gz")


@dataclass(frozen=True)
class Publication:
    """What a manifest says."""

    path: AssetPath
    name: str
    version: str
    by: str
    time: float
    note: str
    source: str
    """Path of the asset that was published, in its owner's folder."""
    derived_from: str
    """Path of the published asset that the source was taken from; empty for none."""
    files: tuple[CopiedFile, ...]
    signed: bool
    """Whether this platform wrote the manifest, and nobody changed it since."""
    withdrawn: bool = False
    """Whether it was deleted; its number is not given to anything else."""


@dataclass(frozen=True)
class Origin:
    """Where an asset in somebody's own folder was taken from."""

    path: str
    version: str
    time: float
    by: str


def versioned_name(name: str, version: str, *, folder: bool) -> str:
    """Give the name under which a version stands in `common`; raises BadRequest."""
    if not VERSION.fullmatch(version):
        raise BadRequest(
            f"'{version[:40]}' cannot be a version.",
            "Use up to 32 letters, digits, '.', '+', '_' and '-', the first a letter or digit, such as 1.2.0.",
        )
    if "@" in name or "/" in name or name.startswith("."):
        raise BadRequest(
            f"'{name[:60]}' cannot be published: '@' divides name and version.",
            "Choose a name without '@' and '/' that does not begin with a dot.",
        )
    stem, ending = (name, "") if folder else split_ending(name)
    return f"{stem}@{version}{ending}"


def split_ending(name: str) -> tuple[str, str]:
    """Divide a file's name into stem and ending, dot included."""
    for double in DOUBLE_ENDINGS:
        if name.lower().endswith(double) and len(name) > len(double):
            return name[: -len(double)], name[-len(double) :]
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, not a path of this host
    return stem, ending


class Publications:
    """Read and write manifests and origins through the backend that keeps the assets."""

    def __init__(self, backend: Backend, key: bytes) -> None:
        self._backend = backend
        self._key = key

    # --- manifests --------------------------------------------------------------------

    def find(self, path: AssetPath) -> Publication | None:
        """Give the publication that a path is, or is in; None for everything else."""
        if path.owner != COMMON or path.category is None or len(path.names) < 2 or "@" not in path.names[1]:
            return None
        raw = self._read(AssetPath(COMMON, (path.names[0], MANIFESTS, f"{path.names[1]}.json")))
        return self._parse(raw, AssetPath(COMMON, path.names[:2])) if raw else None

    def refuse_change(self, path: AssetPath) -> None:
        """Refuse to change what is frozen, and the manifests; raises Frozen."""
        if path.owner == COMMON and path.names[1:2] == (MANIFESTS,):
            raise Frozen(f"'{path}' belongs to the library's own records.", "Publish an asset instead.")
        found = self.find(path)
        if found is not None:
            raise Frozen(
                f"'{found.path}' was published as version {found.version} and never changes.",
                "Take it into your own folder, change it there, and publish a new version.",
            )

    def write(self, publication: Publication, *, again: bool = False) -> None:
        """Write a version's manifest; raises Exists unless it is to be written again."""
        content = {
            "format": 1,
            "path": str(publication.path),
            "name": publication.name,
            "version": publication.version,
            "by": publication.by,
            "time": publication.time,
            "note": publication.note,
            "source": publication.source,
            "derived_from": publication.derived_from,
            "files": [asdict(file) for file in publication.files],
            "withdrawn": publication.withdrawn,
        }
        target = AssetPath(COMMON, (publication.path.names[0], MANIFESTS, f"{publication.path.name}.json"))
        self._place(target, {**content, "signature": self._sign(content)}, publication.by, replace_old=again)

    def versions(self, category: str, name: str) -> list[Publication]:
        """List all published versions of a name, latest first."""
        try:
            names = self._backend.listing(AssetPath(COMMON, (category, MANIFESTS))).blobs
        except (AssetNotFound, NotAFolder):
            return []
        stems = {split_ending(name)[0], name}
        candidates = [one for one in names if one.partition("@")[0] in stems]
        found = (self.find(AssetPath(COMMON, (category, one.removesuffix(".json")))) for one in candidates)
        return sorted(
            (one for one in found if one and one.name == name and not one.withdrawn), key=lambda one: -one.time
        )

    def _sign(self, content: dict[str, Any]) -> str:
        return hmac.new(self._key, orjson.dumps(content, option=orjson.OPT_SORT_KEYS), hashlib.sha256).hexdigest()

    def _parse(self, raw: dict[str, Any], path: AssetPath) -> Publication | None:
        signature = raw.pop("signature", "")
        try:
            signed = isinstance(signature, str) and hmac.compare_digest(self._sign(raw).encode(), signature.encode())
            if raw["path"] != str(path):
                return None  # a record that was put here for another name freezes nothing
            return Publication(
                path=path,
                name=str(raw["name"]),
                version=str(raw["version"]),
                by=str(raw["by"]),
                time=_time(raw["time"]),
                note=str(raw["note"]),
                source=str(raw["source"]),
                derived_from=str(raw["derived_from"]),
                files=tuple(CopiedFile(str(f["path"]), _size(f["size"]), str(f["sha256"])) for f in raw["files"]),
                signed=signed,
                withdrawn=bool(raw.get("withdrawn", False)),
            )
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return None  # not one of ours: no manifest, so nothing is frozen by it

    # --- origins ----------------------------------------------------------------------

    def origin(self, path: AssetPath) -> Origin | None:
        """Tell where an asset directly in one of an owner's categories was taken from."""
        raw = self._read(_origin_file(path)) if len(path.names) == 2 and path.owner != COMMON else None
        try:
            return Origin(str(raw["path"]), str(raw["version"]), _time(raw["time"]), str(raw["by"])) if raw else None
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def write_origin(self, path: AssetPath, origin: Origin) -> None:
        """Record it; an older record of the same name gives way."""
        if len(path.names) == 2 and path.owner != COMMON:
            self._place(_origin_file(path), asdict(origin), origin.by, replace_old=True)

    def forget_origin(self, path: AssetPath, by: str) -> None:
        """Drop the record of what had this name before."""
        with suppress(PublicError):  # nearly always there is none
            self._backend.erase(self._backend.delete(_origin_file(path), by).id)

    def origin_of(self, taken: Publication | None, source: AssetPath, by: str) -> Origin:
        """Describe what is taken now."""
        return Origin(str(source), taken.version if taken else "", time.time(), by)

    # --- records ----------------------------------------------------------------------

    def _read(self, path: AssetPath) -> dict[str, Any] | None:
        try:
            with self._backend.file(path) as descriptor:
                size = min(os.fstat(descriptor).st_size, LARGEST_RECORD_BYTES)
                raw = orjson.loads(os.pread(descriptor, size, 0))
        except (AssetNotFound, NotAFile, NotAFolder, orjson.JSONDecodeError):
            return None
        return raw if isinstance(raw, dict) else None

    def _place(self, path: AssetPath, content: dict[str, Any], by: str, *, replace_old: bool) -> None:
        aside = self._backend.staging / f"record-{os.urandom(12).hex()}"
        try:
            with aside.open("xb") as stream:
                stream.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
                stream.flush()
                os.fsync(stream.fileno())
            aside.chmod(0o644)
            self._backend.place(aside, path, by, replace=replace_old)
        finally:
            aside.unlink(missing_ok=True)


def _origin_file(path: AssetPath) -> AssetPath:
    return AssetPath(path.owner, (path.names[0], ORIGINS, f"{path.name}.json"))


def _time(value: Any) -> float:
    """Read a moment that somebody else may have written; raises ValueError, TypeError, OverflowError."""
    seconds = float(value)
    if not 0 <= seconds <= LATEST_TIME:
        raise ValueError(value)
    return seconds


def _size(value: Any) -> int:
    """Read a size; raises ValueError, TypeError."""
    if not isinstance(value, int) or not 0 <= value <= LARGEST_SIZE:
        raise ValueError(value)
    return value
