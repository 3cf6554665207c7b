"""Accounts for programs: no password, no form, only tokens."""

from __future__ import annotations

from typing import Any

from jupyterhub import orm
from jupyterhub.roles import assign_default_roles
from sqlalchemy.orm import Session

from hub import access, accounts
from hub.access import Wish
from hub.tables import ServiceAccount


def add(session: Session, name: str, wish: Wish, *, by: str) -> str:
    """Make a service account; give its first token. Raises AccountError."""
    accounts.check_name(name)
    accounts.ensure_name_free(session, name)
    user = orm.User(name=name, admin=False)
    session.add_all([user, ServiceAccount(name=name, note=wish.note, created_by=by)])
    assign_default_roles(session, entity=user)
    session.commit()
    return access.make_token(session, user, wish)


def rotate(session: Session, name: str, wish: Wish) -> str:
    """Give a new token; those before stop working at once. Raises AccountMissing."""
    user = get(session, name)
    for token in access.program_tokens(session, user):
        session.delete(token)
    session.commit()
    return access.make_token(session, user, wish)


def get(session: Session, name: str) -> orm.User:
    """Give the hub's user of a service account; raises AccountMissing."""
    user = orm.User.find(session, name)
    if session.get(ServiceAccount, name) is None or user is None:
        raise accounts.AccountMissing(
            f"There is no service account '{accounts.short(name)}'.", "'twinhub service list' shows all."
        )
    return user


def list_all(session: Session) -> list[dict[str, Any]]:
    """Give every service account with its tokens."""
    found = []
    for row in session.query(ServiceAccount).order_by(ServiceAccount.name):
        user = orm.User.find(session, row.name)
        tokens = access.program_tokens(session, user) if user is not None else []
        found.append({"name": row.name, "note": row.note or "", "tokens": [access.describe(token) for token in tokens]})
    return found
