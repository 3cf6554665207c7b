"""One server for all tests that only look; those that stop it start their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.lifecycle.server.jupyter_process import Server, running_server

EXAMPLES = Path(__file__).parents[4] / "examples"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server(TWINHUB_EXAMPLES=str(EXAMPLES)) as running:
        yield running
