"""`/lib/files/PATH`: assets as bytes and folders, for pages and programs."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from libms.access import authorise, visible_owners
from libms.errors import BadRequest, Changed, Exists
from libms.models import Entry, EntryType
from libms.packing import zip_folder
from libms.paths import AssetPath, parse_path
from libms.storage import DiskStorage, describe, refuse_fixed
from libms.trash import Trash
from libms.uploads import Uploads
from twinhub.bodies import read_body
from twinhub.signin import User, current_user

INLINE_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
"""Shown by browsers as they are; none of them can hold a script. All text is shown as plain text."""

TEXT_ENDINGS: Final = frozenset(
    (
        ".txt",
        ".md",
        ".csv",
        ".tsv",
        ".json",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".log",
        ".py",
        ".sh",
        ".m",
        ".mo",
        ".xml",
        ".r",
        ".c",
        ".h",
        ".cpp",
        ".js",
        "",
    )
)
MOST_ENTRIES: Final = 1000
LARGEST_JSON_BYTES: Final = 16 * 1024
SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}


class OpenFileResponse(FileResponse):
    """Serve an open file and close it, however the answer ends: refused ranges end before background tasks run."""

    def __init__(self, descriptor: int, headers: dict[str, str], media_type: str) -> None:
        self._descriptor = descriptor
        about = os.fstat(descriptor)
        super().__init__(f"/proc/self/fd/{descriptor}", headers=headers, media_type=media_type, stat_result=about)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self._descriptor)


class Files:
    """Translate requests; what is allowed and how it is done stands elsewhere."""

    def __init__(self, storage: DiskStorage, uploads: Uploads, trash: Trash) -> None:
        self._storage = storage
        self._uploads = uploads
        self._trash = trash

    # --- reading --------------------------------------------------------------------

    async def get(self, request: Request) -> Response:
        """Give a file's bytes, a folder's listing, or a folder as zip."""
        user, path = self._allowed(request)
        if path.owner is None:
            return self._owners(user)
        if not self._storage.is_folder(path):
            return self._file(request, path)
        if request.query_params.get("download") == "zip":
            return self._zip(path)
        return await self._listing(request, path)

    def _owners(self, user: User) -> Response:
        names = visible_owners(user, self._storage.owners())
        entries = [Entry(name, EntryType.TREE, 0, 0) for name in names]
        return JSONResponse(_page("", entries, None, len(entries)))

    def _file(self, request: Request, path: AssetPath) -> Response:
        with self._storage.file(path) as opened:
            # The response outlives this block, so it gets a descriptor of its own.
            descriptor = os.dup(opened)
        about = describe(descriptor)
        headers = {**SAFE_HEADERS, "ETag": about.etag, "Content-Disposition": _disposition("attachment", path.name)}
        if request.headers.get("if-none-match") in (about.etag, "*"):
            os.close(descriptor)
            return Response(status_code=304, headers=headers)
        media_type = "application/octet-stream"
        ending = os.path.splitext(path.name)[1].lower()  # noqa: PTH122 - a name, not a path of this host
        if "inline" in request.query_params and (ending in INLINE_TYPES or ending in TEXT_ENDINGS):
            media_type = INLINE_TYPES.get(ending, "text/plain; charset=utf-8")
            headers["Content-Disposition"] = _disposition("inline", path.name)
        return OpenFileResponse(descriptor, headers, media_type)

    async def _listing(self, request: Request, path: AssetPath) -> Response:
        first = _count(request.query_params.get("first"), MOST_ENTRIES)
        after = _count(request.query_params.get("after"), 10**9, default=0)
        entries = await asyncio.to_thread(self._storage.entries, path)
        following = after + first if after + first < len(entries) else None
        return JSONResponse(_page(str(path), entries[after : after + first], following, len(entries)))

    def _zip(self, path: AssetPath) -> Response:
        chunks: Iterator[bytes] = zip_folder(self._storage, path)
        headers = {**SAFE_HEADERS, "Content-Disposition": _disposition("attachment", f"{path.name}.zip")}
        return StreamingResponse(iterate_in_threadpool(chunks), media_type="application/zip", headers=headers)

    # --- changing -------------------------------------------------------------------

    async def put(self, request: Request) -> Response:
        """Store the body as a file, whole or not at all."""
        _, path = self._allowed(request, write=True)
        refuse_fixed(path)
        replace = request.headers.get("if-none-match") != "*"
        before = self._check_condition(request, path)
        length = request.headers.get("content-length")
        announced = int(length) if length and length.isdigit() else None
        about = await self._uploads.receive(path, request.stream(), announced=announced, replace=replace)
        return JSONResponse(
            {"path": str(path), "size": about.size, "etag": about.etag},
            status_code=200 if before else 201,
            headers={"ETag": about.etag},
        )

    def _check_condition(self, request: Request, path: AssetPath) -> bool:
        """Refuse to overwrite what the sender has not seen; tell whether there is a file."""
        info = self._storage.info(path)
        if info is not None and request.headers.get("if-none-match") == "*":
            raise Exists(f"'{path}' exists already.", "Choose another name.")
        wanted = request.headers.get("if-match")
        if wanted is not None and (info is None or wanted not in (info.etag, "*")):
            raise Changed(f"'{path}' was changed by somebody else meanwhile.", "Load it again before saving.")
        return info is not None

    async def post(self, request: Request) -> Response:
        """Make a folder, or move something."""
        user, path = self._allowed(request, write=True)
        match await _json(request):
            case {"make": "folder"}:
                await asyncio.to_thread(self._storage.make_folder, path)
                return JSONResponse({"path": str(path)}, status_code=201)
            case {"move_to": str(text)}:
                target = parse_path(text)
                authorise(user, target, write=True)
                await asyncio.to_thread(self._storage.move, path, target)
                return JSONResponse({"path": str(target)})
        raise BadRequest(
            "The body says neither what to make nor where to move.",
            'Send {"make": "folder"} or {"move_to": "OWNER/…"}.',
        )

    async def delete(self, request: Request) -> Response:
        """Put something into the trash."""
        user, path = self._allowed(request, write=True)
        trash_id = await asyncio.to_thread(self._trash.put, path, user)
        return JSONResponse({"path": str(path), "restore": trash_id})

    async def restore(self, request: Request) -> Response:
        """Bring something back from the trash."""
        path = await asyncio.to_thread(self._trash.restore, request.path_params["trash_id"], current_user(request))
        return JSONResponse({"path": str(path)})

    def _allowed(self, request: Request, *, write: bool = False) -> tuple[User, AssetPath]:
        user = current_user(request)
        path = parse_path(request.path_params.get("path", ""))
        authorise(user, path, write=write)
        if path.owner == user.name:
            self._storage.ensure_owner(user.name)  # one stat, but for a person's very first request
        return user, path


async def _json(request: Request) -> Any:
    body = await read_body(request, LARGEST_JSON_BYTES)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", 'Send {"make": "folder"} or {"move_to": "OWNER/…"}.') from error


def _page(path: str, entries: list[Entry], following: int | None, total: int) -> dict[str, Any]:
    return {
        "path": path,
        "entries": [asdict(entry) for entry in entries],
        "next": None if following is None else str(following),
        "total": total,
    }


def _count(text: str | None, highest: int, default: int | None = None) -> int:
    if text is None or text == "":
        return highest if default is None else default
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise BadRequest(f"'{text[:40]}' is not a count.", "Send 'next' of the page before, or a whole number.")
    return min(int(text), highest)


def _disposition(kind: str, name: str) -> str:
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
