"""Another configuration for a while, on the platform that all tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.installation import Installation
from twinhub.operate.install import write_settings


@contextmanager
def configured(installation: Installation, changes: dict[str, Any]) -> Iterator[None]:
    """Set keys by their dotted names, as an operator does in twinhub.yaml, and take them back."""
    file = installation.places.settings_file
    before = file.read_text()
    write_settings(file, changes)
    try:
        installation.twinhub("up")
        yield
    finally:
        file.write_text(before)
        installation.twinhub("up")
