"""The file of routes, on a disk that has no room for it."""

import asyncio
import os
from pathlib import Path

import pytest

from hub import proxy
from hub.proxy import GatewayProxy
from tests.support.installation import wait_until


def test_routes_that_could_not_be_written_are_written_when_they_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk of some seconds must not leave somebody's running workspace without a way to it."""
    monkeypatch.setattr(proxy, "WRITTEN_AGAIN_S", 0.05)
    file = tmp_path / "dynamic" / "hub.yaml"
    gateway = GatewayProxy(gateway_group_id=os.getgid(), dynamic_config_file=str(file))

    async def add() -> None:
        traefik, ours = gateway._dynamic_config_for_route("/user/marie/", "http://127.0.0.1:1", {"user": "marie"})
        await gateway._apply_dynamic_config(traefik, ours)
        assert not file.exists()
        file.parent.mkdir()
        await asyncio.to_thread(wait_until, file.exists, 10, "the file")

    asyncio.run(add())
    assert "http://127.0.0.1:1" in file.read_text()
