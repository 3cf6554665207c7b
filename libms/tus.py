"""`/lib/uploads`: resumable uploads as the tus protocol 1.0.0 describes them (https://tus.io).

    OPTIONS /lib/uploads          what this server can
    POST    /lib/uploads          begin; the answer's Location is the upload's address
    GET     /lib/uploads          the person's unfinished uploads, as JSON
    HEAD    /lib/uploads/ID       how far it is
    PATCH   /lib/uploads/ID       go on from there
    DELETE  /lib/uploads/ID       give it up

Beyond the protocol: the answer to the last PATCH, and HEAD afterwards, carry
Upload-Path (percent-encoded; it differs from what was asked for when the name
was taken meanwhile) and ETag. A file that could not be put under its name stays
complete: an empty PATCH at its end, or HEAD, tries again.

X-HTTP-Method-Override is not honoured, although the protocol asks for it: the
sign-in decides by the method of the request whether a browser's cookie alone is
enough, so a GET of another site's making could become a DELETE.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from libms.audit import Audit
from libms.backend import Backend
from libms.errors import BadRequest, ChecksumMismatch, UploadNotFound
from libms.paths import AssetPath
from libms.quota import Quota
from libms.room import Room
from libms.tus_http import (
    ADDRESS,
    ALWAYS,
    BODY_TYPE,
    VERSION,
    Address,
    address_of,
    answer,
    as_json,
    body_length,
    body_type,
    check_version,
    person_of,
    refused,
    state_of,
)
from libms.upload_intake import STALL_S, Gatherers, Intake
from libms.upload_placing import Changing, Placing
from libms.upload_rules import (
    ALGORITHMS,
    Hash,
    NotPlaced,
    OffsetMismatch,
    UploadGone,
    WrongType,
    begin_sha256,
    parse_checksum,
    parse_count,
    parse_metadata,
)
from libms.upload_store import Upload, UploadStore
from libms.upload_turns import Turn, Turns
from twinhub.errors import PublicError, TooLarge
from twinhub.signin import User, current_user

EXTENSIONS: Final = "creation,creation-with-upload,termination,expiration,checksum"

Result = TypeVar("Result")


class Tus:
    """Translate requests; `recover` comes before the first, `purge` every hour, `close` after the last."""

    def __init__(
        self,
        store: UploadStore,
        backend: Backend,
        *,
        room: Room,
        quota: Quota,
        changing: Changing,
        audit: Audit,
        changed: Callable[[AssetPath], None],
        stall_s: float = STALL_S,
    ) -> None:
        self._store = store
        self._room = room
        self._stall_s = stall_s
        self._placing = Placing(store, backend, room=room, quota=quota, changing=changing, audit=audit, changed=changed)
        self._turns = Turns()
        self._gatherers = Gatherers()
        self._hashes: dict[str, tuple[Hash, int]] = {}
        # Pools of their own: a slow disk, or a repository that does not answer, must not hold up other requests.
        self._rows = ThreadPoolExecutor(2, "upload-row")
        self._writers = ThreadPoolExecutor(4, "upload-write")
        self._placers = ThreadPoolExecutor(4, "upload-place")

    def routes(self) -> list[Route]:
        """Give the routes; all methods of an address go to one place, so that every answer carries the version."""
        many = Address({"OPTIONS": self._options, "POST": self._post, "GET": self._get})
        one = Address({"OPTIONS": self._options, "HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete})
        return [Route(ADDRESS, many), Route(ADDRESS + "/{upload_id}", one)]

    @property
    def active(self) -> int:
        """How many requests bring bytes just now."""
        return self._gatherers.active

    def recover(self) -> None:
        """Take up what the last process left; blocks."""
        self._placing.recover()

    async def purge(self) -> int:
        """Delete what has expired; give how many."""
        due = await self._row(self._store.due)
        for upload in due:
            async with self._turns.take(upload.id):
                # Somebody may have gone on with it while this waited for its turn.
                if upload.id in {one.id for one in await self._row(self._store.due)}:
                    await self._row(self._placing.bury, upload)
                    self._hashes.pop(upload.id, None)
        await self._row(self._store.forget)
        return len(due)

    def close(self) -> None:
        """Let jobs under way end, and close the database."""
        for pool in (self._writers, self._placers, self._rows):
            pool.shutdown()
        self._store.close()

    # --- all uploads ------------------------------------------------------------------

    async def _options(self, _: Request) -> Response:
        return answer(
            {
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(self._room.largest_bytes),
                "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            }
        )

    async def _get(self, request: Request) -> Response:
        user = person_of(request)
        uploads = await self._row(self._store.unfinished, user.name)
        return JSONResponse({"uploads": [as_json(upload) for upload in uploads]}, headers=ALWAYS)

    async def _post(self, request: Request) -> Response:
        """Begin an upload, with or without its first bytes."""
        check_version(request)
        user = person_of(request)
        for name in ("upload-defer-length", "upload-concat"):
            if name in request.headers:
                raise BadRequest(f"This server does not know {name}.", "Announce the whole file with Upload-Length.")
        length = parse_count("Upload-Length", request.headers.getlist("upload-length"))
        wish = parse_metadata(request.headers.get("upload-metadata", ""))
        with_body = body_type(request) == BODY_TYPE
        if not with_body and body_length(request) != 0:
            raise WrongType("The body is not announced as bytes of the file.", f"Send Content-Type: {BODY_TYPE}.")
        upload = await self._place(self._placing.begin, user, wish, length)
        async with self._turns.take(upload.id) as turn:
            try:
                if with_body:
                    upload = await self._receive(request, upload, turn)
                if upload.complete:
                    upload = await self._finish(user, upload)
            except PublicError as error:
                return await self._begun_badly(request, upload, error)
        headers = {"Location": address_of(upload), "Upload-Offset": str(upload.offset), **state_of(upload)}
        return answer(headers, 201)

    async def _begun_badly(self, request: Request, upload: Upload, error: PublicError) -> Response:
        """Refuse; what came is kept under an address that the refusal names, unless nothing came."""
        left = await self._row(self._store.find, upload.id)
        response = refused(request, error)
        if left is not None and left.offset > 0:
            response.headers["Location"] = address_of(left)
        elif left is not None:
            await self._row(self._placing.drop, left)
        return response

    # --- one upload -------------------------------------------------------------------

    async def _head(self, request: Request) -> Response:
        check_version(request)
        user = person_of(request)
        await self._find(request)
        async with self._turns.take(request.path_params["upload_id"]):
            upload = await self._find(request)
            if upload.complete and upload.placed is None:
                upload = await self._finish_late(user, upload)
        headers = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.length), **state_of(upload)}
        if upload.wish.metadata:
            headers["Upload-Metadata"] = upload.wish.metadata
        return answer(headers, 200)

    async def _finish_late(self, user: User, upload: Upload) -> Upload:
        """Place what could not be placed before; clients would take a full offset for success."""
        try:
            return await self._finish(user, upload)
        except ChecksumMismatch:
            raise
        except PublicError as error:
            raise NotPlaced(f"All bytes are there, but not yet under their name: {error.what}", error.fix) from error

    async def _patch(self, request: Request) -> Response:
        check_version(request)
        if body_type(request) != BODY_TYPE:
            raise WrongType("The body is not announced as bytes of an upload.", f"Send Content-Type: {BODY_TYPE}.")
        offset = parse_count("Upload-Offset", request.headers.getlist("upload-offset"))
        user = person_of(request)
        # Nobody stops another person's upload by knowing its id.
        await self._find(request)
        async with self._turns.take(request.path_params["upload_id"]) as turn:
            upload = await self._find(request)
            if offset != upload.offset:
                raise OffsetMismatch(
                    f"Upload-Offset is {offset}, and {upload.offset} bytes are stored.",
                    "Ask with HEAD and go on there.",
                )
            upload = await self._receive(request, upload, turn)
            if upload.complete and upload.placed is None:
                upload = await self._finish(user, upload)
        return answer({"Upload-Offset": str(upload.offset), **state_of(upload)})

    async def _delete(self, request: Request) -> Response:
        check_version(request)
        person_of(request)
        await self._find(request)
        async with self._turns.take(request.path_params["upload_id"]):
            upload = await self._find(request)
            await self._row(self._placing.drop, upload)
            self._hashes.pop(upload.id, None)
        return answer({})

    # --- the steps --------------------------------------------------------------------

    async def _find(self, request: Request) -> Upload:
        upload = await self._row(self._store.find, request.path_params["upload_id"])
        if upload is None or upload.user != current_user(request).name:
            raise UploadNotFound("You have no such upload.", "GET /lib/uploads lists yours.")
        if self._store.expired(upload):
            raise UploadGone(f"The upload of '{upload.wish.path}' has expired.", "Upload the file again.")
        return upload

    async def _receive(self, request: Request, upload: Upload, turn: Turn) -> Upload:
        """Store the request's body; gives the upload as it is afterwards."""
        coming = body_length(request)
        if coming == 0 and "upload-checksum" not in request.headers:
            return upload
        if upload.placed is not None or (coming is not None and upload.offset + coming > upload.length):
            raise TooLarge(
                f"{upload.length} bytes were announced, {upload.offset} are stored, and {coming or 'yet'} more were to come.",
                "If the file has changed, cancel this upload and begin again.",
            )
        checksum = request.headers.get("upload-checksum")
        intake = Intake(
            upload,
            self._store,
            self._room,
            pool=self._writers,
            gatherers=self._gatherers,
            checksum=parse_checksum(checksum) if checksum is not None else None,
            whole=self._running_hash(upload),
        )
        turn.until_newer(intake.stop)
        try:
            await intake.receive(request.stream(), self._stall_s)
        finally:
            self._hashes.pop(upload.id, None)
            if intake.whole is not None:
                self._hashes[upload.id] = (intake.whole, intake.offset)
        return await self._find_again(upload)

    async def _find_again(self, upload: Upload) -> Upload:
        return await self._row(self._store.find, upload.id) or upload

    def _running_hash(self, upload: Upload) -> Hash | None:
        """Go on with the whole file's hash; None where nobody asked for it, or a restart lost it."""
        if upload.wish.sha256 is None:
            return None
        if upload.offset == 0:
            return begin_sha256()
        found, offset = self._hashes.get(upload.id, (None, 0))
        return found.copy() if found is not None and offset == upload.offset else None

    async def _finish(self, user: User, upload: Upload) -> Upload:
        whole, _ = self._hashes.pop(upload.id, (None, 0))
        return await self._place(self._placing.finish, user, upload, whole)

    async def _row(self, call: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._rows, call, *arguments)

    async def _place(self, call: Callable[..., Upload], *arguments: Any) -> Upload:
        return await asyncio.get_running_loop().run_in_executor(self._placers, call, *arguments)
