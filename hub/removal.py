"""Remove accounts so that it can be undone."""

from __future__ import annotations

from typing import Any

from jupyterhub import orm
from jupyterhub.roles import assign_default_roles
from nativeauthenticator.orm import UserInfo
from sqlalchemy.orm import Session

from hub import accounts
from hub.tables import Identity, RemovedAccount, ServiceAccount


def archive(session: Session, user: orm.User) -> None:
    """Take away every way to sign in, and keep what a restored account gets back.

    The caller deletes the hub's user, its tokens and containers; files are
    touched by nobody. What a removal that was broken off has kept stays as it is.
    """
    row = accounts.find(session, user.name)
    service = session.get(ServiceAccount, user.name)
    if session.get(RemovedAccount, user.name) is None:
        kept = {
            "admin": bool(user.admin),
            "groups": sorted(group.name for group in user.groups),
            "admitted": bool(row is not None and row.is_authorized),
            "service": {"note": service.note, "created_by": service.created_by} if service is not None else None,
        }
        password = row.password if row is not None else None
        session.add(RemovedAccount(name=user.name, password=password, kept=kept))
    for gone in (row, service):
        if gone is not None:
            session.delete(gone)
    session.commit()


def get_removed(session: Session, name: str) -> Any:
    """Give a removed account; raises AccountMissing."""
    removed = session.get(RemovedAccount, name)
    if removed is None:
        raise accounts.AccountMissing(
            f"No account '{accounts.short(name)}' was removed.", "'twinhub user list --removed' shows those that were."
        )
    return removed


def restore(session: Session, name: str) -> orm.User:
    """Bring an account back as it was: password, groups, administrator or not; its tokens stay gone."""
    removed = get_removed(session, name)
    kept: dict[str, Any] = removed.kept or {}
    if removed.password is not None:
        admitted = bool(kept.get("admitted"))
        session.add(UserInfo(username=name, password=removed.password, is_authorized=admitted))
    if kept.get("service"):
        session.add(ServiceAccount(name=name, **kept["service"]))
    # There still is one where the removal was broken off.
    user = orm.User.find(session, name) or orm.User(name=name)
    user.admin = bool(kept.get("admin"))
    session.add(user)
    wanted = kept.get("groups") or []
    user.groups = session.query(orm.Group).filter(orm.Group.name.in_(wanted)).all()
    assign_default_roles(session, entity=user)
    session.delete(removed)
    session.commit()
    return user


def forget(session: Session, name: str) -> None:
    """Give a removed account's name free; the caller has deleted its files."""
    session.delete(get_removed(session, name))
    session.query(Identity).filter_by(name=name).delete()
    session.commit()
