"""`/lib/files/PATH`: assets as bytes and folders, for pages and programs."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import quote

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from libms.assets import Assets
from libms.descriptions.media import is_text, shows_inline
from libms.descriptions.media import media_type as media_type_of
from libms.errors import AssetNotFound, BadRequest, Changed, Exists, PathRefused
from libms.models import About, Entry, EntryType, Listing
from libms.packing import zip_folder
from libms.paths import AssetPath
from libms.publishing import MANIFESTS, ORIGINS
from libms.turns import Turns
from libms.uploads import Uploads
from twinhub.bodies import read_body, wait_until_left
from twinhub.signin import User, current_user

TEXT_TYPE: Final = "text/plain; charset=utf-8"
HEAD_BYTES: Final = 1024
TURNS: Final = 6
"""Requests of one person that look things up at once; sending bytes does not count."""
WAITING: Final = 1000
MOST_ENTRIES: Final = 1000
RECORDS: Final = {MANIFESTS, ORIGINS}
"""Folders of the library's own records in a category: paths like others, and no assets to show."""
LONGEST_LENGTH: Final = 18
TRIES: Final = 20
LARGEST_JSON_BYTES: Final = 16 * 1024
SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}


class OpenFileResponse(FileResponse):
    """Serve an open file and close it, however the answer ends: refused ranges end before background tasks run.

    A browser that breaks a download off ends the reading too; the server alone
    would go on through 10 GB for nobody.
    """

    chunk_size = 1024 * 1024

    def __init__(self, descriptor: int, headers: dict[str, str], media_type: str) -> None:
        self._descriptor = descriptor
        about = os.fstat(descriptor)
        super().__init__(f"/proc/self/fd/{descriptor}", headers=headers, media_type=media_type, stat_result=about)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.ensure_future(wait_until_left(receive))

        async def send_on(message: Message) -> None:
            if leaving.done():
                raise ClientDisconnect
            await send(message)

        try:
            with suppress(ClientDisconnect):
                await super().__call__(scope, receive, send_on)
        finally:
            leaving.cancel()
            os.close(self._descriptor)


class Files:
    """Translate requests; what is allowed and how it is done stands elsewhere."""

    def __init__(self, assets: Assets, uploads: Uploads) -> None:
        self._assets = assets
        self._backend = assets.backend
        self._uploads = uploads
        self._turns = Turns(TURNS, WAITING)

    async def answer(self, request: Request) -> Response:
        """Answer any method of an asset's address."""
        methods = {"GET": self.get, "HEAD": self.get, "PUT": self.put, "POST": self.post, "DELETE": self.delete}
        return await methods[request.method](request)

    # --- reading --------------------------------------------------------------------

    async def get(self, request: Request) -> Response:
        """Give a file's bytes, a folder's listing, or a folder as zip."""
        async with self._turns.of(current_user(request).name):
            return await asyncio.to_thread(self._get, request)

    def _get(self, request: Request) -> Response:
        user, ref = current_user(request), request.query_params.get("ref")
        path = self._assets.locate(user, request.path_params.get("path", ""), root=True)
        if path.owner is None:
            return self._owners(user)
        if self._backend.about(path, ref).type is EntryType.BLOB:
            return self._file(request, path, ref)
        if request.query_params.get("download") == "zip":
            return self._zip(user, path, ref) if request.method == "GET" else Response(media_type="application/zip")
        return self._listing(request, path, ref)

    def _owners(self, user: User) -> Response:
        names = self._assets.access.visible_owners(user, self._backend.owners())
        entries = [Entry(name, EntryType.TREE, 0, 0) for name in names]
        return JSONResponse(_page("", entries, Span(0, len(entries), len(entries)), ""))

    def _file(self, request: Request, path: AssetPath, ref: str | None) -> Response:
        user = current_user(request)
        descriptor, etag = self._open(path, ref)
        try:
            headers = {**SAFE_HEADERS, "ETag": etag, "Content-Disposition": _disposition("attachment", path.name)}
            if _matches(request.headers.get("if-none-match", ""), etag):
                os.close(descriptor)
                return Response(status_code=304, headers=headers)
            media_type = media_type_of(path.name, os.pread(descriptor, HEAD_BYTES, 0))
            if "inline" in request.query_params:
                shown = shows_inline(path.name) or (TEXT_TYPE if is_text(os.pread(descriptor, HEAD_BYTES, 0)) else None)
                if shown is not None:
                    media_type = shown
                    headers["Content-Disposition"] = _disposition("inline", path.name)
            if request.method == "GET":
                self._assets.audit.record(user.name, "download", path, request.headers.get("range", "")[:100])
            return OpenFileResponse(descriptor, headers, media_type)
        except BaseException:
            os.close(descriptor)
            raise

    def _open(self, path: AssetPath, ref: str | None) -> tuple[int, str]:
        """Open a file, and give the tag of just what was opened: a tag of newer content would hide a change."""
        for _ in range(TRIES):
            etag = self._backend.about(path, ref).etag
            with self._backend.file(path, ref) as opened:
                # The response outlives this block, so it gets a descriptor of its own.
                descriptor = os.dup(opened)
            try:
                if self._backend.about(path, ref).etag == etag:
                    return descriptor, etag
            except AssetNotFound:
                pass
            os.close(descriptor)
        raise Changed(f"'{path}' is being written all the time.", "Try again in a moment.")

    def _listing(self, request: Request, path: AssetPath, ref: str | None) -> Response:
        query = request.query_params
        first = _count(query.get("first"), MOST_ENTRIES)
        after = _count(query.get("after"), 10**9, default=0)
        listing = self._backend.listing(path, ref)
        wanted = query.get("match", "").casefold()
        if wanted or (len(path.names) == 1 and RECORDS & set(listing.trees)):
            trees = [name for name in listing.trees if wanted in name.casefold() and name not in RECORDS]
            blobs = [name for name in listing.blobs if wanted in name.casefold()]
            listing = Listing(trees, blobs, listing.revision)
        trees_here, blobs_here = listing.slice(after, first)
        entries = self._backend.entries(path, [*trees_here, *blobs_here], ref)
        return JSONResponse(_page(str(path), entries, Span(after, first, len(listing)), listing.revision))

    def _zip(self, user: User, path: AssetPath, ref: str | None) -> Response:
        found = self._assets.walk_for_download(user, path, ref)
        chunks = zip_folder(self._backend, path, ref, found)
        headers = {**SAFE_HEADERS, "Content-Disposition": _disposition("attachment", f"{path.name}.zip")}
        return StreamingResponse(iterate_in_threadpool(chunks), media_type="application/zip", headers=headers)

    # --- changing -------------------------------------------------------------------

    async def put(self, request: Request) -> Response:
        """Store the body as a file, whole or not at all."""
        user = current_user(request)
        path = await asyncio.to_thread(self._assets.locate, user, request.path_params["path"], write=True)
        if path.fixed:
            raise PathRefused(f"'{path}' is part of everybody's layout and stays.", "Choose something in it.")
        if "content-range" in request.headers:
            raise BadRequest("A PUT of a part would lose the rest.", "Send the whole file, or use /lib/uploads.")
        before = await asyncio.to_thread(self._check_conditions, request, path)
        length = request.headers.get("content-length")
        announced = _announced(length) if length else None
        about = await self._uploads.receive(
            user,
            path,
            request.stream(),
            announced=announced,
            replace=request.headers.get("if-none-match") != "*",
            if_match=before.etag if before and request.headers.get("if-match", "*") != "*" else None,
        )
        return JSONResponse(
            {"path": str(path), "size": about.size, "etag": about.etag},
            status_code=200 if before else 201,
            headers={"ETag": about.etag},
        )

    def _check_conditions(self, request: Request, path: AssetPath) -> About | None:
        """Refuse to change what the sender has not seen (RFC 9110 section 13.1); give the file that is there."""
        about = self._assets.file_at(path)
        unwanted = request.headers.get("if-none-match")
        if about is not None and unwanted is not None and _matches(unwanted, about.etag):
            raise Exists(f"'{path}' exists already.", "Choose another name.")
        wanted = request.headers.get("if-match")
        if wanted is not None and (about is None or not _matches(wanted, about.etag, weak=False)):
            raise Changed(f"'{path}' was changed by somebody else meanwhile.", "Load it again before saving.")
        return about

    async def post(self, request: Request) -> Response:
        """Make a folder, or move something."""
        user, text = current_user(request), request.path_params["path"]
        match await _json(request):
            case {"make": "folder"}:
                path = await asyncio.to_thread(self._assets.make_folder, user, text)
                return JSONResponse({"path": str(path)}, status_code=201)
            case {"move_to": str(target)}:
                await asyncio.to_thread(self._check, request)
                path = await asyncio.to_thread(self._assets.move, user, text, target)
                return JSONResponse({"path": str(path)})
        raise BadRequest(
            "The body says neither what to make nor where to move.",
            'Send {"make": "folder"} or {"move_to": "OWNER/…"}.',
        )

    async def delete(self, request: Request) -> Response:
        """Put something into the trash."""
        path = request.path_params["path"]
        await asyncio.to_thread(self._check, request)
        trashed = await asyncio.to_thread(self._assets.delete, current_user(request), path)
        return JSONResponse({"path": str(trashed.path), "restore": trashed.id})

    def _check(self, request: Request) -> None:
        if "if-match" in request.headers or "if-none-match" in request.headers:
            self._check_conditions(request, self._assets.locate(current_user(request), request.path_params["path"]))

    async def restore(self, request: Request) -> Response:
        """Bring something back from the trash."""
        trash_id = request.path_params["trash_id"]
        path = await asyncio.to_thread(self._assets.restore, current_user(request), trash_id)
        return JSONResponse({"path": str(path)})


@dataclass(frozen=True)
class Span:
    """Which part of a listing a page shows."""

    after: int
    first: int
    total: int


async def _json(request: Request) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        # Pages of other sites can send anything else without being asked first.
        raise BadRequest(
            "The Content-Type is not application/json.", 'Send {"make": "folder"} or {"move_to": "OWNER/…"}.'
        )
    body = await read_body(request, LARGEST_JSON_BYTES)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", 'Send {"make": "folder"} or {"move_to": "OWNER/…"}.') from error


def _page(path: str, entries: list[Entry], span: Span, revision: str) -> dict[str, Any]:
    end = span.after + span.first
    return {
        "path": path,
        "entries": [asdict(entry) for entry in entries],
        "next": str(end) if end < span.total else None,
        "total": span.total,
        "revision": revision,
    }


def _matches(header: str, etag: str, *, weak: bool = True) -> bool:
    """Tell whether a list of tags names this one; If-None-Match compares weakly, If-Match does not (RFC 9110 8.8.3.2)."""
    tags = (one.strip() for one in header.split(","))
    return header.strip() == "*" or any((one.removeprefix("W/") if weak else one) == etag for one in tags)


def _count(text: str | None, highest: int, default: int | None = None) -> int:
    if text is None or text == "":
        return highest if default is None else default
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise BadRequest(f"'{text[:40]}' is not a count.", "Send 'next' of the page before, or a whole number.")
    return min(int(text), highest)


def _announced(length: str) -> int:
    if not (length.isascii() and length.isdigit()) or len(length) > LONGEST_LENGTH:
        raise BadRequest(f"Content-Length '{length[:40]}' is no size.", "Send the number of bytes.")
    return int(length)


def _disposition(kind: str, name: str) -> str:
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
