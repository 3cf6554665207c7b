"""The accounts and passwords that NativeAuthenticator keeps in the hub's database.

Its own pages change accounts on plain links (GET) and break with the hub we
use, so the rules stand here and our pages and the `twinhub user` command use them.
"""

from __future__ import annotations

import re
from typing import Any, Final

import bcrypt
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy.orm import Session

from hub.tables import Identity, RemovedAccount, ServiceAccount
from twinhub.errors import PublicError
from twinhub.names import COMMON, USERNAME_PATTERN

LONGEST_SHOWN: Final = 40
LONGEST_PASSWORD_BYTES: Final = 72
"""bcrypt reads no further, so anything longer would be cut silently."""

SYSTEM_NAMES: Final = (
    "root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody workspace sudo "
    "messagebus sshd systemd-network systemd-resolve systemd-timesync"
)
"""Accounts that Debian's packages make inside a workspace; its owner's account stands beside them."""

NUL: Final = "\0"
NOT_UTF8: Final = "\ufffd"
"""What bytes that are no text are read as, all of them alike."""

RESERVED_NAMES: Final = frozenset({COMMON, "hub", "api", "twinhub", *SYSTEM_NAMES.split()})


class AccountError(PublicError):
    """An account cannot be made or changed as asked."""

    code = "account"


class AccountMissing(PublicError):
    """There is no account of that name."""

    code = "account_missing"
    status = 404


def check_name(name: str) -> None:
    """Refuse a name that could not be a folder, a container and an address as well."""
    if name in RESERVED_NAMES:
        raise AccountError(f"The name '{name}' is taken by the platform itself.", "Choose another one.")
    if not re.fullmatch(USERNAME_PATTERN, name):
        raise AccountError(
            f"'{short(name)}' cannot be a user name.",
            "Use 2 to 32 lower-case letters, digits, '.', '_' or '-', starting with a letter and ending with "
            "a letter or digit.",
        )


def check_password(password: str, shortest: int) -> None:
    """Refuse a password that is too short, or longer than its hash can tell apart."""
    if len(password) < shortest:
        raise AccountError(f"The password has {len(password)} characters.", f"Use at least {shortest}.")
    if len(password.encode()) > LONGEST_PASSWORD_BYTES:
        raise AccountError(
            f"The password is {len(password.encode())} bytes long.", f"Use at most {LONGEST_PASSWORD_BYTES} bytes."
        )
    if NUL in password or NOT_UTF8 in password:
        raise AccountError("The password holds a character that cannot be kept.", "Leave it out.")


def find(session: Session, name: str) -> Any | None:
    """Give the stored row, read anew: the command line may have changed it behind the hub's back."""
    return session.query(UserInfo).populate_existing().filter(UserInfo.username == name).first()


def get(session: Session, name: str) -> Any:
    """Give the stored row; raises AccountMissing."""
    row = find(session, name)
    if row is None:
        raise AccountMissing(f"There is no account '{short(name)}' with a password.", "'twinhub user list' shows all.")
    return row


def short(name: str) -> str:
    """Give a name fit for a message or a log: what people send may be long, or hold line breaks."""
    shown = name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "…"
    return "".join(letter if letter.isprintable() else "?" for letter in shown)


def ensure_name_free(session: Session, name: str) -> None:
    """Refuse a name that anybody has, or had: a person, a program, somebody at a provider, a removed account.

    Whoever got the name of a removed account would find its files.
    """
    kinds = (
        (UserInfo, UserInfo.username),
        (orm.User, orm.User.name),
        (Identity, Identity.name),
        (ServiceAccount, ServiceAccount.name),
    )
    if any(session.query(kind).filter(column == name).first() is not None for kind, column in kinds):
        raise AccountError(f"The name '{name}' is taken.", "Choose another one.")
    if session.get(RemovedAccount, name) is not None:
        raise AccountError(
            f"The name '{name}' belongs to an account that was removed, whose files are kept.",
            "Choose another one, or ask an administrator to restore it.",
        )


def create(session: Session, name: str, password: str, *, shortest: int, admitted: bool) -> None:
    """Add an account; raises AccountError."""
    check_name(name)
    check_password(password, shortest)
    ensure_name_free(session, name)
    session.add(UserInfo(username=name, password=_hash(password), is_authorized=admitted))
    session.commit()


def admit(session: Session, name: str) -> None:
    """Let an account sign in."""
    get(session, name).is_authorized = True
    session.commit()


def change_password(session: Session, name: str, password: str, *, shortest: int) -> None:
    """Replace a password; raises AccountError, AccountMissing."""
    check_password(password, shortest)
    get(session, name).password = _hash(password)
    session.commit()


def refuse(session: Session, name: str) -> None:
    """Delete the request of somebody who was never admitted."""
    row = get(session, name)
    if row.is_authorized:
        raise AccountError(f"{name} has been admitted already.", "Remove the account instead.")
    session.delete(row)
    session.commit()


def password_matches(row: Any | None, password: str) -> bool:
    """Compare with the stored hash, taking as long for a name that does not exist."""
    if len(password.encode()) > LONGEST_PASSWORD_BYTES or NUL in password or NOT_UTF8 in password:
        return False
    stored = _NOBODY if row is None else row.password
    return bcrypt.checkpw(password.encode(), stored) and row is not None


def _hash(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())


_NOBODY: Final = _hash("nobody has this password")
