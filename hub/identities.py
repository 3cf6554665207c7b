"""Which account is whose, of those who sign in at a provider."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from sqlalchemy.orm import Session

from hub import accounts
from hub.tables import Identity, RemovedAccount, now
from twinhub.errors import PublicError

LONGEST_NAME: Final = 32
LONGEST_SUBJECT: Final = 255
MOST_WAITING: Final = 1000


class SignInRefused(PublicError):
    """Somebody is known to the provider and may not come in."""

    code = "sign_in_refused"
    status = 403


def name_from_claim(claim: str) -> str:
    """Make a user name of what a provider calls a person; raises SignInRefused.

    Of a mail address the part before the '@'; accents and capitals go; every
    run of other characters becomes one '-'; at most 32 characters. Different
    claims may give the same name: the table of identities keeps them apart.
    """
    local = claim.partition("@")[0]
    plain = unicodedata.normalize("NFKD", local).casefold()
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9._-]+", "-", letters)[:LONGEST_NAME]
    name = re.sub(r"^[^a-z]+", "", name).rstrip("._-")
    try:
        accounts.check_name(name)
    except accounts.AccountError as error:
        raise SignInRefused(
            f"The provider calls you '{accounts.short(claim)}', which cannot be a user name here.",
            "Ask an administrator to give you a name with 'twinhub user link'.",
        ) from error
    return name


def find(session: Session, issuer: str, subject: str) -> Any | None:
    """Give the identity of a person at a provider."""
    return session.query(Identity).filter_by(issuer=issuer, subject=subject).first()


def identify(session: Session, issuer: str, subject: str, claim: str, *, admitted: bool) -> Any:
    """Give somebody's identity, made at their first sign-in; raises SignInRefused.

    A name that anybody has is never given, so that a claim cannot take over an
    account; afterwards only the subject counts.
    """
    if not subject or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise SignInRefused("The provider does not say who you are.", "Ask an administrator to check its claim 'sub'.")
    identity = find(session, issuer, subject)
    if identity is None:
        identity = _first_time(session, issuer, subject, claim)
    elif session.get(RemovedAccount, identity.name) is not None:
        raise SignInRefused(f"The account '{identity.name}' was removed.", "Ask an administrator to restore it.")
    identity.admitted = bool(identity.admitted or admitted)
    identity.signed_in_at = now()
    session.commit()
    return identity


def _first_time(session: Session, issuer: str, subject: str, claim: str) -> Identity:
    name = name_from_claim(claim)
    try:
        accounts.ensure_name_free(session, name)
    except accounts.AccountError as error:
        raise SignInRefused(
            f"Your user name here would be '{name}', and somebody else has it.",
            f"If that account is yours, or you need another name, ask an administrator to run: "
            f"twinhub user link NAME '{subject}'",
        ) from error
    if session.query(Identity).filter_by(admitted=False).count() >= MOST_WAITING:
        raise SignInRefused("Too many people wait to be admitted.", "Try again later, or tell an administrator.")
    identity = Identity(issuer=issuer, subject=subject, name=name, claim=claim[:255], admitted=False)
    session.add(identity)
    return identity


def link(session: Session, name: str, issuer: str, subject: str) -> None:
    """Say that a person at the provider is the owner of an account, or will be; raises AccountError."""
    accounts.check_name(name)
    taken: Any = session.query(Identity).filter_by(name=name).first()
    if taken is not None and (taken.issuer, taken.subject) != (issuer, subject):
        raise accounts.AccountError(f"'{name}' belongs to somebody else at the provider.", "Choose another name.")
    if session.get(RemovedAccount, name) is not None:
        raise accounts.AccountError(f"The account '{name}' was removed.", "Restore it first.")
    identity = find(session, issuer, subject) or Identity(issuer=issuer, subject=subject, claim="")
    identity.name = name
    identity.admitted = True
    session.add(identity)
    session.commit()
