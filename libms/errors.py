"""What can be wrong with a request for assets.

The words at the start of the first three are those that clients of other
DTaaS installations know from Node's file system.
"""

from __future__ import annotations

from twinhub.errors import PublicError


class AssetNotFound(PublicError):
    """There is nothing at the path, or nothing the person may see: the answer is the same."""

    code = "not_found"
    status = 404


class NotAFolder(PublicError):
    """A folder was asked for, and something else is there."""

    code = "not_a_folder"
    status = 409


class NotAFile(PublicError):
    """A file was asked for, and something else is there."""

    code = "not_a_file"
    status = 409


class PathRefused(PublicError):
    """The path is not one of an asset."""

    code = "path_refused"
    status = 400


class Exists(PublicError):
    """Something stands at the path already."""

    code = "exists"
    status = 412


class Changed(PublicError):
    """Somebody changed the asset meanwhile."""

    code = "changed"
    status = 412


class DiskFull(PublicError):
    """The disk has no room for the asset."""

    code = "disk_full"
    status = 507


class NotYours(PublicError):
    """The asset belongs to another account of the workspace, such as root."""

    code = "not_yours"
    status = 403


class Incomplete(PublicError):
    """The upload ended before all of it came."""

    code = "incomplete"
    status = 400


class NoSuchTrash(PublicError):
    """There is nothing in the trash under that id."""

    code = "trash_not_found"
    status = 404


class BadRequest(PublicError):
    """The request cannot be understood."""

    code = "bad_request"
    status = 400


class RefNotFound(PublicError):
    """There is no such branch, tag or commit, or the library keeps no versions here."""

    code = "ref_not_found"
    status = 404


class BackendUnreachable(PublicError):
    """The repository that keeps the assets does not answer, or refuses the platform's own sign-in."""

    code = "backend_unreachable"
    status = 503


class QuotaExceeded(PublicError):
    """The owner has no room left."""

    code = "quota_exceeded"
    status = 507


class Frozen(PublicError):
    """A published version never changes."""

    code = "frozen"
    status = 409


class ChecksumMismatch(PublicError):
    """What arrived is not what was sent. 460 is the tus protocol's own status."""

    code = "checksum_mismatch"
    status = 460


class UploadNotFound(PublicError):
    """There is no such upload of this person, or it has expired."""

    code = "upload_not_found"
    status = 404


class QueryTooLong(PublicError):
    """The query took longer than queries may."""

    code = "query_too_long"
    status = 503


class Busy(PublicError):
    """The person has too many queries under way."""

    code = "busy"
    status = 429
