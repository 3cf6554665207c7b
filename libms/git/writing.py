"""Put, make and move assets, each by one commit."""

from __future__ import annotations

import shutil
from pathlib import Path

from libms.access import not_found
from libms.errors import Changed, Exists, PathRefused
from libms.git import staged
from libms.git.commits import commit, transfer
from libms.git.drafts import Draft
from libms.git.mirror import translated
from libms.git.mirrors import Mirrors
from libms.git.reading import View, etag
from libms.git.trees import Item, refuse_reserved
from libms.paths import AssetPath


class Writing:
    """Changes that need no trash; see libms.backend.Backend for the contract."""

    def __init__(self, mirrors: Mirrors) -> None:
        self._mirrors = mirrors

    def make_folder(self, path: AssetPath, by: str) -> None:
        if not path.names:
            raise PathRefused(f"'{path}' is an owner's folder.", "Name something in it.")
        refuse_reserved(path)

        def plan(draft: Draft) -> None:
            refuse_taken(draft, path)
            draft.put_folder(path)

        commit(self._mirrors.of(path), by, f"Make {path}", plan)

    def place(self, aside: Path, path: AssetPath, by: str, *, replace: bool, if_match: str | None) -> None:
        refuse_fixed(path)
        refuse_reserved(path)
        mirror = self._mirrors.of(path)
        with translated(mirror):
            # Compressing a large file takes long, so it is done before anybody else has to wait.
            item = staged.store(mirror.commands, mirror.objects, aside, path)

        def plan(draft: Draft) -> None:
            there = draft.find(path)
            if if_match is not None and (there is None or etag(there) != if_match):
                raise Changed(f"'{path}' was changed by somebody else meanwhile.", "Load it again before saving.")
            free = replace or if_match is not None
            if not (there is not None and free and item.is_file and there.git_type == b"blob"):
                refuse_taken(draft, path)
            draft.put(path, item)

        commit(mirror, by, f"Store {path}", plan)
        if aside.is_dir():
            shutil.rmtree(aside)
        else:
            aside.unlink()

    def move(self, source: AssetPath, target: AssetPath, by: str) -> None:
        for path in (source, target):
            refuse_fixed(path)
        refuse_reserved(target)
        if target.owner != source.owner:
            self._move_to_owner(source, target, by)
            return
        if target.names[: len(source.names)] == source.names:
            raise PathRefused(f"'{source}' cannot be moved into itself.", "Choose another target.")

        def plan(draft: Draft) -> None:
            item = present(draft, source)
            refuse_taken(draft, target)
            draft.put(target, item)
            draft.remove(source)

        commit(self._mirrors.of(source), by, f"Move {source} to {target}", plan)

    def _move_to_owner(self, source: AssetPath, target: AssetPath, by: str) -> None:
        """Copy first, then take away: whatever ends this in between, nothing is lost."""
        giver, taker = self._mirrors.of(source), self._mirrors.of(target)
        with translated(giver):
            item = View(giver, giver.written(giver.refresh()), latest=True).item(source)
            if not (item.is_file or item.is_folder):
                raise PathRefused(f"'{source}' is a link.", "Links stay where they are: what they lead to is there.")
            transfer(giver, taker, item)

        def give(draft: Draft) -> None:
            refuse_taken(draft, target)
            draft.put(target, item)

        def take(draft: Draft) -> None:
            if present(draft, source) != item:
                raise Changed(
                    f"'{source}' was changed by somebody else meanwhile.", f"It stays, and a copy is at '{target}'."
                )
            draft.remove(source)

        words = f"Move {source} to {target}"
        commit(taker, by, words, give)
        commit(giver, by, words, take)


def refuse_fixed(path: AssetPath) -> None:
    """Refuse to move, replace or delete what every owner's layout has."""
    if path.fixed:
        raise PathRefused(f"'{path}' is part of everybody's layout and stays.", "Choose something in it.")


def refuse_taken(draft: Draft, path: AssetPath) -> None:
    """Refuse to put something new where something stands; raises Exists, NotAFolder."""
    if path.fixed or draft.find(path) is not None:
        raise Exists(f"'{path}' exists already.", "Choose another name, or delete it first.")


def present(draft: Draft, path: AssetPath) -> Item:
    """Give what is at a path; raises AssetNotFound, NotAFolder."""
    item = draft.find(path)
    if item is None:
        raise not_found(path)
    return item
