"""One bare git repository, read and written with git's own commands."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BRANCH: Final = "main"
NOBODY: Final = "0" * 40
ENVIRONMENT: Final = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class Object:
    """One line of a tree: mode, kind (blob, tree, commit), id, path, size of a blob."""

    mode: str
    kind: str
    oid: str
    path: str
    size: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Commit:
    """What the tests need to know of a commit."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    date: str
    """ISO 8601."""
    message: str


Tree = dict[str, tuple[str, str | bytes]]
"""Path to mode, and the id of an object or new content."""


class Repository:
    """A project's repository. Changes happen one after the other, as behind GitLab's own branch update."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        if not folder.exists():
            folder.mkdir(parents=True)
            self.git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}")

    def git(self, *arguments: str, given: bytes = b"", may_fail: bool = False) -> bytes:
        """Run git here; give what it prints."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, input=given, capture_output=True, env=ENVIRONMENT, check=False
        )
        if done.returncode and not may_fail:
            raise RuntimeError(f"git {arguments[0]}: {done.stderr.decode(errors='replace')}")
        return done.stdout if not done.returncode else b""

    # --- reading ----------------------------------------------------------------------

    def resolve(self, ref: str) -> str | None:
        """Give the commit that a branch, tag or id names."""
        return self.git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", may_fail=True).decode().strip() or None

    def head(self) -> str | None:
        """Give the commit at the default branch; None in an empty repository."""
        return self.resolve(f"refs/heads/{BRANCH}")

    def objects(self, sha: str, path: str, *, recursive: bool = False) -> list[Object]:
        """List a folder; empty when there is none."""
        folder = path.strip("/")
        options = ["-r", "-t"] if recursive else []
        raw = self.git("ls-tree", "-z", "-l", "--full-tree", *options, f"{sha}:{folder}", may_fail=True)
        prefix = f"{folder}/" if folder else ""
        return [_object(line, prefix) for line in raw.split(b"\0") if line]

    def object(self, sha: str, path: str) -> Object | None:
        """Give what stands at one path."""
        folder, _, name = path.strip("/").rpartition("/")
        return next((one for one in self.objects(sha, folder) if one.name == name), None)

    def content(self, oid: str) -> bytes:
        """Give a blob's bytes."""
        return self.git("cat-file", "blob", oid)

    def commit(self, sha: str) -> Commit:
        """Describe a commit."""
        raw = self.git("show", "--no-patch", "--format=%H%x00%P%x00%an%x00%ae%x00%cI%x00%B", sha).decode()
        found, parents, author, email, date, message = raw.split("\0")
        return Commit(found, tuple(parents.split()), author, email, date, message.strip("\n"))

    def last_commit(self, sha: str, path: str) -> Commit | None:
        """Give the last commit up to `sha` that touched a path."""
        inside = path.strip("/")
        limits = ["--", inside] if inside else []
        found = self.git("log", "-1", "--format=%H", sha, *limits).decode().strip()
        return self.commit(found) if found else None

    def names(self, kind: str) -> list[str]:
        """Name the branches (`heads`) or tags (`tags`)."""
        return self.git("for-each-ref", "--format=%(refname:strip=2)", f"refs/{kind}").decode().splitlines()

    def tree(self, sha: str | None) -> Tree:
        """Give all files of a commit."""
        every = self.objects(sha, "", recursive=True) if sha else []
        return {one.path: (one.mode, one.oid) for one in every if one.kind != "tree"}

    # --- changing ---------------------------------------------------------------------

    def push(self, files: Mapping[str, bytes | None], *, author: str = "somebody", links: Sequence[str] = ()) -> str:
        """Commit as somebody with a clone does: content per path, None to delete; `links` become symbolic links."""
        with self.lock:
            head = self.head()
            tree = self.tree(head)
            for path, content in files.items():
                if content is None:
                    del tree[path]
                else:
                    tree[path] = ("120000" if path in links else "100644", content)
            return self.write(tree, head, (author, f"{author}@example.org", "a push"))

    def write(self, tree: Tree, parent: str | None, words: tuple[str, str, str], branch: str = BRANCH) -> str:
        """Make a commit of exactly these files on a branch; `words` are author, email and message."""
        author, email, message = words
        who = f"{author} <{email}> now".encode()
        text = message.encode()
        parts = [
            b"commit refs/heads/%s\n" % branch.encode(),
            b"author %s\ncommitter Stand-in <stand-in@example.org> now\n" % who,
            b"data %d\n%s\n" % (len(text), text),
            b"from %s\n" % parent.encode() if parent else b"",
            b"deleteall\n",
        ]
        for path, (mode, content) in tree.items():
            if isinstance(content, bytes):
                parts.append(b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), _quoted(path), len(content), content))
            else:
                parts.append(b"M %s %s %s\n" % (mode.encode(), content.encode(), _quoted(path)))
        with self.lock:
            self.git("fast-import", "--quiet", "--date-format=now", given=b"".join(parts))
            sha = self.resolve(f"refs/heads/{branch}")
        assert sha is not None
        return sha


def _object(line: bytes, prefix: str) -> Object:
    about, _, name = line.partition(b"\t")
    mode, kind, oid, size = about.decode().split()
    return Object(mode, kind, oid, prefix + name.decode("utf-8", "replace"), int(size) if size != "-" else 0)


def _quoted(path: str) -> bytes:
    raw = path.encode()
    return b'"' + b"".join(b"\\%03o" % byte if byte < 0x20 or byte in b'"\\' else bytes([byte]) for byte in raw) + b'"'
