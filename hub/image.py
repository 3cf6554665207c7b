"""Which image a workspace is made from: the wanted one, or what stands in for it while it is being built."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import docker.errors

from twinhub.images import image_name, usable_images


async def find_image(
    ask: Callable[[str, str], Awaitable[dict[str, Any]]], installation: str, variant: str
) -> tuple[str, dict[str, Any]]:
    """Give the name of the image to use and what the engine says of it.

    `ask` puts a question to the engine, as DockerSpawner's `docker` does.
    Raises docker.errors.ImageNotFound when not even `minimal` is there.
    """
    for name in usable_images(installation, variant):
        try:
            return name, await ask("inspect_image", name)
        except docker.errors.ImageNotFound:
            continue
    raise docker.errors.ImageNotFound(f"No such image: {image_name(installation, variant)}")
