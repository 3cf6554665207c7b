"""What is said to people who write models and to those who send messages."""

from __future__ import annotations

from typing import Any, ClassVar


class RealtimeError(Exception):
    """Subclasses set a stable `code` and the HTTP `status`; like the platform's PublicError, which workers do not have."""

    code: ClassVar[str] = "realtime"
    status: ClassVar[int] = 400

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(f"{what} {fix}".strip())
        self.what = what
        self.fix = fix

    def as_json(self) -> dict[str, Any]:
        """Give the shape that every JSON answer of the platform carries."""
        return {"error": {"code": self.code, "what": self.what, "fix": self.fix}}


class ModelRefused(RealtimeError):
    """A class is no model that could run."""

    code = "model_refused"
    status = 422


class MessageRefused(RealtimeError):
    """A message does not fit what its model takes."""

    code = "message_refused"
    status = 422


class QueryRefused(RealtimeError):
    """A question about instances cannot be answered as it stands."""

    code = "query_refused"
    status = 422
