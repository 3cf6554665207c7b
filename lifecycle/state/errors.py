"""What can be refused where states are kept and brought back."""

from __future__ import annotations

from lifecycle.errors import TwinError


class ContentMissing(TwinError):
    """A content is known by its checksum only."""

    code = "content_missing"
    status = 410


class TooLarge(TwinError):
    """There is more to keep than there is room for."""

    code = "too_large"
    status = 413


class CannotKeep(TwinError):
    """Something in the twin's folders is of a kind that cannot be kept."""

    code = "cannot_keep"
    status = 409


class SnapshotNotFound(TwinError):
    """There is no such snapshot."""

    code = "snapshot_not_found"
    status = 404


class SnapshotExists(TwinError):
    """A snapshot of that name is there already."""

    code = "snapshot_exists"
    status = 409


class VersionNotFound(TwinError):
    """There is no such version of the twin's configuration."""

    code = "version_not_found"
    status = 404


class CannotReplay(TwinError):
    """The run cannot be repeated with what it had."""

    code = "cannot_replay"
    status = 409


class SweepRefused(TwinError):
    """The sweep's values or its size are out of bounds."""

    code = "sweep_refused"


class SweepNotFound(TwinError):
    """There is no such sweep."""

    code = "sweep_not_found"
    status = 404


class Busy(TwinError):
    """The twin runs, or something else changes it at this moment."""

    code = "busy"
    status = 409
