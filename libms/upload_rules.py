"""What the words of a resumable upload mean: headers, metadata, names beside a name that is taken."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final, Protocol

from libms.errors import BadRequest, PathRefused
from libms.paths import LONGEST_NAME_BYTES, AssetPath, parse_path
from twinhub.errors import PublicError

ALGORITHMS: Final = ("sha256", "sha1", "md5")
"""The protocol demands sha1; none of these protects against an attacker here, only against damage on the way."""

LONGEST_METADATA: Final = 16 * 1024
LARGEST_NUMBER: Final = 2**63 - 1
MOST_NUMBERED: Final = 1000
SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
LONGEST_TAG: Final = 200


class UploadGone(PublicError):
    """The upload was this person's, and has expired."""

    code = "upload_expired"
    status = 410


class OffsetMismatch(PublicError):
    """The bytes that were sent do not follow those that are stored."""

    code = "offset_mismatch"
    status = 409


class TakenOver(PublicError):
    """A newer request goes on with the same upload."""

    code = "upload_taken_over"
    status = 409


class Stalled(PublicError):
    """Nothing came for too long; what had come is kept."""

    code = "upload_stalled"
    status = 408


class WrongType(PublicError):
    """The body is not announced as bytes of an upload."""

    code = "wrong_content_type"
    status = 415


class UnknownVersion(PublicError):
    """The client speaks another version of tus, or does not say which."""

    code = "tus_version"
    status = 412


class NotAMethod(PublicError):
    """The address does not know the method."""

    code = "method_not_allowed"
    status = 405


class TooManyUploads(PublicError):
    """The person has begun too many uploads without ending them."""

    code = "too_many_uploads"
    status = 429


class NotPlaced(PublicError):
    """All bytes are there, and the file is not yet under its name. Clients of tus take 423 as: try again later."""

    code = "upload_not_placed"
    status = 423


class Hash(Protocol):
    """What we use of hashlib's objects."""

    def copy(self) -> Hash: ...

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


class Conflict(StrEnum):
    """What is to happen when something stands under the name."""

    REFUSE = "refuse"
    REPLACE = "replace"
    KEEP_BOTH = "keep-both"


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a file is to go, as the client said when it began."""

    path: AssetPath
    conflict: Conflict = Conflict.REFUSE
    if_match: str | None = None
    sha256: str | None = None
    """Of the whole file, in lower-case hexadecimal."""
    metadata: str = ""
    """The header as it came; the protocol wants it back."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the body of one request must hash to."""

    algorithm: str
    digest: bytes

    def begin(self) -> Hash:
        """Start the hash to feed the body to."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def begin_sha256() -> Hash:
    """Start the hash of a whole file."""
    return hashlib.sha256()


def parse_count(name: str, values: list[str]) -> int:
    """Read a header that counts bytes; raises BadRequest for anything but one whole number."""
    if len(values) != 1:
        given = "is missing" if not values else "is there more than once"
        raise BadRequest(f"The header {name} {given}.", "Send it once: a whole number of bytes, 0 or more.")
    text = values[0].strip()
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_NUMBER)) or int(text) > LARGEST_NUMBER:
        raise BadRequest(f"{name} is {text[:40]!r}.", f"Send a whole number of bytes from 0 to {LARGEST_NUMBER}.")
    return int(text)


def parse_checksum(header: str) -> Checksum:
    """Read `ALGORITHM BASE64`; raises BadRequest."""
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadRequest(
            f"Upload-Checksum names the algorithm {algorithm[:40]!r}.", f"Use one of: {', '.join(ALGORITHMS)}."
        )
    digest = _decode("Upload-Checksum", encoded.strip())
    expected = hashlib.new(algorithm, usedforsecurity=False).digest_size
    if len(digest) != expected:
        raise BadRequest(
            f"The {algorithm} in Upload-Checksum is {len(digest)} bytes long.",
            f"Send all {expected} bytes of the digest, in Base64.",
        )
    return Checksum(algorithm, digest)


def parse_metadata(header: str) -> Wish:
    """Read Upload-Metadata of a creation; raises BadRequest, PathRefused. Keys that we do not know are let be."""
    values = _pairs(header)
    path = _target(values)
    if path.fixed:
        raise PathRefused(f"'{path}' is part of everybody's layout.", "Name a file in it: OWNER/CATEGORY/NAME.")
    conflict = values.get("conflict") or Conflict.REFUSE
    if conflict not in set(Conflict):
        raise BadRequest(f"The metadata 'conflict' is {conflict[:40]!r}.", f"Use one of: {', '.join(Conflict)}.")
    if_match = values.get("ifMatch") or None
    if if_match is not None and (conflict != Conflict.REPLACE or len(if_match) > LONGEST_TAG):
        raise BadRequest(
            "The metadata 'ifMatch' goes with 'conflict' replace, and holds an ETag.", "Send both, or neither."
        )
    sha256 = values.get("sha256") or None
    if sha256 is not None and not SHA256.fullmatch(sha256):
        raise BadRequest(f"The metadata 'sha256' is {sha256[:80]!r}.", "Send 64 hexadecimal digits, or leave it out.")
    return Wish(path, Conflict(conflict), if_match, sha256.lower() if sha256 else None, header)


def _target(values: Mapping[str, str]) -> AssetPath:
    if values.get("path"):
        return parse_path(values["path"])
    name = values.get("filename", "")
    if not name or "folder" not in values:
        raise BadRequest(
            "The metadata does not say where the file is to go.",
            "Send 'path' (OWNER/CATEGORY/…/NAME), or 'folder' and 'filename', in Upload-Metadata.",
        )
    if "/" in name:
        raise PathRefused(f"The file name {name[:60]!r} holds a slash.", "Send the folders in 'folder'.")
    return parse_path(f"{values['folder']}/{name}")


def _pairs(header: str) -> dict[str, str]:
    if len(header) > LONGEST_METADATA or not (header.isascii() and header.isprintable()):
        raise BadRequest(
            "Upload-Metadata is too long, or is not plain ASCII.",
            f"Send at most {LONGEST_METADATA} characters, the values in Base64.",
        )
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, encoded = pair.strip().partition(" ")
        if not key or key in found:
            raise BadRequest(f"Upload-Metadata has a pair without a key, or {key[:40]!r} twice.", "Send each key once.")
        try:
            found[key] = _decode(f"The metadata '{key[:40]}'", encoded.strip()).decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            raise BadRequest(f"The metadata '{key[:40]}' is not valid UTF-8.", "Send it as Base64 of UTF-8.") from error
    return found


def _decode(what: str, encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"{what} is not Base64: {encoded[:40]!r}.", "Encode it as RFC 4648 says.") from error


def names_beside(path: AssetPath) -> Iterator[AssetPath]:
    """Give 'name (2).ext', 'name (3).ext', … in the same folder; the last one is free for certain."""
    for number in range(2, MOST_NUMBERED):
        yield _named(path, f" ({number})")
    yield _named(path, f" ({secrets.token_hex(8)})")


def _named(path: AssetPath, addition: str) -> AssetPath:
    pure = PurePosixPath(path.name)
    ending = "".join(pure.suffixes[-2:]) if pure.suffixes[-2:-1] == [".tar"] else pure.suffix
    ending = ending if len(ending.encode()) <= 32 else ""  # a sentence with a dot in it, not an ending
    stem = path.name.removesuffix(ending).encode()
    longest = LONGEST_NAME_BYTES - len((addition + ending).encode())
    # Cutting bytes may cut a character in two: what is left of it goes.
    name = stem[:longest].decode("utf-8", "ignore") + addition + ending
    return AssetPath(path.owner, (*path.names[:-1], name))
