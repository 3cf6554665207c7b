"""Secrets: private from their first moment, never replaced, never accepted when open to others."""

from pathlib import Path

import pytest

from twinhub.secrets import SecretUnreadable, ensure_secret, read_secret


def test_a_secret_is_private_and_stays_the_same(tmp_path: Path) -> None:
    """A second run of the installer that changed secrets would sign everybody out."""
    file = tmp_path / "session"
    assert ensure_secret(file)
    first = read_secret(file)
    assert not ensure_secret(file)
    assert read_secret(file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(first) == 64


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Starting with a leaked secret would hide the leak."""
    file = tmp_path / "session"
    ensure_secret(file)
    file.chmod(0o644)
    with pytest.raises(SecretUnreadable, match="chmod 600"):
        read_secret(file)


def test_a_missing_and_an_empty_secret_are_named(tmp_path: Path) -> None:
    """The operator must learn which file it is."""
    with pytest.raises(SecretUnreadable, match="session"):
        read_secret(tmp_path / "session")
    empty = tmp_path / "empty"
    empty.touch(0o600)
    with pytest.raises(SecretUnreadable, match="empty"):
        read_secret(empty)
