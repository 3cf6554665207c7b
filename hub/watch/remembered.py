"""What the watch must not forget when it is restarted, in one small file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from hub.watch.rules import Heard
from hub.watch.watched import Watched
from twinhub.workspace_state import parse_time, read_note, write_note

BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Memory:
    """Of one workspace. Times are of the monotonic clock, which goes on until the next boot."""

    pid: int = 0
    stamp: str = ""
    used: float = 0.0
    wish: str = ""
    kept_until: float | None = None
    warned: float | None = None
    last_oom: str = ""
    tolerated_bytes: int | None = None


KEYS: Final = frozenset(field.name for field in fields(Memory))


def memory_of(watched: Watched) -> Memory:
    """Give what is worth remembering."""
    return Memory(
        pid=watched.container.pid,
        stamp=watched.heard.stamp.isoformat() if watched.heard else "",
        used=watched.used,
        wish=watched.wish.isoformat() if watched.wish else "",
        kept_until=watched.kept_until,
        warned=watched.warned,
        last_oom=watched.last_oom.isoformat() if watched.last_oom else "",
        tolerated_bytes=watched.tolerated_bytes,
    )


def recall(watched: Watched, memory: Memory) -> None:
    """Go on where an earlier watch stopped; of another run of the container only what was tolerated holds."""
    watched.tolerated_bytes = memory.tolerated_bytes
    if memory.pid != watched.container.pid:
        return
    stamp = parse_time(memory.stamp)
    watched.heard = Heard(stamp, memory.used) if stamp else None
    watched.wish, watched.kept_until = parse_time(memory.wish), memory.kept_until
    watched.warned, watched.last_oom = memory.warned, parse_time(memory.last_oom)


def write_memories(file: Path, memories: Mapping[str, Memory]) -> None:
    """Replace what is remembered."""
    kept = {name: asdict(memory) for name, memory in memories.items()}
    write_note(file, json.dumps({"boot": _boot(), "workspaces": kept}))


def read_memories(file: Path) -> dict[str, Memory]:
    """Give what is remembered; after a boot only what does not hang on the clock."""
    try:
        content: dict[str, Any] = json.loads(read_note(file) or "{}")
        kept = {
            str(name): Memory(**{key: value for key, value in row.items() if key in KEYS})
            for name, row in content.get("workspaces", {}).items()
        }
        same_boot = content.get("boot") == _boot()
    except (ValueError, TypeError, AttributeError):
        return {}
    if same_boot:
        return kept
    return {name: Memory(tolerated_bytes=memory.tolerated_bytes) for name, memory in kept.items()}


def _boot() -> str:
    return BOOT.read_text().strip()
