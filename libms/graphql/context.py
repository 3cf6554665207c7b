"""What resolvers need for one request."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from libms.assets import Assets
from libms.digests import Digests
from libms.errors import QueryTooLong
from libms.index import Index, Indexer
from libms.integrity import Integrity
from libms.reading import Reader
from twinhub.errors import TooLarge
from twinhub.settings import Library
from twinhub.signin import User

ANSWERS_OF_LARGEST_FILE: Final = 4
LONGEST_QUERY_S: Final = 30


@dataclass(frozen=True)
class Services:
    """What outlives requests."""

    assets: Assets
    index: Index
    indexer: Indexer
    digests: Digests
    integrity: Integrity
    reader: Reader
    limits: Library


@dataclass(eq=False)
class Context:
    """One person's request."""

    user: User
    services: Services
    notices: list[str] = field(default_factory=list)
    """What the person should know although the query succeeded, such as a listing that was cut."""

    spent_bytes: int = 0
    executed: bool = False
    """Whether it came to executing; if not, what was sent is no query of this schema."""

    operation: str | None = None
    """The name of the operation that is to be executed, as the request says."""
    ambiguous: bool = False
    """Whether there are several operations, and none was named."""
    deadline: float = field(default_factory=lambda: time.monotonic() + LONGEST_QUERY_S)
    left: bool = False
    """Whether the client has gone."""

    def check(self) -> None:
        """Stop a query that takes too long, or that nobody waits for; raises QueryTooLong."""
        if self.left or time.monotonic() > self.deadline:
            raise QueryTooLong(
                f"The query took more than {LONGEST_QUERY_S} seconds.", "Ask for less in one request, or download."
            )

    def restart(self) -> None:
        """Give the rest of a query its time again after a change, which may take as long as it takes."""
        self.deadline = time.monotonic() + LONGEST_QUERY_S

    def spend(self, size: int) -> None:
        """Count what goes into the answer, as aliases could ask for the largest file thirty times; raises TooLarge."""
        self.check()
        self.spent_bytes += size
        limit = ANSWERS_OF_LARGEST_FILE * self.services.limits.read_limit_mb * 1_000_000
        if self.spent_bytes > limit:
            raise TooLarge(
                f"The answer would hold more than {limit // 1_000_000} MB.", "Ask for less in one request, or download."
            )

    @property
    def assets(self) -> Assets:
        """The rules."""
        return self.services.assets
