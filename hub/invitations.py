"""Links that make an account for whoever has them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from jupyterhub import orm
from jupyterhub.roles import assign_default_roles
from sqlalchemy.orm import Session

from hub import accounts
from hub.groups import ensure_groups
from hub.tables import Invitation, now
from twinhub.errors import PublicError

LONGEST_HOURS: Final = 24 * 90
MOST_USES: Final = 500
INVITE_PATH: Final = "/hub/invite"


class InvitationRefused(PublicError):
    """An invitation is unknown, used up, expired or revoked."""

    code = "invitation"
    status = 403


@dataclass(frozen=True)
class Wish:
    """What an invitation is to give."""

    hours: int
    uses: int = 1
    admin: bool = False
    groups: tuple[str, ...] = ()
    note: str = ""


def invite(session: Session, wish: Wish, *, by: str) -> str:
    """Make an invitation; give its token, which is stored nowhere."""
    if not 1 <= wish.hours <= LONGEST_HOURS:
        raise accounts.AccountError(
            f"An invitation cannot hold for {wish.hours} hours.", f"Choose 1 to {LONGEST_HOURS} hours."
        )
    if not 1 <= wish.uses <= MOST_USES:
        raise accounts.AccountError(f"{wish.uses} people cannot be invited at once.", f"Choose 1 to {MOST_USES}.")
    ensure_groups(session, wish.groups)
    token = secrets.token_urlsafe(24)
    session.add(
        Invitation(
            hashed=_hash(token),
            note=wish.note[:255],
            admin=wish.admin,
            groups=list(wish.groups),
            uses_left=wish.uses,
            created_by=by,
            expires_at=now() + timedelta(hours=wish.hours),
        )
    )
    session.commit()
    return token


def accept(session: Session, token: str, name: str, password: str, *, shortest: int) -> orm.User:
    """Make the account that an invitation promises; raises InvitationRefused, AccountError."""
    invitation = _usable(session, token)
    accounts.create(session, name, password, shortest=shortest, admitted=True)
    user = orm.User(name=name, admin=bool(invitation.admin))
    session.add(user)
    user.groups = ensure_groups(session, invitation.groups)
    assign_default_roles(session, entity=user)
    invitation.uses_left -= 1
    invitation.used_by = [*invitation.used_by, name]
    session.commit()
    return user


def list_invitations(session: Session) -> list[Any]:
    """Give those that can still be used, the newest first."""
    usable = session.query(Invitation).filter(*_can_be_used())
    return [row for row in usable.order_by(Invitation.id.desc()) if _maker_may(session, row)]


def revoke(session: Session, number: int) -> None:
    """Make an invitation worthless; raises AccountMissing."""
    invitation = session.get(Invitation, number)
    if invitation is None:
        raise accounts.AccountMissing(f"There is no invitation {number}.", "The list shows all that can be used.")
    session.delete(invitation)
    session.commit()


def _usable(session: Session, token: str) -> Any:
    found = session.query(Invitation).filter_by(hashed=_hash(token)).first() if token else None
    if found is None or found.uses_left < 1 or found.expires_at <= now() or not _maker_may(session, found):
        raise InvitationRefused(
            "This invitation cannot be used: it was used already, has expired or was taken back.",
            "Ask whoever sent it for another one.",
        )
    return found


def _maker_may(session: Session, invitation: Any) -> bool:
    """Tell whether who made it may still give what it gives: administrators are made by administrators only."""
    if not invitation.admin:
        return True
    maker = orm.User.find(session, invitation.created_by)
    if maker is not None:
        return bool(maker.admin)
    # The command on the server asks as a service.
    return orm.Service.find(session, invitation.created_by) is not None


def _can_be_used() -> Any:
    return (Invitation.uses_left > 0, Invitation.expires_at > now())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
