"""Set a twin's outputs aside while a replay writes in their place, and put them back whatever happens."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from lifecycle.state.batches import sync
from lifecycle.state.errors import ContentMissing
from lifecycle.state.manifests import write_json
from lifecycle.state.swapping import clear


def place_beside(outputs: Path, purpose: str) -> Path:
    """Give the place beside the outputs for one purpose; always the same one."""
    return outputs.parent / f".{purpose}-{hashlib.sha256(os.fsencode(outputs.name)).hexdigest()[:12]}"


def set_aside(note: Path, outputs: Path, prepared: Path, result: Path) -> None:
    """Let a prepared folder take the place of the outputs; `result` is where it goes afterwards."""
    kept = place_beside(outputs, "set-aside")
    there = os.path.lexists(outputs)
    write_json(
        note,
        {"outputs": str(outputs), "kept": str(kept), "prepared": str(prepared), "result": str(result), "there": there},
    )
    sync(note.parent)
    if there:
        outputs.rename(kept)
    prepared.rename(outputs)


def put_back(note: Path) -> None:
    """Put the outputs back, and what the replay wrote where it belongs; from wherever it was left."""
    try:
        about: dict[str, Any] = json.loads(note.read_bytes())
        outputs, kept, prepared, result = (Path(about[name]) for name in ("outputs", "kept", "prepared", "result"))
        there = bool(about["there"])
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError) as error:
        raise ContentMissing(f"The note {note} is damaged.", "Look beside the outputs, and remove it.") from error
    began = os.path.lexists(kept) if there else not os.path.lexists(prepared)
    if began and not os.path.lexists(prepared) and os.path.lexists(outputs):
        clear(result)
        result.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(outputs, result)
    if os.path.lexists(kept):
        kept.rename(outputs)
        sync(outputs.parent)
    clear(prepared)
    note.unlink()
