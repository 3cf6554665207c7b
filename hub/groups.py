"""Groups of people, as the hub keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from jupyterhub import orm
from sqlalchemy.orm import Session

from hub import accounts


def read_groups(text: str) -> tuple[str, ...]:
    """Read names that are separated by commas; raises AccountError."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if len(name) > 255 or not name.isprintable():
            raise accounts.AccountError(f"'{accounts.short(name)}' cannot be a group.", "Use at most 255 characters.")
    return names


def ensure_groups(session: Session, names: Iterable[str]) -> list[orm.Group]:
    """Give groups, made where they are missing."""
    wanted = list(names)
    found = {group.name: group for group in session.query(orm.Group).filter(orm.Group.name.in_(wanted))}
    for name in wanted:
        if name not in found:
            found[name] = orm.Group(name=name)
            session.add(found[name])
    return [found[name] for name in wanted]
