"""The platform's own tools, put into `common/tools` as assets that people may read, copy and take.

Runs as the workspaces' account (`python -m twinhub.operate.common_tools …`), not as
root: everybody who may write to `common` can have put a link where a folder was.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from twinhub.errors import PublicError
from twinhub.names import COMMON
from twinhub.places import Places

SOURCE: Final = Path(__file__).parents[2] / "tools"
RECORD: Final = "common-tools.json"
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
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, str(places.files / COMMON / "tools"), str(places.library / RECORD)],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        user=account,
        group=account,
        extra_groups=None if account is None else [],
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CommonToolsNotGiven(
            f"The platform's tools could not be put into {places.files / COMMON / 'tools'}: {last}.",
            "Look at the folder's owner and at free space, then run 'twinhub up' again.",
        )


def give_tools(source: Path, target: Path, record_file: Path) -> None:
    """Copy every tool that was never given, and replace those that are still as they were given."""
    record: dict[str, str] = json.loads(record_file.read_text()) if record_file.exists() else {}
    for tool in sorted(entry for entry in source.iterdir() if (entry / "asset.yaml").is_file()):
        place = target / tool.name
        given = record.get(tool.name)
        wanted = _digest(tool)
        if given == wanted or (given is None and place.exists()):
            continue
        if given is None or (place.is_dir() and _digest(place) == given):
            _replace(tool, place)
            record[tool.name] = wanted
            part = record_file.with_suffix(".part")
            part.write_text(json.dumps(record, indent=1))
            part.replace(record_file)


def _replace(tool: Path, place: Path) -> None:
    """Put a copy in place whole; what was there goes only when the copy is ready."""
    place.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as aside:
        made = Path(aside) / tool.name
        shutil.copytree(tool, made, ignore=IGNORED)
        if place.is_dir():
            place.rename(Path(aside) / "before")
        made.rename(place)


def _digest(folder: Path) -> str:
    """Give a digest of names and contents, without what using the tool leaves behind."""
    digest = hashlib.sha256()
    for place, names, files in os.walk(folder):
        left_out = IGNORED(place, [*names, *files])
        names[:] = sorted(set(names) - left_out)
        for name in sorted(set(files) - left_out):
            file = Path(place) / name
            digest.update(f"{file.relative_to(folder)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    give_tools(SOURCE, Path(sys.argv[1]), Path(sys.argv[2]))
