"""What a token may do, in the choices that people are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from jupyterhub import orm
from sqlalchemy.orm import Session

from hub.sessions import PROGRAM_CLIENT
from hub.tables import now
from twinhub.errors import PublicError
from twinhub.names import (
    SCOPE_LIBRARY_READ,
    SCOPE_LIBRARY_WRITE,
    SCOPE_REALTIME_READ,
    SCOPE_REALTIME_SEND,
    SCOPE_REALTIME_WRITE,
)


class TokenRefused(PublicError):
    """A token cannot be made, or is not there."""

    code = "token"


class Access(StrEnum):
    """How far a token reaches."""

    LIBRARY_READ = "library-read"
    LIBRARY_WRITE = "library-write"
    REALTIME_READ = "realtime-read"
    REALTIME_SEND = "realtime-send"
    REALTIME_WRITE = "realtime-write"
    EVERYTHING = "everything"


SCOPES: Final[dict[Access, tuple[str, ...]]] = {
    Access.LIBRARY_READ: (SCOPE_LIBRARY_READ,),
    Access.LIBRARY_WRITE: (SCOPE_LIBRARY_WRITE,),
    Access.REALTIME_READ: (SCOPE_REALTIME_READ,),
    Access.REALTIME_SEND: (SCOPE_REALTIME_SEND,),
    Access.REALTIME_WRITE: (SCOPE_REALTIME_WRITE,),
    # Not `inherit`: that would administer in an administrator's name. Not `tokens`: none makes further ones.
    Access.EVERYTHING: (
        SCOPE_LIBRARY_WRITE,
        SCOPE_REALTIME_WRITE,
        "access:servers!user",
        "servers!user",
        "read:users!user",
        "users:activity!user",
    ),
}
WORDS: Final = {
    Access.LIBRARY_READ: "Read the library",
    Access.LIBRARY_WRITE: "Read and change the library",
    Access.REALTIME_READ: "Look at real-time twins",
    Access.REALTIME_SEND: "Send messages to real-time twins",
    Access.REALTIME_WRITE: "Deploy and use real-time twins",
    Access.EVERYTHING: "Everything of mine: library, workspace and twins",
}
LONGEST_HOURS: Final = 24 * 366
MOST_TOKENS: Final = 200
SERVER_NOTE: Final = "Server at "


@dataclass(frozen=True)
class Wish:
    """What a token is to be."""

    access: Access
    hours: int
    note: str


def read_wish(access: object, hours: object, note: object) -> Wish:
    """Check what was asked for; raises TokenRefused."""
    try:
        wanted = Access(str(access))
    except ValueError as error:
        raise TokenRefused(f"'{str(access)[:40]}' is not an access.", f"There are: {', '.join(Access)}.") from error
    if not isinstance(hours, int) or isinstance(hours, bool) or not 1 <= hours <= LONGEST_HOURS:
        raise TokenRefused("A token needs an end.", f"Choose 1 to {LONGEST_HOURS} hours.")
    text = str(note or "").strip()
    if not text or len(text) > 200 or not text.isprintable() or text.startswith(SERVER_NOTE):
        raise TokenRefused("A token needs a note.", "Say in a few words what uses it, so that you know it again.")
    return Wish(wanted, hours, text)


def make_token(session: Session, user: orm.User, wish: Wish) -> str:
    """Make a token; its secret is stored nowhere. Raises TokenRefused."""
    if len(program_tokens(session, user)) >= MOST_TOKENS:
        raise TokenRefused(f"There are {MOST_TOKENS} tokens already.", "Revoke those that nothing uses.")
    try:
        token: str = user.new_api_token(
            note=wish.note,
            scopes=list(SCOPES[wish.access]),
            expires_in=int(timedelta(hours=wish.hours).total_seconds()),
        )
    except ValueError as error:  # the account has less than it was asked for
        raise TokenRefused("This account may not do that much.", "Choose less, or ask an administrator.") from error
    return token


def program_tokens(session: Session, user: orm.User) -> list[Any]:
    """Give somebody's tokens for programs that still work, the newest first."""
    tokens = session.query(orm.APIToken).filter_by(user_id=user.id, client_id=PROGRAM_CLIENT)
    live = [token for token in tokens if token.expires_at is None or token.expires_at > now()]
    return sorted((token for token in live if not _is_servers(token)), key=lambda token: -token.id)


def find_token(session: Session, user: orm.User, number: str) -> Any:
    """Give one of somebody's own tokens for programs; raises TokenRefused."""
    found = [token for token in program_tokens(session, user) if str(token.id) == number]
    if not found:
        raise TokenRefused("You have no such token.", "Reload the page; it may be gone already.")
    return found[0]


def describe(token: Any) -> dict[str, Any]:
    """Give what may be shown of a token, which is everything but the token."""
    return {
        "id": str(token.id),
        "note": token.note or "",
        "access": words_for(token.scopes or []),
        "created": _moment(token.created),
        "expires": _moment(token.expires_at),
        "last_used": _moment(token.last_activity),
    }


def words_for(scopes: list[str]) -> str:
    """Put scopes into words."""
    for access, known in SCOPES.items():
        if set(scopes) == set(known):
            return WORDS[access]
    if "inherit" in scopes:
        return "All that the account may do, administration included"
    return ", ".join(sorted(scopes)) or "Say who you are, and nothing else"


def _is_servers(token: Any) -> bool:
    return bool(token.note and token.note.startswith(SERVER_NOTE))


def _moment(time: datetime | None) -> str | None:
    return f"{time.isoformat(timespec='seconds')}Z" if time is not None else None
