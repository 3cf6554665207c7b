"""Build the library's application from its parts."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from libms.access import Access
from libms.assets import Assets
from libms.audit import Audit
from libms.backend import Backend
from libms.digests import Digests
from libms.files import Files
from libms.graphql.context import Services
from libms.graphql.endpoint import GraphQLEndpoint
from libms.index import Index, Indexer
from libms.integrity import Integrity
from libms.publishing import Publications
from libms.quota import Quota
from libms.reading import Reader
from libms.room import Room
from libms.tus import Tus
from libms.upload_store import UploadStore
from libms.uploads import Uploads
from libms.usage import Usage
from twinhub.errors import PublicError
from twinhub.settings import Library

if TYPE_CHECKING:
    from twinhub.signin import Sessions

PURGE_EVERY_S: Final = 3600
THREADS: Final = 32
HEALTH: Final = "/lib/health"
SCHEMA: Final = Path(__file__).parent / "schema.graphql"
GB: Final = 1_000_000_000

log = logging.getLogger("libms")


@dataclass(frozen=True)
class Parts:
    """What a library is put together from, whoever runs it."""

    backend: Backend
    limits: Library
    state: Path
    """Folder of the index, which may be deleted at any time, and of the log of changes, which may not."""
    files: Path | None
    """The folder to watch, where assets are files of this machine."""
    signing_key: bytes
    open_owners: bool = False
    """See Assets."""
    eager: bool = False
    """Whether pages ask at once for what only the whole GraphQL engine answers, so that it is loaded at the start."""


def build(parts: Parts, sessions: Sessions | None, *, graphiql: bool = True) -> ASGIApp:
    """Put routes over the rules."""
    services = make_services(parts)
    assets = services.assets
    uploads = Uploads(assets)
    tus = Tus(
        UploadStore(assets.backend.staging),
        assets.backend,
        room=assets.room,
        quota=assets.quota,
        changing=assets.changing,
        audit=assets.audit,
        changed=assets.changed,
    )
    endpoint = GraphQLEndpoint(services, sessions, graphiql=graphiql)
    starlette = _routes(
        Files(assets, uploads), endpoint, tus, _lifespan(services, endpoint, uploads, tus, eager=parts.eager)
    )
    return LibraryApp(starlette, endpoint)


def make_services(parts: Parts) -> Services:
    """Put the rules over a backend."""
    limits, backend = parts.limits, parts.backend
    index = Index(parts.state / "index.sqlite")
    indexer = Indexer(backend, index, parts.files)
    quota = Quota(
        Usage(backend, index, indexer).of,
        None if limits.quota_gb is None else int(limits.quota_gb * GB),
        {name: None if size is None else int(size * GB) for name, size in limits.quotas_gb.items()},
    )
    assets = Assets(
        backend,
        Access(limits.common_writers),
        publications=Publications(backend, parts.signing_key),
        quota=quota,
        room=Room(
            backend.staging,
            largest_bytes=limits.upload_limit_gb * GB,
            keep_free_bytes=limits.keep_free_mb * 1_000_000,
        ),
        audit=Audit(parts.state / "audit"),
        changed=indexer.changed,
        open_owners=parts.open_owners,
    )
    digests = Digests(backend)
    return Services(
        assets=assets,
        index=index,
        indexer=indexer,
        digests=digests,
        integrity=Integrity(backend, digests),
        reader=Reader(assets),
        limits=limits,
    )


class AssetConvertor(Convertor[str]):
    """An asset's path in an address: anything at all, line breaks in names too, which `path` leaves out."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """Give it as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Give it as it is."""
        return value


register_url_convertor("asset", AssetConvertor())


class LibraryApp:
    """Give queries the short way, and everything else to the routes.

    A POST to exactly /lib is what other programs send by the thousand; routing
    and middleware would cost as much as the answer.
    """

    def __init__(self, routes: Starlette, endpoint: GraphQLEndpoint) -> None:
        self._routes = routes
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/lib" or scope["method"] != "POST":
            await self._routes(scope, receive, send)
            return
        try:
            await self._endpoint.post(scope, receive, send)
        except PublicError as error:
            await refusal(error)(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:  # the outermost loop: what nobody foresaw is logged and answered
            await failure(error)(scope, receive, send)


def _routes(files: Files, endpoint: GraphQLEndpoint, tus: Tus, lifespan: Callable[[Starlette], object]) -> Starlette:
    return Starlette(
        routes=[
            Route("/lib", endpoint.get, methods=["GET"]),
            Route("/lib/schema.graphql", _schema, methods=["GET"]),
            Route(HEALTH, _health),
            *tus.routes(),
            Route("/lib/files", files.get, methods=["GET"]),
            Route("/lib/files/{path:asset}", files.answer, methods=["GET", "PUT", "POST", "DELETE"]),
            Route("/lib/trash/{trash_id}", files.restore, methods=["POST"]),
        ],
        exception_handlers={PublicError: _refused, ClientDisconnect: _left, Exception: _failed},
        lifespan=lifespan,  # type: ignore[arg-type]
    )


def _lifespan(
    services: Services, endpoint: GraphQLEndpoint, uploads: Uploads, tus: Tus, *, eager: bool
) -> Callable[[Starlette], object]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # Each person's share of them is limited; the default of six threads would be used up by three people.
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, "library"))
        await asyncio.to_thread(uploads.clear)
        await asyncio.to_thread(tus.recover)
        await asyncio.to_thread(services.indexer.start)
        if eager:
            loop.run_in_executor(None, endpoint.load_engine)
        purging = asyncio.create_task(_purge(services.assets.backend, tus))
        try:
            yield
        finally:
            endpoint.stop()
            purging.cancel()
            with suppress(asyncio.CancelledError):
                await purging
            await asyncio.to_thread(services.indexer.stop)
            services.index.close()
            await asyncio.to_thread(tus.close)
            await asyncio.to_thread(services.assets.backend.close)

    return lifespan


async def _schema(_: Request) -> Response:
    return FileResponse(SCHEMA, media_type="text/plain; charset=utf-8")


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _purge(backend: Backend, tus: Tus) -> None:
    while True:
        try:
            count = await asyncio.to_thread(backend.purge)
            if count:
                log.info("%d assets in the trash expired", count)
            await tus.purge()
        except Exception:  # one round that fails must not be the last
            log.exception("what has expired could not be removed")
        await asyncio.sleep(PURGE_EVERY_S)


def refusal(error: PublicError) -> Response:
    """Give the answer for what a person can act on."""
    return JSONResponse(error.as_json(), status_code=error.status, headers={"Cache-Control": "no-store"})


def failure(error: Exception) -> Response:
    """Give the answer for a bug of ours: logged with its traceback, shown as a reference number."""
    reference = secrets.token_hex(4)
    log.error("failure %s", reference, exc_info=error)
    what = f"Something went wrong on our side. Reference: {reference}"
    content = {"error": {"code": "internal", "what": what, "fix": "Tell an administrator the reference."}}
    return JSONResponse(content, status_code=500, headers={"Cache-Control": "no-store"})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, PublicError)  # noqa: S101 - registered for it
    return refusal(error)


async def _left(_: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


async def _failed(_: Request, error: Exception) -> Response:
    return failure(error)
