"""Invitations: used as often as promised, by nobody else, and not for ever."""

from datetime import timedelta

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from hub import accounts, invitations
from hub.invitations import InvitationRefused, Wish
from hub.tables import Invitation


def accept(session: Session, token: str, name: str) -> None:
    invitations.accept(session, token, name, "long enough", shortest=10)


def test_an_invitation_makes_one_admitted_account_with_its_groups(session: Session) -> None:
    """The person is in at once, where the administrator meant them to be."""
    token = invitations.invite(session, Wish(hours=1, groups=("turbines",)), by="admin")
    user = invitations.accept(session, token, "ada", "long enough", shortest=10)
    assert accounts.get(session, "ada").is_authorized
    assert [group.name for group in user.groups] == ["turbines"]
    assert not user.admin
    with pytest.raises(InvitationRefused):
        accept(session, token, "mallory")


def test_an_invitation_for_several_counts_down_and_a_refused_name_costs_nothing(session: Session) -> None:
    """A typing slip must not use a place up."""
    token = invitations.invite(session, Wish(hours=1, uses=2), by="admin")
    accept(session, token, "ada")
    with pytest.raises(accounts.AccountError):
        accept(session, token, "ada")
    accept(session, token, "grace")
    with pytest.raises(InvitationRefused):
        accept(session, token, "joan")


def test_an_invitation_that_expired_or_was_taken_back_is_worthless(session: Session) -> None:
    """A link in an old mail must open nothing."""
    token = invitations.invite(session, Wish(hours=1), by="admin")
    row = session.query(Invitation).one()
    row.expires_at -= timedelta(hours=2)
    session.commit()
    with pytest.raises(InvitationRefused):
        accept(session, token, "ada")
    assert invitations.list_invitations(session) == []
    other = invitations.invite(session, Wish(hours=1), by="admin")
    invitations.revoke(session, invitations.list_invitations(session)[0].id)
    with pytest.raises(InvitationRefused):
        accept(session, other, "ada")


def test_the_database_does_not_hold_what_opens_the_door(session: Session) -> None:
    """Whoever reads a backup must not come in with it."""
    token = invitations.invite(session, Wish(hours=1), by="admin")
    row = session.query(Invitation).one()
    assert token not in str(vars(row))


@pytest.mark.parametrize("token", ["", "x", "ä", "' OR 1=1 --"])
def test_a_guess_is_refused(session: Session, token: str) -> None:
    """Also while invitations are open."""
    invitations.invite(session, Wish(hours=1), by="admin")
    with pytest.raises(InvitationRefused):
        accept(session, token, "ada")


@pytest.mark.parametrize("wish", [Wish(hours=0), Wish(hours=100_000), Wish(hours=1, uses=0), Wish(hours=1, uses=10**6)])
def test_an_invitation_without_measure_is_refused(session: Session, wish: Wish) -> None:
    """A link for everybody for ever is no invitation."""
    with pytest.raises(accounts.AccountError, match="Choose"):
        invitations.invite(session, wish, by="admin")


@pytest.mark.parametrize("leave", ["demoted", "removed"])
def test_who_is_no_administrator_any_more_makes_none(session: Session, leave: str) -> None:
    """Otherwise a link made in time would bring somebody who was removed back, as an administrator."""
    boss = orm.User(name="boss", admin=True)
    session.add(boss)
    session.commit()
    token = invitations.invite(session, Wish(hours=1, uses=3, admin=True), by="boss")
    plain = invitations.invite(session, Wish(hours=1), by="boss")
    accept(session, token, "ada")
    if leave == "demoted":
        boss.admin = False
    else:
        session.delete(boss)
    session.commit()
    with pytest.raises(InvitationRefused):
        accept(session, token, "mallory")
    assert [row.admin for row in invitations.list_invitations(session)] == [False]
    accept(session, plain, "grace")


def test_the_servers_own_command_invites_administrators(session: Session) -> None:
    """It asks as a service, which is nobody's account."""
    session.add(orm.Service(name="twinhub-operator", admin=True))
    session.commit()
    token = invitations.invite(session, Wish(hours=1, admin=True), by="twinhub-operator")
    assert invitations.accept(session, token, "ada", "long enough", shortest=10).admin
