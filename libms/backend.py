"""Where assets are kept: the contract that disk, git and GitLab fulfil alike.

tests/integration/backends/test_contract.py holds every backend to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

from libms.models import About, Entry, Found, Listing, Ref, Trashed
from libms.paths import AssetPath


class Backend(Protocol):
    """Assets of all owners, each owner's below a folder of their own.

    Every method blocks and may be called from any thread, from many at once.
    Who may do what is decided before (libms.access); a backend only keeps paths
    inside their owner's folder. Failures that people can act on are raised as
    the PublicErrors of libms.errors and name the asset's path, never a path of
    the host, an address with a password, or a program's output:

    - AssetNotFound: nothing is there, or a link leads out of the owner's folder;
      its text starts with "ENOENT: no such file or directory".
    - NotAFolder: a folder was asked for; starts with "ENOTDIR: not a directory".
    - NotAFile: a file was asked for; starts with "Error reading file".
    - Exists: something stands where something new was to be put.
    - Changed: the file is not the one that `if_match` names.
    - PathRefused: the layout that every owner has (`AssetPath.fixed`) cannot be
      moved, replaced or deleted; nothing can be moved into itself.
    - BackendUnreachable: a remote repository does not answer.

    `ref` names a branch, tag or commit; None is the state that is changed by
    writing. Backends without versions raise RefNotFound for any other.

    `by` is the account that changes something; backends that keep history
    record it as the author. A change appears whole or not at all, also when the
    process dies in the middle, and no change made by others at the same time is
    lost.
    """

    name: str
    """What operators call it: disk, git or gitlab."""
    staging: Path
    """Where files are prepared; what lies here is nobody's asset yet."""

    def close(self) -> None:
        """End the programs, threads and connections behind it; nothing is asked of it afterwards."""
        ...

    # --- owners -----------------------------------------------------------------------

    def owners(self) -> list[str]:
        """Name all owners, by bytes."""
        ...

    def ensure_owner(self, owner: str) -> None:
        """Make an owner's five categories when they are missing; cheap when they are there."""
        ...

    def refs(self, owner: str) -> list[Ref]:
        """Name an owner's branches and tags; empty without versions."""
        ...

    def revision(self, owner: str) -> str | None:
        """Give what changes with every change of an owner's assets; None where only a watch of the disk can tell."""
        ...

    # --- reading ----------------------------------------------------------------------

    def listing(self, path: AssetPath, ref: str | None = None) -> Listing:
        """Name what is in a folder; raises AssetNotFound, NotAFolder."""
        ...

    def entries(self, path: AssetPath, names: list[str], ref: str | None = None) -> list[Entry]:
        """Give sizes and times of some names of a folder, in the given order; what is gone is left out."""
        ...

    def about(self, path: AssetPath, ref: str | None = None) -> About:
        """Describe one file or folder; raises AssetNotFound. Links inside the owner's folder are followed."""
        ...

    def file(self, path: AssetPath, ref: str | None = None) -> AbstractContextManager[int]:
        """Open an ordinary file; give a descriptor that can be read at any offset until the block ends.

        Raises AssetNotFound, NotAFile. Pipes and devices are refused and never block.
        """
        ...

    def walk(self, path: AssetPath, ref: str | None = None) -> Iterator[Found]:
        """Go through all that is below a folder, folders before what is in them, names sorted by bytes.

        Links and special files are left out. Raises AssetNotFound, NotAFolder.
        """
        ...

    # --- changing ---------------------------------------------------------------------

    def make_folder(self, path: AssetPath, by: str) -> None:
        """Make one folder and those above it; raises Exists."""
        ...

    def place(
        self, aside: Path, path: AssetPath, by: str, *, replace: bool = False, if_match: str | None = None
    ) -> None:
        """Put a finished file or folder from `staging` under its name, making the folders above it.

        `aside` is gone afterwards when this succeeds and untouched when it fails.
        With `replace`, a file may take a file's place, never a folder's; with
        `if_match`, only that of the file with this etag. Raises Exists, Changed.
        """
        ...

    def move(self, source: AssetPath, target: AssetPath, by: str) -> None:
        """Rename or move, also to another owner; raises AssetNotFound, Exists, PathRefused."""
        ...

    # --- the trash --------------------------------------------------------------------

    def delete(self, path: AssetPath, by: str) -> Trashed:
        """Take something away so that it can be brought back; raises AssetNotFound, PathRefused."""
        ...

    def trash(self, owner: str) -> list[Trashed]:
        """List what an owner can bring back, latest first."""
        ...

    def trashed(self, trash_id: str) -> Trashed:
        """Give what is in the trash under an id; raises NoSuchTrash."""
        ...

    def restore(self, trash_id: str, by: str) -> AssetPath:
        """Bring it back to where it was; raises NoSuchTrash, Exists."""
        ...

    def erase(self, trash_id: str) -> None:
        """Give it up for good; raises NoSuchTrash. Repositories keep their history."""
        ...

    def purge(self) -> int:
        """Erase what has been in the trash for too long; give how many."""
        ...


@runtime_checkable
class QuickBackend(Protocol):
    """What a backend offers besides when some reads take microseconds: no thread is needed for those."""

    def quick_listing(self, path: AssetPath) -> Listing | None:
        """Give a listing if that takes no time worth speaking of; None to ask `listing`. Raises as `listing` does."""
        ...

    def quick_content(self, path: AssetPath) -> bytes | None:
        """Give a small file whole; None to ask `file`. Raises as `file` does."""
        ...
