"""What is said to people who write models and to those who send messages."""

from __future__ import annotations

from twinhub.errors import PublicError


class ModelRefused(PublicError):
    """A class is no model that could run."""

    code = "model_refused"
    status = 422


class MessageRefused(PublicError):
    """A message does not fit what its model takes."""

    code = "message_refused"
    status = 422
