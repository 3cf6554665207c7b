"""A version that is broken never takes the platform down for longer than it takes to notice."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.installation import ROOT, Installation
from tests.support.people import Person


@dataclass
class Attempt:
    """What came of an upgrade to a broken version."""

    status: int
    said: str
    settings_before: str
    versions_before: str


@pytest.fixture(scope="module")
def attempt(installation: Installation, marie: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attempt]:
    """An upgrade to this very code, but for pages that raise at their start; with another setting on top."""
    checkout = tmp_path_factory.mktemp("broken")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in (name for name in listed.stdout.split("\0") if (ROOT / name).is_file()):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    broken = checkout / "web" / "__main__.py"
    broken.write_text(
        broken.read_text().replace("    places = read_places()\n", '    raise RuntimeError("broken")\n', 1)
    )
    if (ROOT / "web" / "dist").is_dir():
        shutil.copytree(ROOT / "web" / "dist", checkout / "web" / "dist")
    settings = installation.places.settings_file.read_text()
    versions = (installation.data_dir / "app" / "versions.json").read_text()
    done = installation.twinhub("upgrade", "--from", str(checkout), "--", "--domain", "wrong.example", check=False)
    yield Attempt(done.returncode, done.stdout + done.stderr, settings, versions)
    shutil.rmtree(checkout)


def test_the_refusal_says_what_happened_and_what_runs_now(attempt: Attempt) -> None:
    """Whoever upgrades at night must not wonder which version people meet in the morning."""
    assert attempt.status == 1, attempt.said
    assert "The web ended again and again right after its start." in attempt.said
    assert "The version before runs again" in attempt.said


def test_everything_runs_again_and_workspaces_never_stopped(
    installation: Installation, attempt: Attempt, marie: Person
) -> None:
    """A kernel that computes since yesterday must not notice."""
    rows = json.loads(installation.twinhub("status", "--json").stdout)["processes"]
    assert all(row["well"] for row in rows), rows
    assert marie.ask("GET", "/user/marie/api/status").status_code == 200
    assert marie.ask("GET", "/app/library").status_code == 200


def test_settings_and_versions_are_as_they_were(installation: Installation, attempt: Attempt) -> None:
    """Options given to an upgrade that failed must not come true at the next restart."""
    assert installation.places.settings_file.read_text() == attempt.settings_before
    assert (installation.data_dir / "app" / "versions.json").read_text() == attempt.versions_before
    assert "wrong.example" not in installation.twinhub("status").stdout


def test_what_the_broken_version_said_can_still_be_read(installation: Installation, attempt: Attempt) -> None:
    """It has to be mended."""
    assert "broken" in installation.twinhub("logs", "web", "-n", "400").stdout


def test_going_back_without_a_version_before_is_refused_in_words(installation: Installation, attempt: Attempt) -> None:
    """There is only one version here."""
    done = installation.twinhub("upgrade", "--back", check=False)
    assert done.returncode == 1
    assert "No version before this one is there." in done.stderr
