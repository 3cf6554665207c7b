"""The one kind of error that people see; everything else is our bug and stays in the log."""

from __future__ import annotations

from typing import Any, ClassVar


class PublicError(Exception):
    """Say what is wrong and what to do next, in words meant for people.

    Subclasses set `code`, which programs may rely on for ever, and `status`,
    the HTTP status that goes with it. `what` names the thing, the value given
    and the state; `fix` names the next thing to do.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(f"{what} {fix}".strip())
        self.what = what
        self.fix = fix

    def as_json(self) -> dict[str, Any]:
        """Give the shape that every JSON answer of ours carries."""
        return {"error": {"code": self.code, "what": self.what, "fix": self.fix}}


class SettingsError(PublicError):
    """The configuration file cannot be used."""

    code = "settings"
    status = 500


class NotSignedIn(PublicError):
    """The request carries no valid token and no session."""

    code = "not_signed_in"
    status = 401


class Forbidden(PublicError):
    """The person is known and may not do this."""

    code = "forbidden"
    status = 403


class HubUnreachable(PublicError):
    """Nobody can be signed in while the hub does not answer."""

    code = "hub_unreachable"
    status = 503


class HubRefused(PublicError):
    """The hub does not do what it was asked for."""

    code = "hub_refused"
    status = 409


class TooLarge(PublicError):
    """What was sent, or asked for, is larger than allowed here."""

    code = "too_large"
    status = 413
