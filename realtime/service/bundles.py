"""What is sent to be deployed: files of a request, or the name of an asset that has them."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

from realtime.errors import ModelRefused
from realtime.service.deploying import Wish
from realtime.service.errors import BadRequest
from realtime.service.spaces import MOST_PARTITIONS
from realtime.wire import Bundle

LARGEST_BUNDLE: Final = 32 * 1024 * 1024
LARGEST_TABLES: Final = 8 * 1024 * 1024
"""As JSON; in memory they are twenty times as large."""
MOST_FILES: Final = 500
ENTRY: Final = "model.py"
PART: Final = re.compile(r"[^\x00-\x1f\x7f/]{1,200}")


class _Encoded(msgspec.Struct, forbid_unknown_fields=True):
    base64: str


class Deployment(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST models."""

    files: dict[str, str | _Encoded] = {}
    """By their relative paths: text, or {"base64": …}."""
    asset: str = ""
    """Or an asset of the library, OWNER/PATH: a file, or a folder with all that is in it."""
    entry: str = ""
    model: str = ""
    tables: dict[str, msgspec.Raw] = {}
    partitions: int | None = None
    note: str = ""


def read_deployment(data: bytes) -> Deployment:
    """Read the body of a request; raises BadRequest."""
    try:
        found = msgspec.json.decode(data, type=Deployment)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(
            f"This is no deployment: {str(error)[:300]}",
            'Send {"files": {"model.py": "…"}} or {"asset": "OWNER/PATH"}.',
        ) from error
    if bool(found.files) == bool(found.asset):
        raise BadRequest("A deployment has either files or an asset.", "Send one of the two.")
    if found.partitions is not None and not 1 <= found.partitions <= MOST_PARTITIONS:
        raise BadRequest(f"{found.partitions} partitions cannot be.", f"Use 1 to {MOST_PARTITIONS}.")
    return found


def make_wish(found: Deployment, files: dict[str, bytes], by: str) -> Wish:
    """Make a bundle of files; raises ModelRefused."""
    if len(files) > MOST_FILES or sum(map(len, files.values())) > LARGEST_BUNDLE:
        raise ModelRefused(
            f"The model has {len(files)} files with {sum(map(len, files.values()))} bytes.",
            f"At most {MOST_FILES} files and {LARGEST_BUNDLE} bytes are taken.",
        )
    for path in files:
        check_path(path)
    tables = _tables(found.tables)
    bundle = Bundle(files=files, entry=_entry(found.entry, files), model=found.model, tables=tables)
    return Wish(bundle, by, found.note[:2000], found.partitions)


def _tables(found: dict[str, msgspec.Raw]) -> dict[str, Any]:
    size = sum(len(memoryview(one)) for one in found.values())
    if size > LARGEST_TABLES:
        raise ModelRefused(
            f"The tables have {size} bytes.", f"At most {LARGEST_TABLES} bytes are taken; put larger ones into files."
        )
    try:
        return {name: msgspec.json.decode(one) for name, one in found.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The tables are no JSON: {str(error)[:300]}", "Send lists and objects.") from error


def decoded_files(found: Deployment) -> dict[str, bytes]:
    """Give the files of a request as bytes; raises BadRequest."""
    files: dict[str, bytes] = {}
    for path, content in found.files.items():
        try:
            files[path] = (
                content.encode() if isinstance(content, str) else base64.b64decode(content.base64, validate=True)
            )
        except (UnicodeEncodeError, binascii.Error) as error:
            raise BadRequest(f"The file '{path[:100]}' cannot be read: {error}", "Send text or base64.") from error
    return files


def check_path(path: str) -> None:
    """Refuse paths that lead out of a folder; raises ModelRefused."""
    pure = PurePosixPath(path)
    names = path.split("/")
    if pure.is_absolute() or len(path) > 500 or any(one in ("", ".", "..") or not PART.fullmatch(one) for one in names):
        raise ModelRefused(f"'{path[:100]}' is no path of a file of a model.", "Use relative paths such as 'model.py'.")


def _entry(named: str, files: dict[str, bytes]) -> str:
    """Choose the file that has the class: the one named, model.py, or the only one."""
    programs = [path for path in files if path.endswith(".py")]
    entry = named or (ENTRY if ENTRY in files else programs[0] if len(programs) == 1 else "")
    if entry not in files:
        known = ", ".join(sorted(programs)[:20]) or "none"
        raise ModelRefused(
            f"It is not known which file has the model{f': there is no {named[:100]!r}' if named else ''}.",
            f"Name it as 'entry'; files in Python: {known}.",
        )
    return entry
