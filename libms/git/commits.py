"""Turn changes into commits that the remote repository accepts, whoever else commits at the same time."""

from __future__ import annotations

import random
import re
import subprocess
import time
from collections.abc import Callable
from typing import Final, TypeVar

from libms.errors import BackendUnreachable
from libms.git.commands import GitFailed
from libms.git.drafts import Draft, store_blob
from libms.git.mirror import Mirror, translated
from libms.git.trees import Item

TRIES: Final = 30
LONGEST_PAUSE_S: Final = 1.0
DOMAIN: Final = "users.noreply.twinhub"
PLATFORM: Final = "Twinhub"

Result = TypeVar("Result")
Plan = Callable[[Draft], Result]
"""Change a draft, or raise what speaks against it. Made again for every new head."""
Ready = Callable[[str | None, str], None]
"""Told the head before and the new commit, before anybody else learns of it."""


def commit(mirror: Mirror, by: str, words: str, plan: Plan[Result], ready: Ready | None = None) -> Result:
    """Make a change on the branch's head; raises what the plan raises, BackendUnreachable."""
    for attempt in range(TRIES):
        with mirror.lock, translated(mirror):
            head = mirror.written(mirror.refresh())
            tree = mirror.tree(head)
            draft = Draft(mirror.objects, tree, lambda: store_blob(mirror.commands, b""))
            result = plan(draft)
            changed = draft.write(mirror.commands)
            if changed == tree:
                return result
            made = _make(mirror, changed, head, by, words)
            if ready is not None:
                ready(head, made)
            if mirror.push(made, head):
                return result
        time.sleep(random.uniform(0.0, min(0.02 * 2.0**attempt, LONGEST_PAUSE_S)))  # noqa: S311 - spreads retries
    raise BackendUnreachable(
        f"The git repository of '{mirror.owner}' is changed so often that this change found no gap.", "Try again."
    )


def _make(mirror: Mirror, tree: str, parent: str | None, by: str, words: str) -> str:
    author = re.sub(r"[^\w.@+-]", "_", by) or "nobody"
    environment = {
        "GIT_AUTHOR_NAME": author,
        "GIT_AUTHOR_EMAIL": f"{author}@{DOMAIN}",
        "GIT_COMMITTER_NAME": PLATFORM,
        "GIT_COMMITTER_EMAIL": f"{PLATFORM.lower()}@{DOMAIN}",
    }
    parents = ["-p", parent] if parent else []
    # Names may hold line breaks; a subject has one line.
    message = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", "\ufffd", words).encode()
    made = mirror.commands.run("commit-tree", *parents, "-F", "-", tree, stdin=message, environment=environment)
    return str(made.strip(), "ascii")


def transfer(source: Mirror, target: Mirror, item: Item) -> None:
    """Bring a file or folder with all that is in it from one mirror's objects into another's; raises GitFailed."""
    packing = source.commands.start("pack-objects", "--revs", "--stdout", "--quiet", stdin=subprocess.PIPE)
    packing.stdin.write(f"{item.id}\n".encode("ascii"))
    packing.stdin.close()
    unpacking = target.commands.start("index-pack", "--stdin", stdin=packing.stdout)
    _, printed = unpacking.communicate()
    packing.stdout.close()
    if packing.proc.wait() != 0 or unpacking.returncode != 0:
        raise GitFailed("index-pack", -1, b"", printed)
