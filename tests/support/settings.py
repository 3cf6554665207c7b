"""A platform with other settings for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from tests.support.installation import Installation


@contextmanager
def changed_settings(installation: Installation, **sections: dict[str, Any]) -> Iterator[None]:
    """Add keys to sections of twinhub.yaml and apply them; take them back at the end."""
    file = installation.places.settings_file
    before = file.read_text()
    content = yaml.safe_load(before) or {}
    file.write_text(
        yaml.safe_dump({**content, **{key: {**content.get(key, {}), **new} for key, new in sections.items()}})
    )
    try:
        installation.twinhub("up")
        yield
    finally:
        file.write_text(before)
        installation.twinhub("up")
