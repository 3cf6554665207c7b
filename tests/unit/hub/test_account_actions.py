"""What administrators do to accounts, and what only the operator's command does."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from hub import accounts, removal
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


class Hub:
    """The hub around a request, with one person in it who has two workspaces."""

    def __init__(self, session: Session) -> None:
        self.db = session
        self.log = logging.getLogger("test")
        self.current_user = orm.User(name="boss", admin=True)
        self.authenticator = self.users = self
        self.orm_user = orm.User(name="ada", groups=[orm.Group(name="turbines")])
        session.add_all([self.orm_user, orm.OAuthClient(identifier="service-twinhub-web")])
        session.commit()
        for client in ("service-twinhub-web", "jupyterhub"):
            session.add(orm.APIToken(client_id=client, hashed=client, user=self.orm_user))
        session.commit()
        self.name = "ada"
        self.spawners = {name: SimpleNamespace(pending=None, active=name == "") for name in ("", "big")}
        self.restarts = False
        self.tokens_when_stopped = -1

    def find_user(self, _name: str) -> "Hub":
        return self

    def delete_user(self, user: "Hub") -> None:
        removal.archive(self.db, user.orm_user)

    async def stop_single_user(self, user: "Hub", name: str) -> None:
        self.tokens_when_stopped = self.db.query(orm.APIToken).count()
        user.spawners[name].active = False
        self.spawners["big"].active = self.restarts

    async def delete_spawners(self) -> None:
        assert not any(spawner.active for spawner in self.spawners.values())

    def delete(self, _user: object) -> None:
        self.db.delete(self.orm_user)
        self.db.commit()


def remove(hub: Hub) -> None:
    asyncio.run(Actions(hub).perform("remove", {"username": "ada"}))


def test_whoever_is_removed_can_start_nothing_while_their_workspaces_stop(session: Session) -> None:
    """Stopping takes seconds each, enough to start another one and to keep one's sessions."""
    hub = Hub(session)
    remove(hub)
    assert hub.tokens_when_stopped == 0
    assert orm.User.find(session, "ada") is None


def test_a_removal_that_was_broken_off_loses_no_password(session: Session) -> None:
    """Done again, and then taken back, the account must be what it was."""
    accounts.create(session, "ada", "long enough", shortest=10, admitted=True)
    hub = Hub(session)
    hub.restarts = True
    with pytest.raises(accounts.AccountError, match="has not stopped"):
        remove(hub)
    hub.restarts = False
    remove(hub)
    user = removal.restore(session, "ada")
    assert [group.name for group in user.groups] == ["turbines"]
    assert accounts.get(session, "ada").is_authorized
    assert accounts.password_matches(accounts.find(session, "ada"), "long enough")


def test_a_removal_that_was_broken_off_can_be_taken_back(session: Session) -> None:
    """The hub's user is still there then."""
    accounts.create(session, "ada", "long enough", shortest=10, admitted=True)
    hub = Hub(session)
    hub.restarts = True
    with pytest.raises(accounts.AccountError):
        remove(hub)
    assert removal.restore(session, "ada") is hub.orm_user
    assert accounts.get(session, "ada").is_authorized


def test_a_workspace_that_is_starting_leaves_the_account_whole(session: Session) -> None:
    """What is refused must have changed nothing."""
    accounts.create(session, "ada", "long enough", shortest=10, admitted=True)
    hub = Hub(session)
    hub.spawners["big"].pending = "spawn"
    with pytest.raises(accounts.AccountError, match="starting"):
        remove(hub)
    assert accounts.get(session, "ada").is_authorized
    assert session.get(RemovedAccount, "ada") is None
