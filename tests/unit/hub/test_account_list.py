"""The page of accounts: everybody once, found by a part of the name, quick with thousands."""

from time import perf_counter

import pytest
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy.orm import Session

from hub import account_list, accounts, identities, removal
from hub.tables import ServiceAccount


def test_five_thousand_accounts_cost_no_more_than_one_page(session: Session) -> None:
    """An administrator of a university waits for no list."""
    names = [f"student{number:04}" for number in range(5000)]
    session.add_all([UserInfo(username=name, password=b"x", is_authorized=True) for name in names])
    session.add_all([orm.User(name=name) for name in names])
    session.commit()
    began = perf_counter()
    page = account_list.list_page(session, search="9", number=2)
    assert perf_counter() - began < 1.0
    assert page.total == len([name for name in names if "9" in name])
    assert len(page.accounts) == account_list.PAGE_SIZE
    assert account_list.list_page(session, number=10**8).number == 100


@pytest.mark.parametrize("search", ["%", "_", "\\", "' OR 1=1 --"])
def test_a_search_is_a_part_of_the_name_and_nothing_else(session: Session, search: str) -> None:
    """Signs that databases give a meaning must not find everybody."""
    accounts.create(session, "alice", "long enough", shortest=10, admitted=True)
    assert account_list.list_page(session, search=search).total == 0


def test_people_of_the_provider_stand_among_the_others_and_wait_like_them(session: Session) -> None:
    """One list, wherever somebody's password is kept."""
    accounts.create(session, "alice", "long enough", shortest=10, admitted=True)
    accounts.create(session, "bob", "long enough", shortest=10, admitted=False)
    identities.identify(session, "https://id.example", "1", "carol", admitted=True)
    identities.identify(session, "https://id.example", "2", "dave", admitted=False)
    page = account_list.list_page(session)
    assert [(account.name, account.kind) for account in page.accounts] == [("alice", "local"), ("carol", "provider")]
    assert [account.name for account in account_list.list_waiting(session)] == ["bob", "dave"]
    assert account_list.count_waiting(session) == 2


def test_the_last_administrator_is_counted_by_who_can_sign_in(session: Session) -> None:
    """A service account or a removed person cannot repair anything."""
    accounts.create(session, "alice", "long enough", shortest=10, admitted=True)
    accounts.create(session, "bob", "long enough", shortest=10, admitted=False)
    session.add_all([orm.User(name=name, admin=True) for name in ("alice", "bob", "robot")])
    session.commit()
    assert account_list.count_admins(session) == 1


def test_a_removed_account_comes_back_with_all_it_had(session: Session) -> None:
    """An administrator's slip on a Friday evening can be undone."""
    accounts.create(session, "alice", "long enough", shortest=10, admitted=True)
    user = orm.User(name="alice", admin=True, groups=[orm.Group(name="turbines")])
    session.add(user)
    session.commit()
    removal.archive(session, user)
    session.delete(user)
    session.commit()
    assert accounts.find(session, "alice") is None
    with pytest.raises(accounts.AccountError, match="removed"):
        accounts.create(session, "alice", "long enough", shortest=10, admitted=True)
    back = removal.restore(session, "alice")
    assert accounts.password_matches(accounts.find(session, "alice"), "long enough")
    assert (back.admin, [group.name for group in back.groups]) == (True, ["turbines"])
    assert account_list.list_removed(session) == []


def test_a_removed_service_account_comes_back_as_one(session: Session) -> None:
    """It must not turn into an account that nobody can list."""
    user = orm.User(name="nightly")
    session.add_all([user, ServiceAccount(name="nightly", note="import", created_by="admin")])
    session.commit()
    removal.archive(session, user)
    session.delete(user)
    session.commit()
    removal.restore(session, "nightly")
    assert session.get(ServiceAccount, "nightly") is not None
    assert accounts.find(session, "nightly") is None
