"""Who is ended first when the workspace's memory is used up: what the owner runs, never the Jupyter server."""

from __future__ import annotations

from typing import Final

SCORE: Final = 500
"""What the kernel adds, in thousandths of the limit, when it looks for somebody to end.

All that people start has the same, so the largest of it goes first; the server
has none, and stays as long as anything else is there.
"""


def expendable(*command: str) -> list[str]:
    """Give the command line that runs a command at that score; raising it needs no privilege."""
    return ["/usr/bin/choom", "-n", str(SCORE), "--", *command]
