"""Accounts: which names and passwords are accepted, and what happens to them."""

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from hub import accounts
from hub.tables import RemovedAccount, ServiceAccount


@pytest.mark.parametrize(
    "name",
    [
        "common",
        "root",
        "a",
        "Alice",
        "../etc",
        "a/b",
        "a b",
        ".hidden",
        "-x",
        "x-",
        "ümlaut",
        "x" * 33,
        "",
        "a\0b",
        "a\n",
    ],
)
def test_names_that_cannot_be_folders_and_addresses_are_refused(session: Session, name: str) -> None:
    """A name becomes a folder on the host; none may leave its place or collide."""
    with pytest.raises(accounts.AccountError):
        accounts.create(session, name, "long enough", shortest=10, admitted=True)


@pytest.mark.parametrize("name", ["al", "alice", "a.b-c_d9", "x" * 32])
def test_ordinary_names_are_accepted(session: Session, name: str) -> None:
    """The rule must not be in anybody's way."""
    accounts.create(session, name, "long enough", shortest=10, admitted=False)
    assert not accounts.get(session, name).is_authorized


@pytest.mark.parametrize("password", ["short", "", "ä" * 37, "x" * 73, "with\0nul byte"])
def test_passwords_that_are_weak_or_would_be_cut_are_refused(session: Session, password: str) -> None:
    """bcrypt would silently ignore what is beyond 72 bytes."""
    with pytest.raises(accounts.AccountError):
        accounts.create(session, "alice", password, shortest=10, admitted=True)


def test_a_taken_name_is_refused_and_keeps_its_password(session: Session) -> None:
    """Signing up again must not take over an account."""
    accounts.create(session, "alice", "the first one", shortest=10, admitted=True)
    with pytest.raises(accounts.AccountError, match="taken"):
        accounts.create(session, "alice", "another one", shortest=10, admitted=True)
    assert accounts.password_matches(accounts.find(session, "alice"), "the first one")


def test_only_the_right_password_of_an_existing_account_matches(session: Session) -> None:
    """The heart of signing in."""
    accounts.create(session, "alice", "the first one", shortest=10, admitted=True)
    row = accounts.find(session, "alice")
    assert accounts.password_matches(row, "the first one")
    assert not accounts.password_matches(row, "another one")
    assert not accounts.password_matches(row, "x" * 100)
    assert not accounts.password_matches(row, "a\0b")
    assert not accounts.password_matches(None, "nobody has this password")


def test_admitting_changing_and_removing_name_a_missing_account(session: Session) -> None:
    """An administrator's slip is answered in words."""
    for act in (accounts.admit, accounts.refuse):
        with pytest.raises(accounts.AccountMissing, match="ghost"):
            act(session, "ghost")
    with pytest.raises(accounts.AccountMissing):
        accounts.change_password(session, "ghost", "long enough", shortest=10)


@pytest.mark.parametrize(
    "holder",
    [
        orm.User(name="alice"),
        ServiceAccount(name="alice", created_by="admin"),
        RemovedAccount(name="alice"),
    ],
)
def test_a_name_that_a_program_or_a_removed_account_has_is_not_given_again(session: Session, holder: object) -> None:
    """Whoever got it would find somebody else's files."""
    session.add(holder)
    session.commit()
    with pytest.raises(accounts.AccountError, match=r"taken|removed"):
        accounts.create(session, "alice", "long enough", shortest=10, admitted=True)


def test_what_people_send_is_cut_before_it_is_shown_or_logged() -> None:
    """CVE-2026-54338: a name of a megabyte, or with line breaks, must not fill or forge the log."""
    shown = accounts.short("x" * 1_000_000)
    assert len(shown) < 50
    assert "\n" not in accounts.short("a\nadmin signed in")
