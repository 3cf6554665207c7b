"""End people's sessions so that nothing a browser ever held works any more."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

from jupyterhub import orm
from jupyterhub.utils import new_token
from sqlalchemy import event
from sqlalchemy.orm import Session, object_session

PROGRAM_CLIENT: Final = "jupyterhub"
"""Tokens of this client were made on purpose, for programs and servers; all others came with a browser's sign-in."""

REVOKED: Final = "twinhub revoked"


def end_sessions(session: Session, user: orm.User, *, keep: str | None = None) -> None:
    """Sign somebody out of every browser, save the one whose session id is to be kept.

    The hub's cookie holds the cookie id alone, so a new one makes every copy of
    it worthless; whoever keeps a session gives that browser a new cookie.
    Tokens for programs, and the servers' own, stay.
    """
    user.cookie_id = new_token()
    for token in session.query(orm.APIToken).filter_by(user_id=user.id):
        if token.client_id != PROGRAM_CLIENT and (keep is None or token.session_id != keep):
            session.delete(token)
    for code in session.query(orm.OAuthCode).filter_by(user_id=user.id):
        session.delete(code)
    session.info[REVOKED] = True
    session.commit()


def announce(file: Path) -> None:
    """Tell the services, by the file's time, to ask the hub anew for everybody."""
    moment = time.time_ns()
    os.utime(file, ns=(moment, moment))


def announce_revocations(session: Session, file: Path) -> None:
    """Do so from now on whenever tokens are deleted, by whatever way."""

    def deleted(_mapper: Any, _connection: Any, token: Any) -> None:
        owner = object_session(token)
        if owner is not None:
            owner.info[REVOKED] = True

    def committed(done: Session) -> None:
        if done.info.pop(REVOKED, False):
            announce(file)

    event.listen(orm.APIToken, "after_delete", deleted)
    event.listen(session, "after_commit", committed)
