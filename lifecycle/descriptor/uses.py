"""Assets that a twin is made of, as its descriptor names them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecycle.places import Places

CATEGORIES: Final = ("data", "models", "functions", "tools")
COMMON: Final = "common"
LONGEST_PATH: Final = 1000
LONGEST_NAME_BYTES: Final = 255
VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}")
DOUBLE_ENDINGS: Final = (".tar.gz", ".tar.xz", ".tar.bz2", ".nii.gz", ".csv.gz")


@dataclass(frozen=True, slots=True)
class Use:
    """One asset."""

    category: str
    path: str
    """As written, without the version: below the category for own assets, else common/CATEGORY/…"""
    version: str | None = None

    @property
    def asset(self) -> str:
        """Its asset path without the version: CATEGORY/… or common/CATEGORY/…"""
        whole = self.path.startswith((f"{COMMON}/", f"{self.category}/"))
        return self.path if whole else f"{self.category}/{self.path}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """Asset paths under which a version may stand: a file's goes before its ending when it was published."""
        if self.version is None:
            return (self.asset,)
        folder, _, name = self.asset.rpartition("/")
        stem, ending = split_ending(name)
        plain = f"{self.asset}@{self.version}"
        return (plain, f"{folder}/{stem}@{self.version}{ending}") if ending else (plain,)

    def place(self, places: Places) -> Path:
        """Give its file or folder in the workspace, whether or not it is there."""
        candidates = [places.workspace / spelling for spelling in self.spellings]
        return next((place for place in candidates if os.path.exists(place)), candidates[0])  # noqa: PTH110 - pathlib raises where a folder is closed

    def as_json(self, places: Places) -> dict[str, Any]:
        """Give what pages and programs see."""
        place = self.place(places)
        return {
            "category": self.category,
            "path": self.path,
            "version": self.version,
            "place": place.relative_to(places.workspace).as_posix(),
            "there": os.path.exists(place),  # noqa: PTH110
        }


def split_version(written: str) -> tuple[str, str | None]:
    """Divide PATH@VERSION; a path without a version has none."""
    path, at, version = written.rpartition("@")
    return (path, version) if at and path and VERSION.fullmatch(version) else (written, None)


def split_ending(name: str) -> tuple[str, str]:
    """Divide a file's name into stem and ending, dot included."""
    for double in DOUBLE_ENDINGS:
        if name.lower().endswith(double) and len(name) > len(double):
            return name[: -len(double)], name[-len(double) :]
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    return stem, ending


def path_fault(path: str) -> str | None:
    """Say what keeps a text from being a path below the workspace or a twin; None when it is one."""
    if not path or path != path.strip():
        return "is empty, or begins or ends with a space"
    if len(path) > LONGEST_PATH or not path.isprintable():
        return "is too long, or holds signs that names have not"
    if any(len(name.encode()) > LONGEST_NAME_BYTES for name in path.split("/")):
        return f"holds a name of more than {LONGEST_NAME_BYTES} bytes"
    if path.startswith(("/", "~")):
        return "is not relative"
    if any(name in ("", ".", "..") for name in path.split("/")):
        return "holds '..', '.' or an empty name"
    return None


def use_fault(category: str, path: str) -> str | None:
    """Say what keeps a path from being that of an asset of this category; None when it is one."""
    if (fault := path_fault(path)) is not None:
        return fault
    names = path.split("/")
    if names[0] == COMMON and (len(names) < 3 or names[1] != category):
        return f"is no asset of this kind; common ones are {COMMON}/{category}/NAME"
    return None
