"""Which image a workspace is made from."""

import asyncio
from typing import Any

import docker.errors
import pytest

from hub.image import find_image


class Engine:
    """Knows some images, as the container engine does."""

    def __init__(self, *names: str) -> None:
        self.names = names

    async def docker(self, question: str, name: str) -> dict[str, Any]:
        assert question == "inspect_image"
        if name not in self.names:
            raise docker.errors.ImageNotFound(f"No such image: {name}")
        return {"Id": f"sha256:{name}"}


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        (("t-workspace:minimal", "t-workspace:full"), "full", "t-workspace:full"),
        (("t-workspace:minimal",), "full", "t-workspace:minimal"),
        (("t-workspace:minimal", "t-workspace:full"), "minimal", "t-workspace:minimal"),
    ],
)
def test_minimal_stands_in_until_full_is_built(there: tuple[str, ...], wanted: str, found: str) -> None:
    """A new platform can be used minutes before the large image is there."""
    name, about = asyncio.run(find_image(Engine(*there).docker, "t", wanted))
    assert (name, about["Id"]) == (found, f"sha256:{found}")


@pytest.mark.parametrize("there", [(), ("t-workspace:full",)])
def test_a_larger_image_never_stands_in_for_a_smaller_one(there: tuple[str, ...]) -> None:
    """Whoever was given minimal was not given the desktop; the missing image is named."""
    with pytest.raises(docker.errors.ImageNotFound, match="t-workspace:minimal"):
        asyncio.run(find_image(Engine(*there).docker, "t", "minimal"))
