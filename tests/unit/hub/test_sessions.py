"""The end of sessions: every copy of a cookie is worthless, and the services hear of it."""

import os
from pathlib import Path

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from hub.sessions import announce_revocations, end_sessions


@pytest.fixture
def user(session: Session) -> orm.User:
    user = orm.User(name="ada")
    session.add_all([user, orm.OAuthClient(identifier="service-twinhub-web")])
    session.commit()
    for client, browser in (("service-twinhub-web", "lab"), ("service-twinhub-web", "home"), ("jupyterhub", None)):
        token = orm.APIToken(client_id=client, session_id=browser, hashed=f"{client}{browser}", user=user)
        session.add(token)
    session.commit()
    return user


def tokens(session: Session) -> list[str]:
    return sorted(token.hashed for token in session.query(orm.APIToken))


def test_every_browser_is_signed_out_and_programs_go_on(session: Session, user: orm.User) -> None:
    """A copied cookie ends with the session; the nightly import does not."""
    before = user.cookie_id
    end_sessions(session, user)
    assert user.cookie_id != before
    assert tokens(session) == ["jupyterhubNone"]


def test_a_changed_password_keeps_the_browser_it_was_changed_in(session: Session, user: orm.User) -> None:
    """CVE-2026-40934: whoever had the old password is out, its owner is not."""
    end_sessions(session, user, keep="home")
    assert tokens(session) == ["jupyterhubNone", "service-twinhub-webhome"]


def test_the_services_hear_of_every_token_that_goes(session: Session, user: orm.User, tmp_path: Path) -> None:
    """However it goes: by sign-out, by the hub's own API, or with its owner."""
    file = tmp_path / "revocations"
    file.touch()
    announce_revocations(session, file)
    for act in (lambda: end_sessions(session, user), lambda: session.delete(user)):
        os.utime(file, ns=(1, 1))
        act()
        session.commit()
        assert file.stat().st_mtime_ns > 1
    os.utime(file, ns=(1, 1))
    session.add(orm.User(name="grace"))
    session.commit()
    assert file.stat().st_mtime_ns == 1
