"""Settings given to the installer are kept, and a bad one changes nothing."""

import os
from pathlib import Path

import pytest

from twinhub.operate.install import KEPT, REMOVED, NotAnInstallation, uninstall, write_settings
from twinhub.operate.layout import ensure_layout
from twinhub.operate.report import Report
from twinhub.places import Places
from twinhub.settings import Settings, SettingsError, read_settings


def test_options_are_written_and_comments_stay(tmp_path: Path) -> None:
    """An operator's notes in the file must survive the next run of the installer."""
    file = tmp_path / "twinhub.yaml"
    file.write_text("# our machine\nport: 8000  # asked IT\n")
    assert write_settings(file, {"port": 8100, "accounts.admin": "boss", "domain": None})
    assert "# our machine" in file.read_text()
    assert "# asked IT" in file.read_text()
    settings = read_settings(file)
    assert (settings.port, settings.accounts.admin) == (8100, "boss")


def test_the_same_options_change_nothing(tmp_path: Path) -> None:
    """Running the installer again restarts nothing."""
    file = tmp_path / "twinhub.yaml"
    write_settings(file, {"port": 8100})
    before = file.stat().st_mtime_ns
    assert not write_settings(file, {"port": 8100})
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("changes", [{"port": 99999}, {"name": "Not Valid"}, {"accounts.admin": "root/.."}])
def test_a_bad_option_leaves_the_file_as_it_was(tmp_path: Path, changes: dict[str, object]) -> None:
    """A refused installation must not break a running one."""
    file = tmp_path / "twinhub.yaml"
    file.write_text("port: 8000\n")
    with pytest.raises(SettingsError):
        write_settings(file, changes)
    assert file.read_text() == "port: 8000\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["twinhub.yaml"]


def test_a_folder_that_is_no_installation_is_never_removed(tmp_path: Path) -> None:
    """`--uninstall --data-dir /home` must not delete anybody's home."""
    (tmp_path / "precious").write_text("keep")
    with pytest.raises(NotAnInstallation):
        uninstall(Places(tmp_path, Settings()), Report(quiet=True), purge=True)
    assert (tmp_path / "precious").exists()


def test_every_folder_of_an_installation_is_known_to_its_removal(tmp_path: Path) -> None:
    """After 'uninstall --purge' nothing is left, names of people least of all."""
    places = Places(tmp_path, Settings().for_installer(os.getuid()))
    ensure_layout(places)
    made = {entry.name for entry in tmp_path.iterdir()}
    assert len(made) > 10
    assert made - {*KEPT, *REMOVED} == set()
