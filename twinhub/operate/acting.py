"""Do something as one of the platform's accounts, where root would do harm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def acting_as(user_id: int) -> Iterator[None]:
    """Have another account's rights, and make files that are its own, until the block ends.

    Without this, root would leave files that their owner cannot change, and would
    follow links that the owner has put in a file's place. The change holds for the
    whole process, all of its threads included. Who is not root stays who they are.
    """
    if os.geteuid() != 0 or user_id == 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(user_id)
    os.seteuid(user_id)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
