"""What README.md and asset.yaml say about an asset, cut to what a search needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from libms.descriptions.card import read_card

README: Final = b"README.md"
ASSET_YAML: Final = b"asset.yaml"
LONGEST_FILE_BYTES: Final = 64 * 1024
"""Of longer files only the beginning is read."""
LONGEST_README: Final = 16 * 1024
LONGEST_TITLE: Final = 300
LONGEST_DESCRIPTION: Final = 2_000
MOST_TAGS: Final = 32
LONGEST_TAG: Final = 64

_FRONT_MATTER: Final = re.compile(r"\ufeff?---[ \t]*\r?\n.*?^(---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Described:
    """What an asset is found by, beside its name."""

    title: str
    description: str
    tags: tuple[str, ...]
    readme: str


BLANK: Final = Described("", "", (), "")


def describe(readme: bytes | None, asset_yaml: bytes | None) -> Described:
    """Read the card; never fails, whatever people write."""
    text, yaml = _text(readme), _text(asset_yaml)
    card = read_card(text, yaml)
    tags = tuple(dict.fromkeys(filter(None, (_clean(tag, LONGEST_TAG) for tag in card.tags[:MOST_TAGS]))))
    title, description = _clean(card.title, LONGEST_TITLE), _clean(card.description, LONGEST_DESCRIPTION)
    return Described(title, description, tags, (text or "")[:LONGEST_README])


def makes_asset(readme: bytes | None, asset_yaml: bytes | None) -> bool:
    """Tell whether a deeper folder is an asset by itself."""
    return asset_yaml is not None or (readme is not None and _FRONT_MATTER.match(_text(readme) or "") is not None)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")


def _clean(text: str | None, longest: int) -> str:
    """Cut, and replace what UTF-8 cannot carry: YAML can escape half a surrogate pair."""
    return (text or "").strip()[:longest].encode("utf-8", "replace").decode()
