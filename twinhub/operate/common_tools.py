"""The platform's own tools, put into `common/tools` as assets that people may read, copy and take.

Runs as the workspaces' account (`python -m twinhub.operate.common_tools …`), not as
root: everybody who may write to `common` can have put a link where a folder was, and
that account may write to everybody's files. So no link is followed, and nothing is
read that is no ordinary file of the size of a tool.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from twinhub.errors import PublicError
from twinhub.names import COMMON
from twinhub.places import Places

SOURCE: Final = Path(__file__).parents[2] / "tools"
RECORD: Final = "common-tools.json"
MOST_ENTRIES: Final = 10_000
LARGEST_TOOL_BYTES: Final = 64 * 1024 * 1024
TIME_LIMIT_S: Final = 60.0
IGNORED: Final = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "build", ".*")


class CommonToolsNotGiven(PublicError):
    """The tools could not be put into the shared library."""

    code = "common_tools_not_given"
    status = 500


def ensure_common_tools(places: Places) -> None:
    """See that `common` holds the tools of this version; changed and deleted ones are left as people made them."""
    if places.settings.library.backend != "disk":
        return  # a repository gets its assets by commits, which are its owners' business
    account = places.settings.workspace_user_id if os.getuid() == 0 else None
    place = places.files / COMMON / "tools"
    try:
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, str(place), str(places.library / RECORD)],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT_S,
            user=account,
            group=account,
            extra_groups=None if account is None else [],
        )
    except subprocess.TimeoutExpired as error:
        raise CommonToolsNotGiven(
            f"The platform's tools could not be put into {place} within {TIME_LIMIT_S:g} s.",
            "Look at what is in the folder, then run 'twinhub up' again.",
        ) from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CommonToolsNotGiven(
            f"The platform's tools could not be put into {place}: {last}.",
            "Look at the folder's owner and at free space, then run 'twinhub up' again.",
        )


def give_tools(source: Path, target: Path, record_file: Path) -> None:
    """Copy every tool that was never given, and replace those that are still as they were given.

    Raises OSError where a link stands in place of `target` or of the folder above it.
    """
    record = _read_record(record_file)
    descriptor = _open_folder(target)
    try:
        # However `target` is replaced from now on, this stays the folder that was opened.
        opened = Path(f"/proc/self/fd/{descriptor}")
        for tool in sorted(entry for entry in source.iterdir() if (entry / "asset.yaml").is_file()):
            place = opened / tool.name
            given = record.get(tool.name)
            wanted = _digest(tool)
            there = os.path.lexists(place)
            if wanted is None or given == wanted:
                continue
            # Killed between the two, an earlier run has put the tool there and not recorded it.
            unrecorded = given is None and there and _digest(place) == wanted
            if unrecorded or (given is None and not there) or (given is not None and _digest(place) == given):
                if not unrecorded:
                    _replace(tool, place)
                record[tool.name] = wanted
                part = record_file.with_suffix(".part")
                part.write_text(json.dumps(record, indent=1))
                part.replace(record_file)
    finally:
        os.close(descriptor)


def _read_record(file: Path) -> dict[str, str]:
    """Give each tool's digest as it was given; a damaged record only means that nothing is known."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in content.items()} if isinstance(content, dict) else {}


def _open_folder(target: Path) -> int:
    """Open `common/tools`, made where it is missing, through no link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    common = os.open(target.parent, flags)
    try:
        with suppress(FileExistsError):
            os.mkdir(target.name, dir_fd=common)
        return os.open(target.name, flags, dir_fd=common)
    finally:
        os.close(common)


def _replace(tool: Path, place: Path) -> None:
    """Put a copy in place whole; what was there goes only when the copy is ready."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as aside:
        made = Path(aside) / tool.name
        shutil.copytree(tool, made, ignore=IGNORED)
        if os.path.lexists(place):
            place.rename(Path(aside) / "before")
        made.rename(place)


def _digest(folder: Path) -> str | None:
    """Give a digest of names and contents, without what using the tool leaves behind; None for what is no tool."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    digest = hashlib.sha256()
    entries = size = 0
    for place, names, files in os.walk(folder):
        left_out = IGNORED(place, [*names, *files])
        names[:] = sorted(set(names) - left_out)
        entries += len(names) + len(files)
        for name in sorted(set(files) - left_out):
            file = Path(place) / name
            content = _read(file, LARGEST_TOOL_BYTES - size)
            if content is None:
                return None
            size += len(content)
            digest.update(f"{file.relative_to(folder)}\0".encode(errors="surrogateescape"))
            digest.update(hashlib.sha256(content).digest())
        if entries > MOST_ENTRIES:
            return None
    return digest.hexdigest()


def _read(file: Path, most: int) -> bytes | None:
    """Read an ordinary file; None for a link, pipe or device, and for one that is too large."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = stream.read(most + 1)
    return content if len(content) <= most else None


if __name__ == "__main__":
    give_tools(SOURCE, Path(sys.argv[1]), Path(sys.argv[2]))
