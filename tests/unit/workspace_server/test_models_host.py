"""The workspace `realtime`: its server runs the host of models."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from workspace_server import models_host
from workspace_server.models_host import ModelsHost, Way, read_way, start_host

ANSWER = {"servers": ["nats://a:1", "nats://b:2"], "user": "worker-ada", "password": "p", "wanted": True}


def test_the_way_to_the_broker_is_read() -> None:
    """A host with a wrong word in its environment reaches nothing."""
    assert read_way(json.dumps(ANSWER).encode()) == Way("nats://a:1,nats://b:2", "worker-ada", "p", True)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"servers": 1}'])
def test_an_answer_of_another_version_is_no_way(text: bytes) -> None:
    """The server must live on, whatever it is told."""
    with pytest.raises(ValueError):
        read_way(text)


def test_a_password_is_never_shown() -> None:
    """Logs and tracebacks hold what repr gives."""
    assert "secret" not in repr(Way("nats://a:1", "u", "secret", True))


@pytest.mark.parametrize("server", ["", "big"])
def test_no_other_workspace_runs_a_host(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hosts of one person would only take memory from each other."""
    begun: list[Any] = []
    monkeypatch.setattr(models_host, "ModelsHost", lambda *words: begun.append(words))
    start_host({"JUPYTERHUB_SERVER_NAME": server}, {})
    assert begun == []


def test_a_host_that_ends_is_started_again_with_its_way_in_its_environment(tmp_path: Path) -> None:
    """A crash must not end somebody's twins for the night; tokens of the workspace are none of the models' business."""

    class Short(ModelsHost):
        command = (
            sys.executable,
            "-c",
            "import os; print({k: v for k, v in os.environ.items() if k.startswith(('REALTIME', 'JUPYTER'))}, flush=True)",
        )

    host = Short({"JUPYTERHUB_API_TOKEN": "t", "PATH": "/usr/bin:/bin"}, {}, tmp_path, folder=tmp_path)
    host.use(Way("nats://a:1", "u", "secret", True))

    async def run() -> None:
        work = asyncio.create_task(host.run())
        while True:
            await asyncio.sleep(0.1)
            log = tmp_path / ".twinhub" / "realtime.log"
            if log.exists() and log.read_text().count("REALTIME_PASSWORD") >= 2:
                break
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(asyncio.wait_for(run(), 20))
    host.stop()
    text = (tmp_path / ".twinhub" / "realtime.log").read_text()
    assert "'REALTIME_USER': 'u'" in text
    assert "JUPYTERHUB" not in text
