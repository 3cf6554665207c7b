"""What a repository's branches and tags are at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from libms.git.commands import Commands
from libms.models import Ref

HEADS: Final = "refs/heads/"
TAGS: Final = "refs/tags/"


@dataclass(frozen=True)
class Snapshot:
    """What a repository held at one moment."""

    refs: dict[str, str]
    """Branches and tags by full name."""
    head: str | None
    """The commit of the branch that is written to; None in a repository without any."""
    others: list[str] = field(default_factory=list)
    """What is there instead when the branch is missing."""

    @property
    def revision(self) -> str:
        """What changes with every change of the branch."""
        return self.head or "empty"

    def listed(self) -> list[Ref]:
        """Name branches and tags, each kind sorted by bytes."""
        names = sorted(self.refs, key=str.encode)
        branches = [Ref(name.removeprefix(HEADS), "branch") for name in names if name.startswith(HEADS)]
        return branches + [Ref(name.removeprefix(TAGS), "tag") for name in names if name.startswith(TAGS)]


def read_refs(commands: Commands, branch: str) -> Snapshot:
    """Read the branches and tags of a mirror; raises GitFailed."""
    refs = parse_refs(commands.run("for-each-ref", "--format=%(objectname)%09%(refname)", HEADS, TAGS))
    head = refs.get(HEADS + branch)
    others = [name.removeprefix(HEADS) for name in refs if name.startswith(HEADS)] if head is None else []
    return Snapshot(refs, head, others)


def parse_refs(printed: bytes) -> dict[str, str]:
    """Read lines of an id, a tabulator and a name. Names that are not UTF-8 cannot be asked for, and are left out."""
    refs = {}
    for line in printed.split(b"\n"):
        object_id, _, name = line.partition(b"\t")
        if object_id and _is_text(name):
            refs[name.decode()] = object_id.decode("ascii")
    return refs


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
