"""Put prepared folders in the place of others, so that a kill at any moment loses neither.

What is to happen is written down first. Whoever comes next after a kill finds the
note and finishes the work: by the numbers of the folders on disk it knows which
of them stand where already.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lifecycle.state.batches import sync, sync_file_system
from lifecycle.state.errors import ContentMissing
from lifecycle.state.manifests import write_json

AT_FDCWD: Final = -100
RENAME_EXCHANGE: Final = 2


@dataclass(frozen=True)
class Swap:
    """One folder that takes the place of another."""

    target: str
    aside: str
    """The prepared folder; where folders can be exchanged, the old one lies here afterwards."""
    inode: int
    """Of the prepared folder; 0 when nothing comes in the target's place."""
    carried: tuple[str, ...] = ()
    """What moves from the old folder into the new one: environments and caches, which no snapshot holds."""

    @property
    def old(self) -> str:
        """Where the old folder lies meanwhile, where folders cannot be exchanged."""
        return f"{self.aside}-old"


def aside_of(target: Path) -> Path:
    """Give the place beside a folder where its successor is prepared; always the same one."""
    return target.parent / f".restoring-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}"


def plan_swap(target: Path, aside: Path, carried: Sequence[str]) -> Swap:
    """Describe the exchange of a folder for the prepared one, or for nothing when none was prepared."""
    inode = aside.stat().st_ino if aside.is_dir() else 0
    return Swap(str(target), str(aside), inode, tuple(carried))


def swap(journal: Path, swaps: Sequence[Swap]) -> None:
    """Write down what is to happen, do it, and take the note away."""
    for parent in {Path(swap.aside).parent for swap in swaps if swap.inode}:
        sync_file_system(parent)  # the prepared files, before anything points to them
    write_json(journal, [asdict(swap) for swap in swaps])
    sync(journal.parent)
    finish(journal)


def finish(journal: Path) -> bool:
    """Do what a note says, from wherever it was left; tell whether there was one."""
    try:
        swaps = [Swap(**{**about, "carried": tuple(about["carried"])}) for about in json.loads(journal.read_bytes())]
    except FileNotFoundError:
        return False
    except (ValueError, TypeError, KeyError) as error:
        raise ContentMissing(
            f"The note {journal} is damaged.", "Look at the folders it names, and remove it."
        ) from error
    for each in swaps:
        _put_in_place(each)
    for each in swaps:
        old = Path(each.old if os.path.lexists(each.old) else each.aside)
        if each.inode:
            _carry(old, Path(each.target), each.carried)
        with contextlib.suppress(FileNotFoundError):  # nothing came, and nothing was there
            sync(Path(each.target).parent)
    journal.unlink()
    sync(journal.parent)
    for each in swaps:
        clear(Path(each.aside))
    return True


def clear(aside: Path) -> None:
    """Remove what an exchange left beside a folder, read-only folders inside it too."""
    for folder in (aside, Path(f"{aside}-old")):
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.is_dir():
            folder.chmod(stat.S_IRWXU)
            for inner, names, _ in os.walk(folder):
                for name in names:
                    if not Path(inner, name).is_symlink():
                        Path(inner, name).chmod(stat.S_IRWXU)
            shutil.rmtree(folder)


def _put_in_place(each: Swap) -> None:
    target = Path(each.target)
    if not each.inode:
        if os.path.lexists(target) and not os.path.lexists(each.old):
            target.rename(each.old)
        return
    if _inode(each.target) == each.inode:
        return  # done before the kill
    if os.path.lexists(target):
        if _exchange(each.aside, each.target):
            return
        target.rename(each.old)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Without the prepared folder, which somebody took away, what was there comes back.
    Path(each.aside if os.path.lexists(each.aside) else each.old).rename(target)


def _inode(path: str) -> int | None:
    try:
        return Path(path).lstat().st_ino
    except FileNotFoundError:
        return None


def _exchange(one: str, other: str) -> bool:
    """Exchange two folders in one step; False where the file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2: Callable[..., int] | None = getattr(libc, "renameat2", None)
    return (
        renameat2 is not None
        and renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0
    )


def _carry(old: Path, new: Path, carried: Sequence[str]) -> None:
    for path in carried:
        source, target = old / path, new / path
        if source.is_dir() and not source.is_symlink() and not os.path.lexists(target):
            with contextlib.suppress(FileExistsError, NotADirectoryError):  # something else stands there now
                target.parent.mkdir(parents=True, exist_ok=True)
                with _writable(source.parent), _writable(target.parent):
                    source.rename(target)


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Let a folder be changed that forbids it."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(mode | stat.S_IRWXU)
    try:
        yield
    finally:
        folder.chmod(mode)
