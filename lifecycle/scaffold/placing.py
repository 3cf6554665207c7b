"""Put new files and folders where nothing is: each appears whole, all of them or none."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from lifecycle.errors import TwinError

LEFT_OUT: Final = ("__pycache__", "*.pyc", ".ipynb_checkpoints")


class NotMade(TwinError):
    """The twin could not be made; nothing was left behind."""

    code = "twin_not_made"
    status = 507


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file to be written."""

    text: str
    program: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that is to appear: a copy, with some texts written over it, or texts alone."""

    target: Path
    source: Path | None = None
    texts: Mapping[str, TextFile] = field(default_factory=dict)
    """By path below the target."""


class Placing:
    """Prepares pieces aside, in hidden folders beside their targets, and lets them appear at the end."""

    def __init__(self) -> None:
        self._prepared: list[tuple[Path, Path]] = []
        self._placed: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for aside, _ in self._prepared:
            _remove(aside)
        if error is not None:
            for target in reversed(self._placed):
                _remove(target)
        if isinstance(error, OSError):
            why = error.strerror or str(error)
            raise NotMade(
                f"The twin could not be made: {why}.", "Free some space or rights, then try again."
            ) from error

    def prepare(self, piece: Piece) -> None:
        """Make a piece aside."""
        piece.target.parent.mkdir(parents=True, exist_ok=True)
        aside = piece.target.parent / f".new-{secrets.token_hex(8)}"
        self._prepared.append((aside, piece.target))
        if piece.source is None:
            aside.mkdir()
        elif piece.source.is_dir():
            # Modes and contents, not times: what is new was made now.
            shutil.copytree(
                piece.source, aside, symlinks=True, copy_function=shutil.copy, ignore=shutil.ignore_patterns(*LEFT_OUT)
            )
        else:
            shutil.copy(piece.source, aside)
        for name, file in piece.texts.items():
            _write(aside / name, file)

    def commit(self) -> None:
        """Let everything appear, in the order of its preparation. Raises FileExistsError where something is by now."""
        for aside, target in self._prepared:
            if aside.is_dir():
                if os.path.lexists(target):
                    raise FileExistsError(17, f"{target} has just been made by somebody else")
                aside.rename(target)
            else:
                os.link(aside, target)  # unlike a rename, it refuses to replace
            self._placed.append(target)


def _write(place: Path, file: TextFile) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_text(file.text, encoding="utf-8", newline="")
    place.chmod(0o755 if file.program else 0o644)


def _remove(place: Path) -> None:
    with suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
