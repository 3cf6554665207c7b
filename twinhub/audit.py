"""Who did what, and whether it was allowed: JSON lines that are only ever appended to.

Each account that runs a part writes to a folder of its own below `audit/`, so
no part can change what another wrote; `twinhub audit` shows all of them as one.
The library's log of assets has a file per owner, see `libms.audit`.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twinhub.logging import cut, request_id
from twinhub.places import Places

FOLDERS: Final = {"hub": "hub", "web": "services", "libms": "services", "realtime": "realtime"}
"""Which folder a part writes to; all others run as root."""
WRITERS: Final = ("hub", "services", "realtime", "root")
"""All of these folders."""
OPERATOR: Final = "operator"
LONGEST: Final = 300

log = logging.getLogger("audit")


@dataclass(frozen=True)
class Deed:
    """One thing that somebody did."""

    user: str
    """Account, `service:NAME`, or `operator:NAME` for whoever ran a command on the server."""
    action: str
    """Such as `sign_in` or `token.made`."""
    about: str = ""
    """Whom or what it concerned."""
    ok: bool = True
    detail: str = ""
    address: str = ""
    """Where the request came from."""

    def as_row(self, part: str) -> dict[str, Any]:
        """Give what is written: every value bounded, empty ones left out."""
        row: dict[str, Any] = {"time": round(time.time(), 3), "part": part, "ok": self.ok}
        named = {"user": self.user, "action": self.action, "about": self.about, "detail": self.detail}
        named |= {"address": self.address, "request": request_id.get()}
        return row | {name: cut(value, LONGEST) for name, value in named.items() if value}


def audit_file(places: Places, part: str) -> Path:
    """Name the file to which a part appends."""
    return places.audit / FOLDERS.get(part, "root") / f"{part}.jsonl"


def record(places: Places, part: str, deed: Deed) -> None:
    """Append one line in one write. Where the disk is full the deed goes to the process's log and nothing stops."""
    row = deed.as_row(part)
    try:
        _append(audit_file(places, part), json.dumps(row).encode() + b"\n")
    except OSError as error:
        log.warning("not in the audit log (%s): %s", error.strerror, json.dumps(row))


def _append(file: Path, line: bytes) -> None:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(file, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line  # a full disk has torn the one before
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
