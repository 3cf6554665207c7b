"""Who somebody at a provider is here: names are given once, and never somebody else's."""

import pytest
from jupyterhub import orm
from sqlalchemy.orm import Session

from hub import accounts, identities
from hub.tables import RemovedAccount

ISSUER = "https://id.example"


def come(session: Session, subject: str, claim: str, *, admitted: bool = True) -> str:
    return str(identities.identify(session, ISSUER, subject, claim, admitted=admitted).name)


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("ada", "ada"),
        ("Ada.Lovelace@example.org", "ada.lovelace"),
        ("Zoë Müller", "zoe-muller"),
        ("x" * 40, "x" * 32),
        ("7of9", "of9"),
        ("a" * 31 + ".b", "a" * 31),
    ],
)
def test_a_claim_becomes_a_name_that_can_be_a_folder_and_an_address(claim: str, name: str) -> None:
    """The rule that docs/operate/sign-in.md states."""
    assert identities.name_from_claim(claim) == name


@pytest.mark.parametrize("claim", ["", "@", "董", "root", "HUB", "common@example.org", "../..", "a", "\0", "１２３"])
def test_a_claim_that_gives_no_name_is_refused_with_the_remedy(claim: str) -> None:
    """Nobody becomes root or common; people with other scripts are told what to do."""
    with pytest.raises(identities.SignInRefused, match="twinhub user link"):
        identities.name_from_claim(claim)


@pytest.mark.parametrize("claim", ["admin", "ADMIN", "ａｄｍｉｎ", "admin@evil.example", "àdmin"])
def test_a_claim_that_equals_a_local_account_takes_nothing_over(session: Session, claim: str) -> None:
    """Who chooses 'admin' as their name at the provider must not become our administrator."""
    accounts.create(session, "admin", "long enough", shortest=10, admitted=True)
    with pytest.raises(identities.SignInRefused, match="somebody else"):
        come(session, "mallory", claim)
    assert identities.find(session, ISSUER, "mallory") is None


def test_a_user_of_the_hub_without_a_password_is_not_taken_over_either(session: Session) -> None:
    """Service accounts and whoever came by the hub's API have no row among the passwords."""
    session.add(orm.User(name="nightly"))
    session.commit()
    with pytest.raises(identities.SignInRefused):
        come(session, "mallory", "nightly")


def test_two_people_whose_claims_give_one_name_stay_two(session: Session) -> None:
    """ada@one.example and ada@two.example are different people."""
    assert come(session, "1", "ada@one.example") == "ada"
    with pytest.raises(identities.SignInRefused, match="twinhub user link NAME '2'"):
        come(session, "2", "ada@two.example")
    identities.link(session, "ada-two", ISSUER, "2")
    assert come(session, "2", "ada@two.example") == "ada-two"


def test_later_only_the_subject_counts(session: Session) -> None:
    """A changed name keeps its account; a reused name or mail address does not get it."""
    assert come(session, "1", "ada") == "ada"
    assert come(session, "1", "countess") == "ada"
    with pytest.raises(identities.SignInRefused):
        come(session, "2", "ada")
    assert identities.find(session, "https://other.example", "1") is None


def test_the_same_subject_at_another_provider_is_another_person(session: Session) -> None:
    """After a change of provider nobody inherits an account by accident."""
    assert come(session, "1", "ada") == "ada"
    with pytest.raises(identities.SignInRefused):
        identities.identify(session, "https://other.example", "1", "ada", admitted=True)


def test_an_admitted_person_stays_so_and_a_removed_one_stays_out(session: Session) -> None:
    """Removing an account must hold for those who sign in elsewhere, too."""
    assert not identities.identify(session, ISSUER, "1", "ada", admitted=False).admitted
    assert identities.identify(session, ISSUER, "1", "ada", admitted=True).admitted
    assert identities.identify(session, ISSUER, "1", "ada", admitted=False).admitted
    session.add(RemovedAccount(name="ada"))
    session.commit()
    with pytest.raises(identities.SignInRefused, match="removed"):
        come(session, "1", "somebody-else")


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\nb"])
def test_a_subject_that_names_nobody_is_refused(session: Session, subject: str) -> None:
    """Two people without a subject would share an account."""
    with pytest.raises(identities.SignInRefused):
        come(session, subject, "ada")
