"""What can go wrong with backups."""

from __future__ import annotations

from twinhub.errors import PublicError


class BackupRefused(PublicError):
    """A backup cannot be made, or not there."""

    code = "backup_refused"
    status = 409


class BackupMissing(PublicError):
    """There is no backup of that name."""

    code = "backup_missing"
    status = 404


class BackupDamaged(PublicError):
    """A backup does not hold what its manifest says."""

    code = "backup_damaged"
    status = 500


class RestoreRefused(PublicError):
    """A backup cannot be restored there."""

    code = "restore_refused"
    status = 409
