"""What cannot work is refused in one line with the remedy, before anything is started."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import ROOT, Installation
from twinhub.operate.supervisor import Supervisor
from twinhub.places import read_places


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(f"/var/tmp/twinhub-refused-{os.getpid()}")  # noqa: S108 - services must be able to reach it
    made.mkdir()
    yield made  # type: ignore[misc]
    subprocess.run(["rm", "-rf", str(made)], check=True)


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a command failed with one line that holds all the words."""
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("  ")]
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]
    assert "Traceback" not in done.stderr


def nothing_runs(folder: Path) -> bool:
    return not Supervisor(read_places(folder)).orphans() and not (folder / "run" / "supervisor.sock").exists()


def start_other(
    installation: Installation, folder: Path, *words: str, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run what install.sh hands over to, for another data folder."""
    command = next((installation.data_dir / "app").glob("*/venv/bin/twinhub"))
    return subprocess.run(
        [*prefix, str(command), "--data-dir", str(folder), "install", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_an_unknown_key_is_named_with_those_allowed(installation: Installation, folder: Path) -> None:
    """A typo in a setting must not be taken for the default."""
    (folder / "twinhub.yaml").write_text("prot: 8000\n")
    done = start_other(installation, folder)
    refused(done, "'prot'", "port", "twinhub config example")
    assert [entry.name for entry in folder.iterdir()] == ["twinhub.yaml"]


def test_a_running_platform_survives_a_bad_configuration(installation: Installation) -> None:
    """The operator's typo stops nothing that runs."""
    file = installation.places.settings_file
    before = file.read_text()
    file.write_text(before + "nonsense: 1\n")
    try:
        done = installation.twinhub("up", check=False)
        refused(done, "'nonsense'")
    finally:
        file.write_text(before)
    assert installation.twinhub("status").returncode == 0


def test_a_taken_port_is_named(installation: Installation, folder: Path) -> None:
    """The usual trouble on a shared machine."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = start_other(installation, folder, "--port", str(port), "--name", "refused", "--address", "127.0.0.1")
    refused(done, f"Port {port}", "--port")
    assert nothing_runs(folder)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk with 50 MB."""
    mounted = folder / "small"
    mounted.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(mounted)], check=True)
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


def test_a_disk_that_is_nearly_full_is_named_with_figures(installation: Installation, small_disk: Path) -> None:
    """By install.sh before it fetches anything, and by the command."""
    command = [str(ROOT / "install.sh"), "--data-dir", str(small_disk / "data"), "--name", "refused"]
    refused(subprocess.run(command, capture_output=True, text=True, check=False), "MB free", "--data-dir")
    done = start_other(installation, small_disk / "data", "--port", "8490", "--name", "refused")
    refused(done, "GB free", "--data-dir")
    assert nothing_runs(small_disk / "data")


def test_an_engine_that_is_missing_and_not_installable_is_said_with_the_remedy(
    installation: Installation, folder: Path
) -> None:
    """A machine without a way to packages; made so in a mount namespace, the real machine stays as it is."""
    hide = (
        "for program in $(command -v dockerd) /usr/sbin/dockerd; do mount --bind /dev/null $program; done; "
        'mount --bind /bin/false $(command -v apt-get); mount -t tmpfs none /run; exec "$@"'
    )
    done = start_other(
        installation,
        folder,
        "--port",
        "8490",
        "--name",
        "refused",
        "--address",
        "127.0.0.1",
        prefix=("unshare", "--mount", "bash", "-c", hide, "hide"),
    )
    refused(done, "engine", "apt-get install docker.io")
    assert nothing_runs(folder)


@pytest.mark.parametrize("words", [["--prot", "1"], ["--port"], ["--purge"], ["stray"]])
def test_wrong_usage_of_the_installer_is_said_in_one_line(words: list[str]) -> None:
    """Exit code 2, as for every command, and nothing is touched."""
    done = subprocess.run([str(ROOT / "install.sh"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "--help" in done.stderr


def test_help_explains_every_option() -> None:
    """What the installer can do must not be a secret."""
    done = subprocess.run([str(ROOT / "install.sh"), "--help"], capture_output=True, text=True, check=True)
    for option in (
        "--data-dir",
        "--port",
        "--address",
        "--domain",
        "--name",
        "--admin",
        "--ca-bundle",
        "--tls",
        "--tls-certificate",
        "--tls-key",
        "--acme-email",
        "--uninstall",
        "--purge",
    ):
        assert option in done.stdout
