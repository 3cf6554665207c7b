"""Read what describes an asset: its card, README, preview, model, twin."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from libms.assets import Assets
from libms.descriptions.card import Card, read_card
from libms.descriptions.fmu import Fmu, read_fmu
from libms.descriptions.media import is_text, media_type
from libms.descriptions.tables import Table, read_table
from libms.descriptions.twin import TwinDescription, read_twin
from libms.errors import AssetNotFound, NotAFile, NotAFolder
from libms.models import EntryType
from libms.paths import AssetPath
from twinhub.names import Category

README: Final = "README.md"
CARD: Final = "asset.yaml"
DESCRIPTOR: Final = "twin.yaml"
LARGEST_README_BYTES: Final = 256 * 1024
LARGEST_CARD_BYTES: Final = 64 * 1024
HEAD_BYTES: Final = 1024
TABLE_ENDINGS: Final = (".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a text."""

    text: str
    truncated: bool
    editable: bool
    """Whether this is the whole text, and UTF-8."""


class Reader:
    """Everything that only looks; whoever calls has checked that the person may."""

    def __init__(self, assets: Assets) -> None:
        self._backend = assets.backend

    def head(self, path: AssetPath, ref: str | None, size: int = HEAD_BYTES) -> bytes | None:
        """Give the first bytes of a file; None where there is none."""
        try:
            with self._backend.file(path, ref) as descriptor:
                return os.pread(descriptor, size, 0)
        except (AssetNotFound, NotAFile, NotAFolder):
            return None

    def _small_text(self, path: AssetPath, ref: str | None, limit: int) -> str | None:
        raw = self.head(path, ref, limit)
        return None if raw is None else raw.decode("utf-8", "replace")

    def readme(self, folder: AssetPath, ref: str | None) -> str | None:
        """Give a folder's README.md, cut at 256 kB."""
        return self._small_text(folder / README, ref, LARGEST_README_BYTES)

    def card(self, path: AssetPath, ref: str | None, *, folder: bool) -> Card:
        """Give what an asset says of itself; only folders have room for that."""
        if not folder:
            return read_card(None, None)
        return read_card(self.readme(path, ref), self._small_text(path / CARD, ref, LARGEST_CARD_BYTES))

    def media_type(self, path: AssetPath, ref: str | None) -> str:
        """Say what kind of file it is."""
        return media_type(path.name, self.head(path, ref) or b"")

    def preview(self, path: AssetPath, ref: str | None, limit: int) -> Preview | None:
        """Give the beginning of a text file; None where it is no text."""
        raw = self.head(path, ref, limit + 1)
        if raw is None or not is_text(raw[:HEAD_BYTES]):
            return None
        truncated = len(raw) > limit
        try:
            # A cut may fall into the middle of a character; that alone is no reason to call it broken.
            text = raw[:limit].decode("utf-8", "ignore" if truncated else "strict")
            return Preview(text, truncated, not truncated)
        except UnicodeDecodeError:
            return Preview(raw[:limit].decode("utf-8", "replace"), truncated, False)

    def table(self, path: AssetPath, ref: str | None, rows: int) -> Table | None:
        """Give the first rows of a CSV or TSV file; None for other files."""
        if not path.name.lower().endswith(TABLE_ENDINGS):
            return None
        with self._backend.file(path, ref) as descriptor:
            return read_table(descriptor, rows)

    def fmu(self, path: AssetPath, ref: str | None) -> Fmu | None:
        """Give a model's description; None for other files. Raises DescriptionUnreadable."""
        if not path.name.lower().endswith(".fmu"):
            return None
        with self._backend.file(path, ref) as descriptor:
            return read_fmu(descriptor)

    def twin(self, path: AssetPath, ref: str | None) -> TwinDescription | None:
        """Give a twin's descriptor and phases; None for what is no twin."""
        if path.category != Category.DIGITAL_TWINS or len(path.names) != 2:
            return None
        text = self._small_text(path / DESCRIPTOR, ref, LARGEST_CARD_BYTES)
        try:
            programs = self._backend.listing(path / "lifecycle", ref).blobs
        except (AssetNotFound, NotAFolder):
            programs = ()
        return read_twin(text, programs)

    def is_folder(self, path: AssetPath, ref: str | None) -> bool:
        """Tell a folder from a file; raises AssetNotFound."""
        return self._backend.about(path, ref).type is EntryType.TREE
