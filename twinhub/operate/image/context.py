"""What the workspace image is made of, laid out for a build, and a digest of it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from twinhub.images import Variant
from twinhub.places import Places

SOURCE: Final = Path(__file__).parents[3]
MACHINE_AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
LOCKS: Final = (
    "workspace.lock",
    "workspace-user.lock",
    "workspace-user-full.lock",
    "workspace-build.lock",
    "workspace-node.lock",
)
OURS: Final = {
    "lifecycle": "lifecycle",
    "realtime": "realtime",
    "examples": "examples",
    "cosim": "tools/cosim",
    "this_twin": "workspace-image/this_twin",
    "workspace_server": "workspace-image/workspace_server",
}
"""What changes often, by its name below own/, which the last layers are made from."""

OF_THE_PLATFORM: Final = {"realtime": ("service",)}
"""Folders of these that no workspace has."""

ONLY_IN_FULL: Final = ("full/", "workspace-user-full.lock", "workspace-node.lock")


@contextmanager
def build_context(places: Places) -> Iterator[Path]:
    """Lay out the build context in a folder that is gone afterwards."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "build", "*.fmu")
    with tempfile.TemporaryDirectory(prefix="twinhub-image-") as folder:
        context = Path(folder)
        image = SOURCE / "workspace-image"
        for name in ("own", "full"):
            shutil.copytree(image / name, context / name, ignore=ignore)
        for name in ("Dockerfile", "pip.conf"):
            shutil.copy(image / name, context / name)
        for name, source in OURS.items():
            shutil.copytree(SOURCE / source, context / "own" / name, ignore=ignore)
            for part in OF_THE_PLATFORM.get(name, ()):
                shutil.rmtree(context / "own" / name / part)
        for lock in LOCKS:
            shutil.copy(SOURCE / "requirements" / lock, context / lock)
        shutil.copyfile(places.settings.ca_bundle or MACHINE_AUTHORITIES, context / "ca-certificates.crt")
        yield context


def digest(context: Path, variant: Variant, uid: int) -> str:
    """Give a digest of names, executable bits and contents of all that goes into one variant."""
    total = hashlib.sha256(f"uid={uid}".encode())
    for file in sorted(context.rglob("*")):
        name = str(file.relative_to(context))
        if file.is_file() and not (variant is Variant.MINIMAL and name.startswith(ONLY_IN_FULL)):
            executable = bool(file.stat().st_mode & 0o100)
            total.update(f"\0{name}\0{executable}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
