"""What integration and end-to-end tests share: one platform, put up once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import EXISTING, Installation, put_up


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """A running platform, made by ./install.sh as for anybody else; tests/run has done so before."""
    if os.environ.get(EXISTING):
        yield Installation(Path(os.environ[EXISTING]))
        return
    made = put_up()
    yield made
    made.uninstall()
