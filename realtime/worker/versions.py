"""The versions of a model as they were deployed, fetched once."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from nats.js.errors import NotFoundError

from realtime import wire
from realtime.bundles import Loaded, load_bundle, read_bundle
from realtime.errors import ModelRefused
from realtime.worker.link import AWAY, Link

log = logging.getLogger(__name__)
MISSING_TRIES: Final = 20


class Versions:
    """Those that one worker needed so far."""

    def __init__(self, link: Link, model: str) -> None:
        self._link = link
        self._model = model
        self._loaded: dict[int, Loaded] = {}
        self._refused: dict[int, ModelRefused] = {}

    async def load(self, version: int) -> Loaded:
        """Give one that can run, waiting for the broker where it is away; raises ModelRefused."""
        if version in self._refused:  # each partition asks, and each frame where none is in force
            raise self._refused[version]
        if version not in self._loaded:
            try:
                self._loaded[version] = load_bundle(read_bundle(await self._fetch(version)), version)
            except ModelRefused as error:
                self._refused[version] = error
                raise
        return self._loaded[version]

    async def _fetch(self, version: int) -> bytes:
        name = f"{self._model}/{version}"
        missing = 0
        while True:
            try:
                store = await self._link.js.object_store(wire.BUNDLES)
                return (await store.get(name)).data or b""
            except NotFoundError as error:
                missing += 1
                if missing > MISSING_TRIES:
                    raise ModelRefused(
                        f"Version {version} of '{self._model}' is not there.", "Deploy the model again."
                    ) from error
            except AWAY as error:
                log.info("version %s of %s: %s", version, self._model, error)
            await asyncio.sleep(0.2)
