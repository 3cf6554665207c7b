"""Who has an account: searched, paged and counted by the database, so that thousands cost no more than one page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy import false, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session, selectinload

from hub.tables import Identity, RemovedAccount

PAGE_SIZE: Final = 50
MOST_WAITING_SHOWN: Final = 200


@dataclass(frozen=True)
class Account:
    """One line of the page of accounts."""

    name: str
    kind: str
    """'local', 'provider' or 'service'."""
    admitted: bool
    admin: bool = False
    groups: tuple[str, ...] = ()
    workspace: str = "stopped"
    last_activity: datetime | None = None


@dataclass(frozen=True)
class Page:
    """A part of the list."""

    accounts: list[Account]
    total: int
    number: int

    @property
    def last(self) -> int:
        """The number of the last page; the first is 1."""
        return max(1, -(-self.total // PAGE_SIZE))


def count_waiting(session: Session) -> int:
    """Count those who ask to be admitted."""
    local = session.query(func.count(UserInfo.id)).filter(_waits()).scalar()
    return int(local) + int(session.query(func.count(Identity.id)).filter(Identity.admitted == false()).scalar())


def list_waiting(session: Session) -> list[Account]:
    """Give those who ask to be admitted, the longest waiting first."""
    local = session.query(UserInfo.username).filter(_waits()).order_by(UserInfo.id).limit(MOST_WAITING_SHOWN)
    there: Any = session.query(Identity.name).filter(Identity.admitted == false()).order_by(Identity.id)
    return [
        *(Account(name, "local", False) for (name,) in local),
        *(Account(name, "provider", False) for (name,) in there.limit(MOST_WAITING_SHOWN)),
    ]


def list_page(session: Session, *, search: str = "", number: int = 1) -> Page:
    """Give one page of those who can sign in, by name; `search` is a part of the name."""
    local: Any = select(UserInfo.username.label("name"), literal("local").label("kind")).where(~_waits())
    there: Any = select(Identity.name, literal("provider")).where(
        Identity.admitted,
        Identity.name.not_in(select(UserInfo.username)),
        Identity.name.not_in(select(RemovedAccount.name)),
    )
    everybody = union_all(local, there).subquery()
    wanted = select(everybody.c.name, everybody.c.kind)
    if search:
        wanted = wanted.where(everybody.c.name.contains(search.lower(), autoescape=True))
    total = session.execute(select(func.count()).select_from(wanted.subquery())).scalar() or 0
    number = max(1, min(number, -(-total // PAGE_SIZE)))
    rows = session.execute(wanted.order_by(everybody.c.name).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(_with_hub(session, [(row.name, row.kind) for row in rows]), int(total), number)


def list_removed(session: Session) -> list[Any]:
    """Give removed accounts whose files are kept, the last removed first."""
    return list(session.query(RemovedAccount).order_by(RemovedAccount.removed_at.desc()).limit(MOST_WAITING_SHOWN))


def count_admins(session: Session) -> int:
    """Count the administrators who can sign in."""
    local: Any = select(UserInfo.username).where(~_waits())
    there: Any = select(Identity.name).where(Identity.admitted)
    can = or_(orm.User.name.in_(local), orm.User.name.in_(there))
    return int(session.query(func.count(orm.User.id)).filter(orm.User.admin, can).scalar())


def _waits() -> Any:
    return or_(UserInfo.is_authorized == false(), UserInfo.is_authorized == null())


def _with_hub(session: Session, found: list[tuple[str, str]]) -> list[Account]:
    names = [name for name, _ in found]
    users = session.query(orm.User).filter(orm.User.name.in_(names)).options(selectinload(orm.User._orm_spawners))
    known = {user.name: user for user in users}
    return [_account(name, kind, known.get(name)) for name, kind in found]


def _account(name: str, kind: str, user: Any) -> Account:
    if user is None:  # admitted, and never signed in
        return Account(name, kind, True)
    running = any(spawner.server_id is not None for spawner in user._orm_spawners)
    groups = tuple(sorted(group.name for group in user.groups))
    return Account(name, kind, True, bool(user.admin), groups, "running" if running else "stopped", user.last_activity)
