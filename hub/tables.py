"""Tables of ours in the hub's database; the hub makes those that are missing when it starts."""

from __future__ import annotations

from typing import Any

from jupyterhub.orm import Base, JSONDict, JSONList, utcnow
from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, Unicode, UniqueConstraint


def now() -> Any:
    """Give the time as this database keeps it: UTC without a zone."""
    return utcnow(with_tz=False)


class Identity(Base):
    """Who somebody is at a provider, and which account is theirs."""

    __tablename__ = "twinhub_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id = Column(Integer, primary_key=True)
    issuer = Column(Unicode(1023), nullable=False)
    subject = Column(Unicode(255), nullable=False)
    """Never changes and is never given to somebody else, unlike names and mail addresses."""
    name = Column(Unicode(255), nullable=False, unique=True)
    claim = Column(Unicode(255), default="")
    admitted = Column(Boolean, default=False, nullable=False)
    created_at = Column(DateTime, default=now)
    signed_in_at = Column(DateTime, default=now)


class Invitation(Base):
    """A link that makes an account for whoever has it."""

    __tablename__ = "twinhub_invitations"

    id = Column(Integer, primary_key=True)
    hashed = Column(Unicode(64), nullable=False, unique=True)
    note = Column(Unicode(255), default="")
    admin = Column(Boolean, default=False, nullable=False)
    groups = Column(JSONList, default=list)
    uses_left = Column(Integer, nullable=False)
    used_by = Column(JSONList, default=list)
    created_by = Column(Unicode(255), nullable=False)
    created_at = Column(DateTime, default=now)
    expires_at = Column(DateTime, nullable=False)


class ServiceAccount(Base):
    """An account without a password, for programs."""

    __tablename__ = "twinhub_service_accounts"

    name = Column(Unicode(255), primary_key=True)
    note = Column(Unicode(255), default="")
    created_by = Column(Unicode(255), nullable=False)
    created_at = Column(DateTime, default=now)


class RemovedAccount(Base):
    """An account that was removed; its name stays taken as long as its files are here."""

    __tablename__ = "twinhub_removed_accounts"

    name = Column(Unicode(255), primary_key=True)
    password = Column(LargeBinary, nullable=True)
    kept = Column(JSONDict, default=dict)
    """admin, groups, identity and service: what a restored account gets back."""
    removed_at = Column(DateTime, default=now)


TABLES = (Identity, Invitation, ServiceAccount, RemovedAccount)
