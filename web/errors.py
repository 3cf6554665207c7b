"""What can be wrong with a request to the pages' own API."""

from __future__ import annotations

from twinhub.errors import PublicError


class WorkspaceStopped(PublicError):
    """The request needs a running workspace."""

    code = "workspace_stopped"
    status = 409


class WorkspaceSilent(PublicError):
    """The workspace runs and does not answer."""

    code = "workspace_silent"
    status = 502


class MonitorSilent(PublicError):
    """The monitor, which knows how the other parts are, does not answer."""

    code = "monitor_silent"
    status = 503


class TooManyRequests(PublicError):
    """The person has too many requests to the workspace under way."""

    code = "too_many_requests"
    status = 429


class TooLarge(PublicError):
    """The request's body is larger than the address takes."""

    code = "too_large"
    status = 413


class PartSilent(PublicError):
    """A part of the platform, or a server mounted beside it, does not answer the gateway."""

    code = "part_silent"
    status = 502


class ForeignWorkspace(PublicError):
    """A browser asks for the workspace of somebody else."""

    code = "foreign_workspace"
    status = 403


class BadRequest(PublicError):
    """The request cannot be understood."""

    code = "bad_request"


class PageNotFound(PublicError):
    """There is no such page."""

    code = "page_not_found"
    status = 404


class KeepRefused(PublicError):
    """A workspace cannot be kept until that time."""

    code = "keep_refused"
    status = 409
