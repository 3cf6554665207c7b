"""What administrators do to accounts, and what only the operator's command does."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from hub.account_actions import Actions
from hub.tables import RemovedAccount
from twinhub.errors import Forbidden


def actions(session: Session, by: object) -> Actions:
    log = logging.getLogger("test")
    return Actions(SimpleNamespace(db=session, authenticator=None, current_user=by, log=log))


def test_a_name_is_freed_only_by_the_command_that_deletes_the_files(session: Session) -> None:
    """The next person of that name would find the files of the one before."""
    session.add(RemovedAccount(name="ada"))
    session.commit()
    with pytest.raises(Forbidden, match="command"):
        asyncio.run(actions(session, orm.User(name="boss", admin=True)).perform("forget", {"username": "ada"}))
    assert session.get(RemovedAccount, "ada") is not None
    operator = orm.Service(name="twinhub-operator", admin=True)
    asyncio.run(actions(session, operator).perform("forget", {"username": "ada"}))
    assert session.get(RemovedAccount, "ada") is None
