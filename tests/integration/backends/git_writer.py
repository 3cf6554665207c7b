"""A platform that writes without end, to be killed: prints a line for everything that was acknowledged.

Takes the platform's folder, the server's address and how to write: place or delete.
"""

import sys
from itertools import count
from pathlib import Path

from libms.git import GitBackend, GitRepository
from libms.paths import parse_path


def main(folder: Path, url: str, how: str) -> None:
    """Write until somebody ends it."""
    repositories = {"alice": GitRepository(url, secret=folder / "secret")}
    backend = GitBackend(folder / "library" / "git", folder / "staging", folder / "trash", repositories, trash_days=30)
    first = len(backend.listing(parse_path("alice/data")).blobs)
    for number in count(first):
        if how == "place":
            aside = folder / "staging" / f"aside-{number}"
            aside.write_bytes(b"%d" % number)
            backend.place(aside, parse_path(f"alice/data/{number:04}"), "alice", replace=True)
            print(f"{number:04}", flush=True)
        else:
            name = backend.listing(parse_path("alice/data")).blobs[0]
            print(backend.delete(parse_path(f"alice/data/{name}"), "alice").path.name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
