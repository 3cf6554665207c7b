"""What operators do, into the audit log: commands that change something, and settings as they are applied."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path
from typing import Any, Final

from twinhub.audit import OPERATOR, Deed, record
from twinhub.places import Places
from twinhub.settings import Settings

LOOKING: Final = frozenset(
    {("status",), ("doctor",), ("logs",), ("audit",), ("config",), ("supervise",), ("upgrade", "status")}
)
LOOKING_VERBS: Final = frozenset({"list", "show", "verify", "status"})
LONGEST_VALUE: Final = 60


def operator_name() -> str:
    """Name whoever typed the command; behind sudo, the account that did."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return f"{OPERATOR}:{name}"


def note_command(data_dir: Path, words: list[str], problem: str) -> None:
    """Write down a command that changes something, and why it was refused if it was."""
    if changes_something(words) and (data_dir / "audit" / "root").is_dir():
        deed = Deed(operator_name(), "command", " ".join(words), ok=not problem, detail=problem)
        record(Places(data_dir, Settings()), OPERATOR, deed)


def changes_something(words: list[str]) -> bool:
    """Tell whether a command, given without options of `twinhub` itself, does more than look."""
    plain = [word for word in words if not word.startswith("-")]
    if not plain or "-h" in words or "--help" in words:
        return False
    return (plain[0],) not in LOOKING and not (len(plain) > 1 and plain[1] in LOOKING_VERBS)


def note_settings(places: Places) -> None:
    """Write down which settings differ from those that were applied last; secrets are never among them."""
    applied = places.audit / "root" / "settings.json"
    now = _flat(places.settings.model_dump(mode="json"))
    try:
        before = json.loads(applied.read_text())
    except (OSError, ValueError):
        before = None
    if now == before:
        return
    if before is not None:
        names = sorted({*now, *before})
        changed = [
            f"{name}: {_word(before.get(name))} → {_word(now.get(name))}"
            for name in names
            if now.get(name) != before.get(name)
        ]
        record(places, OPERATOR, Deed(operator_name(), "settings.changed", detail="; ".join(changed)))
    part = applied.with_suffix(".part")
    part.write_text(json.dumps(now))
    part.replace(applied)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _word(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
