"""Models that are assets of the library: asked for there, as the person who deploys, who may read what they may."""

from __future__ import annotations

import asyncio
import io
import zipfile
from typing import Final, Protocol
from urllib.parse import quote

import httpx2

from realtime.errors import ModelRefused
from realtime.service.bundles import LARGEST_BUNDLE, MOST_FILES, check_path
from twinhub.errors import Forbidden
from twinhub.signin import User

FETCH_S: Final = 30.0
PROGRAM: Final = ".py"


class Assets(Protocol):
    """Where assets' files come from."""

    async def fetch(self, user: User, asset: str) -> dict[str, bytes]:
        """Give the files of an asset by their relative paths; raises Forbidden, ModelRefused."""


class NoAssets:
    """No library beside us: files are sent themselves."""

    async def fetch(self, user: User, asset: str) -> dict[str, bytes]:
        """Refuse."""
        raise Forbidden(f"There is no library here that could have '{asset[:100]}'.", "Send the files themselves.")


class LibraryAssets:
    """The library of the platform: one file in Python, or a folder."""

    def __init__(self, url: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._http = httpx2.AsyncClient(base_url=url, timeout=FETCH_S, trust_env=False, transport=transport)

    async def fetch(self, user: User, asset: str) -> dict[str, bytes]:
        """Give the files of an asset by their relative paths; raises Forbidden, ModelRefused."""
        path = asset.strip("/")
        check_path(path)
        data = await self._get(user, path)
        name = path.rpartition("/")[2]
        return {name: data} if name.endswith(PROGRAM) else await asyncio.to_thread(_unpacked, path, data)

    async def _get(self, user: User, path: str) -> bytes:
        address = f"/lib/files/{quote(path)}"
        found = bytearray()
        try:
            headers = {"Authorization": f"token {user.token}"}
            async with self._http.stream("GET", address, params={"download": "zip"}, headers=headers) as answer:
                if answer.status_code in (401, 403):
                    raise Forbidden(f"You may not read the asset '{path[:200]}'.", "Ask its owner for it.")
                if answer.status_code != 200:
                    raise ModelRefused(f"There is no asset '{path[:200]}'.", "Check its path in the Library.")
                async for chunk in answer.aiter_bytes():
                    found += chunk
                    if len(found) > LARGEST_BUNDLE:
                        raise _too_large(path)
        except httpx2.HTTPError as error:
            raise ModelRefused("The library does not answer.", "Try again in some seconds.") from error
        return bytes(found)

    async def aclose(self) -> None:
        """Leave the library."""
        await self._http.aclose()


def _unpacked(path: str, data: bytes) -> dict[str, bytes]:
    """Read the files of a folder, which the library packs; what unpacks to too much is refused before it does."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            those = [one for one in packed.infolist() if not one.is_dir()]
            if len(those) > MOST_FILES or sum(one.file_size for one in those) > LARGEST_BUNDLE:
                raise _too_large(path)
            names = [one.filename for one in those]
            first = f"{path.rpartition('/')[2]}/"
            cut = len(first) if all(name.startswith(first) for name in names) else 0
            return {one.filename[cut:]: packed.read(one) for one in those if "__pycache__" not in one.filename}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ModelRefused(
            f"The asset '{path[:200]}' is neither a folder nor a file in Python.", "Name one."
        ) from error


def _too_large(path: str) -> ModelRefused:
    return ModelRefused(
        f"The asset '{path[:200]}' is too large for a model.", f"At most {MOST_FILES} files and {LARGEST_BUNDLE} bytes."
    )
