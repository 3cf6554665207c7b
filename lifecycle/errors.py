"""The one kind of error that people see: what is wrong, and what to do next."""

from __future__ import annotations

from typing import Any, ClassVar


class TwinError(Exception):
    """Subclasses set a stable `code`, the HTTP `status` and the command's `exit_code`."""

    code: ClassVar[str] = "twin"
    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(f"{what} {fix}".strip())
        self.what = what
        self.fix = fix

    def as_json(self) -> dict[str, Any]:
        """Give the shape that every JSON answer of the platform carries."""
        return {"error": {"code": self.code, "what": self.what, "fix": self.fix}}


class TwinNotFound(TwinError):
    """There is no such twin."""

    code = "twin_not_found"
    status = 404


class PhaseNotSupported(TwinError):
    """The twin has no program for the phase."""

    code = "phase_not_supported"
    status = 404


class PhaseNotRunnable(TwinError):
    """The phase's program is there and cannot be run."""

    code = "phase_not_runnable"
    status = 409


class AlreadyRunning(TwinError):
    """The phase of this twin runs already."""

    code = "already_running"
    status = 409


class RunNotFound(TwinError):
    """There is no such run."""

    code = "run_not_found"
    status = 404


class NotRunning(TwinError):
    """There is nothing to stop."""

    code = "not_running"
    status = 409


class BadRequest(TwinError):
    """The request cannot be understood."""

    code = "bad_request"


class NoSpace(TwinError):
    """The disk is full."""

    code = "no_space"
    status = 507


class CannotStart(TwinError):
    """The workspace has no room for another process."""

    code = "cannot_start"
    status = 503
