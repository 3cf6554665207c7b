"""Files that Traefik reads while they are written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

HEAD = "# Written by 'twinhub up' from twinhub.yaml; changes made here are overwritten.\n"


def write_yaml(file: Path, content: dict[str, Any]) -> None:
    """Replace a file whole, and only when it changes, so that a watching Traefik never reads half of it."""
    replace(file, (HEAD + yaml.safe_dump(content, sort_keys=False)).encode(), mode=0o644)


def replace(file: Path, content: bytes, *, mode: int, group_id: int | None = None) -> bool:
    """Give a file this content, for root and at most one group; tell whether it had another before."""
    if file.exists() and file.read_bytes() == content and file.stat().st_mode & 0o7777 == mode:
        return False
    descriptor, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        if group_id is not None and os.getuid() == 0:
            os.fchown(stream.fileno(), 0, group_id)
        os.fchmod(stream.fileno(), mode)
    Path(part).rename(file)
    return True
