"""Why a container ended behind the hub's back, in words; and the record of it that pages show."""

from __future__ import annotations

from typing import Any, Final

from hub.failures import Failure
from twinhub.ends import End, forget_end, read_end, record_end

__all__ = ["End", "explain_end", "forget_end", "read_end", "record_end"]

KILLED: Final = 128 + 9
TERMINATED: Final = 128 + 15
ENGINE_WENT: Final = 255
"""What the engine notes for containers that ended while it was away."""

KEPT: Final = "Your files, home and pip packages are as you left them."

REMOVED: Final = Failure(
    "removed",
    "The workspace's container was removed on the server.",
    f"Start it again: it gets a new container. {KEPT} What you installed with apt is gone.",
)

SERVER_STOPPED: Final = Failure(
    "stopped_outside",
    "The workspace was stopped on the server, as happens when the machine restarts or is maintained.",
    f"Start it again. {KEPT}",
)


def explain_end(state: dict[str, Any] | None, log_tail: str, memory: str) -> Failure:
    """Put the end of a container that should be running into words.

    `state` is Docker's `State` of an inspected container, None where there is
    no container any more; `log_tail` is what it said last.
    """
    if state is None:
        return REMOVED
    status = state.get("ExitCode")
    # The engine keeps the mark when only a kernel was ended; then the workspace went on, and ended for other reasons.
    if state.get("OOMKilled") and status == KILLED:
        return Failure(
            "out_of_memory",
            f"The workspace used more than its {memory} of memory and was ended.",
            "Start it again and close notebooks you do not need, read data in parts, or choose a profile with more "
            f"memory on the Workbench page. {KEPT}",
        )
    if "No space left on device" in log_tail or "Disk quota exceeded" in log_tail:
        return Failure(
            "disk_full",
            "The workspace ended because there was no room left on the disk.",
            "Delete what you do not need on the Library page, then start it again.",
        )
    if status in (0, TERMINATED, ENGINE_WENT):
        return SERVER_STOPPED
    if status == KILLED:
        return Failure(
            "killed",
            "The workspace was ended by force: by somebody on the server, or because the machine ran out of memory.",
            f"Start it again; if it happens again, ask an administrator. {KEPT}",
        )
    last = " ".join(log_tail.split())[-300:] or "nothing"
    return Failure(
        "exited",
        f"The workspace ended by itself with exit status {status}. It said last: {last}",
        "Start it again; if it ends again, choose 'Fresh container' on the Workbench page. Your files stay.",
    )
