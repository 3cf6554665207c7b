"""Names that a new twin may have."""

from __future__ import annotations

from typing import Final

from lifecycle.descriptor.problems import shown
from lifecycle.errors import TwinError
from lifecycle.places import Places

LONGEST_NAME_BYTES: Final = 255
RESERVED: Final = frozenset({"runs", "runner", "examples", "schema", "check", "events", "sweeps", "openapi.json"})
"""Words that stand where a twin's name stands in addresses of the API."""


class NameRefused(TwinError):
    """A new twin cannot have this name."""

    code = "twin_name_refused"


class TwinExists(TwinError):
    """There is a twin of this name."""

    code = "twin_exists"
    status = 409


def check_name(places: Places, name: str) -> None:
    """Refuse a name that is taken or cannot be one; raises NameRefused, TwinExists."""
    if (fault := name_fault(name)) is not None:
        raise NameRefused(f"{shown(name)} cannot be a twin's name: {fault}.", "Choose one such as water-tank.")
    place = places.twins / name
    if place.exists() or place.is_symlink():
        raise TwinExists(f"There is a twin {shown(name)} already.", "Choose another name; nothing is overwritten.")


def name_fault(name: str) -> str | None:
    """Say what keeps a text from being a twin's name; None when it is one."""
    faults = {
        "it is empty": not name,
        "it begins with '.' or '-'": name.startswith((".", "-")),
        "it begins or ends with a space": name != name.strip(),
        "it holds '/'": "/" in name,
        "it holds signs that cannot be seen": not name.isprintable(),
        f"it is longer than {LONGEST_NAME_BYTES} bytes": len(name.encode("utf-8", "replace")) > LONGEST_NAME_BYTES,
        "it is a word of the programming interface": name in RESERVED,
    }
    return next((words for words, wrong in faults.items() if wrong), None)
