"""What integration and end-to-end tests share: one platform, put up once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import DATA_DIR, EXISTING, NAME, PORT, Installation


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """A running platform, made by ./install.sh as for anybody else."""
    if os.environ.get(EXISTING):
        yield Installation(Path(os.environ[EXISTING]))
        return
    made = Installation(DATA_DIR)
    if (DATA_DIR / "secrets").exists():
        made.uninstall()  # an earlier session was killed
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    made.install("--port", str(PORT), "--name", NAME, "--address", "127.0.0.1")
    # From here on nobody's container is made anew because another image is there; tests/run has built it already.
    made.wait_for_image("full")
    yield made
    made.uninstall()
