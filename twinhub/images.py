"""The workspace image's variants: their names, and what a container without root must be given."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Variant(StrEnum):
    """What a workspace can be made from, the one that is built first before the others."""

    MINIMAL = "minimal"
    FULL = "full"


def image_name(installation: str, variant: str) -> str:
    """Name the workspace image of an installation."""
    return f"{installation}-workspace:{Variant(variant)}"


def usable_images(installation: str, variant: str) -> tuple[str, ...]:
    """Name the images that a workspace of this variant can be made from, the wanted one first.

    While `full` is not built yet, `minimal` is used: take the first that is there.
    """
    wanted = Variant(variant)
    return tuple(dict.fromkeys(image_name(installation, one) for one in (wanted, Variant.MINIMAL)))


READ_ONLY_TMPFS: Final = {
    # exec: the libraries in FMUs are unpacked below /tmp and loaded from there.
    "/tmp": "rw,nosuid,nodev,exec,mode=1777,size=1g",  # noqa: S108 - a place in a container
    "/var/tmp": "rw,nosuid,nodev,exec,mode=1777,size=256m",  # noqa: S108
    # start-workspace writes the owner's account here, being nobody but the owner.
    "/run": "rw,nosuid,nodev,noexec,mode=1777,size=16m",
}
"""Folders in memory that a workspace with a read-only root needs, as `docker run --tmpfs` takes them.

Such a container is started as the workspace's user, without capabilities and
with no-new-privileges; its owner's home and files are mounted as always. What
lies in these folders counts as memory of the workspace.
"""
