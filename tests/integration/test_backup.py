"""A backup made while people work, restored as a second platform on the same machine."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from tests.integration.conftest import Shell
from tests.support.installation import Installation, write_as_owner
from tests.support.people import Person, make_person
from twinhub.images import Variant, image_name

RESTORED = Path("/var/tmp/twinhub-test-restored")  # noqa: S108 - services that are not root must reach it
RESTORED_NAME, RESTORED_PORT = "twinhub-restored", 8490


@dataclass
class Made:
    """A backup, and what the people's folders held when it was made."""

    summary: dict[str, object]
    before: dict[str, object]

    @property
    def folder(self) -> Path:
        return Path(str(self.summary["folder"]))


def described(root: Path) -> dict[str, object]:
    """Give owner, mode, time and content of everything below a folder."""
    found: dict[str, object] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder) / name
            status = path.lstat()
            content = str(path.readlink()) if path.is_symlink() else ""
            if name in files and not path.is_symlink():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            what = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content)
            found[os.fsencode(path.relative_to(root)).hex()] = what
    return found


@pytest.fixture(scope="module")
def curie(installation: Installation) -> Iterator[Person]:
    """Somebody with files, who writes none while the backup is made."""
    person = make_person(installation, "curie")
    write_as_owner(installation.places.files / "curie" / "data" / "line\nbreak.csv", "a,b\n1,2\n")
    write_as_owner(installation.places.homes / "curie" / ".config" / "settings", "mine")
    yield person
    installation.twinhub("user", "remove", person.name, "--yes")
    for folder in (installation.places.files, installation.places.homes):
        shutil.rmtree(folder / person.name, ignore_errors=True)
    person.http.close()


@pytest.fixture(scope="module")
def made(installation: Installation, curie: Person, marie: Person, inside: Shell) -> Iterator[Made]:
    """A backup that was made while marie's workspace wrote a file all the time."""
    folder = installation.places.backups
    existed = folder.exists()
    inside(
        marie,
        "nohup sh -c 'while :; do date >>/workspace/data/busy.log; sleep 0.01; done' >/dev/null 2>&1 & echo $! >/tmp/busy",
    )
    try:
        before = described(installation.places.files / "curie")
        summary = json.loads(installation.twinhub("backup", "--json").stdout)
    finally:
        inside(marie, "kill $(cat /tmp/busy); rm -f /tmp/busy")
    yield Made(summary, before)
    inside(marie, "rm -f /workspace/data/busy.log")
    if not existed:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def restored(installation: Installation, made: Made) -> Iterator[Installation]:
    """A second platform from it, with a name and a port of its own."""
    second = Installation(RESTORED)
    remove(second, installation)
    options = ("--name", RESTORED_NAME, "--port", str(RESTORED_PORT), "--data-dir", str(RESTORED))
    installation.twinhub("restore", str(made.folder), *options)
    # Images are in no backup and would be built; the first platform's are the very same.
    client = docker.from_env()
    for variant in Variant:
        image = client.images.get(image_name(installation.places.settings.name, variant))
        image.tag(image_name(RESTORED_NAME, variant))
    client.close()
    operate(second, installation, "up")
    yield second
    remove(second, installation)


def operate(second: Installation, first: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the first platform's command for the second; a backup holds no code."""
    return first.twinhub("--data-dir", str(second.data_dir), *words)


def remove(second: Installation, first: Installation) -> None:
    if (second.data_dir / "secrets").exists():
        operate(second, first, "uninstall", "--purge", "--yes")
    shutil.rmtree(second.data_dir, ignore_errors=True)


def test_every_file_is_as_it_was(made: Made, restored: Installation) -> None:
    """Names with line breaks, owners, modes and times included: that is what a backup is for."""
    assert described(restored.places.files / "curie") == made.before
    assert (restored.places.homes / "curie" / ".config" / "settings").read_text() == "mine"
    assert made.summary["left_out"] == []


def test_a_file_that_was_written_meanwhile_is_a_true_beginning(
    installation: Installation, made: Made, restored: Installation
) -> None:
    """A running twin's output goes on; what is kept of it must not be torn in the middle."""
    now = (installation.places.files / "marie" / "data" / "busy.log").read_bytes()
    kept = (restored.places.files / "marie" / "data" / "busy.log").read_bytes()
    assert kept
    assert now.startswith(kept)


def test_people_sign_in_with_their_passwords_and_find_their_files(restored: Installation, curie: Person) -> None:
    """After a lost server, nobody wants to be told to make a new account."""
    again = Person(restored, curie.name, curie.password)
    again.sign_in()
    answer = again.ask("GET", "/lib/files/curie/data/line%0Abreak.csv")
    assert answer.text == "a,b\n1,2\n"
    again.http.close()


def test_secrets_keep_their_modes(installation: Installation, restored: Installation) -> None:
    """A restored secret that others could read would be one no more."""
    first = {file.name: file.read_bytes() for file in installation.places.secrets.iterdir()}
    second = {file.name: file.read_bytes() for file in restored.places.secrets.iterdir()}
    assert first == second
    assert [file.name for file in restored.places.secrets.iterdir() if file.stat().st_mode & 0o077] == []


def test_the_original_and_its_workspaces_go_on(
    installation: Installation, restored: Installation, marie: Person
) -> None:
    """The copy's hub knows marie's container from its database, and must not take it for its own."""
    assert operate(restored, installation, "status").returncode == 0
    assert marie.workspace_ready()
    assert marie.ask("GET", "/user/marie/api/status").status_code == 200


def test_the_next_backup_costs_only_what_changed(installation: Installation, made: Made) -> None:
    """A backup each day must not need the whole room each day; the one before stays whole."""
    second = json.loads(installation.twinhub("backup", "--json").stdout)
    assert second["new_bytes"] < max(int(str(made.summary["new_bytes"])) / 2, 5_000_000)
    assert "is whole" in installation.twinhub("backup", "verify", str(made.folder)).stdout


def test_a_backup_is_restored_into_an_empty_folder_only(installation: Installation, made: Made) -> None:
    """A slip in --data-dir must not cost the platform that runs."""
    done = installation.twinhub("restore", str(made.folder), "--data-dir", str(installation.data_dir), check=False)
    assert done.returncode == 1
    assert "is not empty" in done.stderr
