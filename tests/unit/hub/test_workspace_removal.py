"""Removed: one workspace, or an account with all of them."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
from sqlalchemy.orm import Session

from hub.tables import RemovedAccount
from hub.workspace import Workspace
from twinhub.places import Places
from twinhub.settings import Settings


class Removed(Workspace):
    """A workspace whose engine only notes what it is asked."""

    asked: ClassVar[list[str]] = []

    async def remove_object(self) -> None:
        self.asked.append("remove")

    async def docker(self, method: str, *_: object) -> None:
        self.asked.append(method)


@pytest.mark.parametrize(("account_removed", "asked"), [(False, ["remove", "put_home_aside"]), (True, ["remove"])])
def test_homes_of_a_removed_account_are_kept_until_it_is_purged(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account_removed: bool, asked: list[str]
) -> None:
    """What is put aside is deleted after some days, and a removed account can be restored with all its files."""
    if account_removed:
        session.add(RemovedAccount(name="ada"))
        session.commit()
    monkeypatch.setattr(Removed, "places", Places(tmp_path, Settings()), raising=False)
    monkeypatch.setattr(Removed, "asked", [])
    user = SimpleNamespace(name="ada", settings={}, db=session)
    asyncio.run(Removed(user=user, orm_spawner=SimpleNamespace(name="big", server=None)).delete_forever())
    assert Removed.asked == asked


def test_nothing_starts_for_an_account_that_is_being_removed(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real-time twins ask for their workspace again and again; the removal would never find everything stopped."""
    monkeypatch.setattr(Removed, "places", Places(tmp_path, Settings()), raising=False)
    session.add(RemovedAccount(name="ada"))
    session.commit()
    user = SimpleNamespace(name="ada", settings={}, db=session)
    workspace = Removed(user=user, orm_spawner=SimpleNamespace(name="realtime", server=None))
    with pytest.raises(Exception, match="was removed"):
        asyncio.run(workspace.start())
