"""Log files stay within a room of their own; supervisord turns over those of the processes, upkeep the gateway's, this the rest."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twinhub.audit import WRITERS
from twinhub.places import Places

LARGEST_BYTES: Final = 10_000_000
AUDIT_BYTES: Final = 20_000_000
SETTLED_S: Final = 5.0
"""After which nobody still writes to a file that was put aside."""


def rotate(places: Places) -> None:
    """Turn over what has grown too large, then remove the oldest until all fit."""
    for file in (places.log / "supervisord.out", places.log / "web-build.log"):
        if _size(file) > LARGEST_BYTES:
            _copy_and_empty(file)
    rotate_audit(places)
    keep_within(places, places.settings.monitoring.logs_mb * 1_000_000)


def _size(file: Path) -> int:
    try:
        return file.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def _copy_and_empty(file: Path) -> None:
    """Turn over a file whose writer never opens it again; it appends, so it goes on at the new end."""
    older = file.with_name(f"{file.name}.1")
    shutil.copyfile(file, older)
    older.chmod(0o600)
    os.truncate(file, 0)


def rotate_audit(places: Places, largest_bytes: int = AUDIT_BYTES, settled_s: float = SETTLED_S) -> None:
    """Put aside, packed, what the audit log has too much of; nothing of it is ever removed."""
    archive = places.audit / "archive"
    for folder in WRITERS:
        for file in (places.audit / folder).glob("*.jsonl"):
            if not file.is_symlink() and _size(file) > largest_bytes:
                _pack(file, archive)
        for aside in (places.audit / folder).glob("*.jsonl.aside"):
            if time.time() - aside.stat(follow_symlinks=False).st_ctime >= settled_s:
                _pack_aside(aside, archive)


def _pack(file: Path, archive: Path) -> None:
    """Take a file away from its writer; who has it open writes its last line into what is packed a round later."""
    archive.mkdir(mode=0o700, exist_ok=True)
    aside = file.with_name(f"{file.name}.aside")
    if not aside.exists():
        file.rename(aside)


def _pack_aside(aside: Path, archive: Path) -> None:
    descriptor = os.open(aside, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as source:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        target = archive / f"{aside.name.removesuffix('.jsonl.aside')}-{stamp}.jsonl.gz"
        with gzip.open(target, "xb") as packed:
            shutil.copyfileobj(source, packed)
    target.chmod(0o600)
    aside.unlink()


def keep_within(places: Places, most_bytes: int) -> list[Path]:
    """Remove the oldest turned-over files until all logs fit; name them."""
    files = [file for file in _log_files(places) if file.is_file() and not file.is_symlink()]
    total = sum(_size(file) for file in files)
    turned = sorted((f for f in files if f.suffix.removeprefix(".").isdigit()), key=lambda f: f.stat().st_mtime)
    gone = []
    for file in turned:
        if total <= most_bytes:
            break
        total -= _size(file)
        file.unlink()
        gone.append(file)
    return gone


def _log_files(places: Places) -> Iterator[Path]:
    for folder in (places.log, places.access_log.parent):
        if folder.is_dir():
            yield from folder.iterdir()
