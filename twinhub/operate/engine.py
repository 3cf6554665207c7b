"""The container engine: find it, install it, run it where no init system does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import docker
import docker.errors

from twinhub.errors import PublicError

PACKAGES: Final = ("docker.io", "iptables")
OS_RELEASE: Final = Path("/etc/os-release")


class EngineMissing(PublicError):
    """There is no container engine, and none can be installed."""

    code = "engine_missing"
    status = 500


class EngineRemaps(PublicError):
    """The engine gives containers other accounts than the machine's."""

    code = "engine_remaps"
    status = 500


def refuse_remapping(security_options: Iterable[str]) -> None:
    """Raise EngineRemaps for an engine with `userns-remap`; the options are those that it tells of itself.

    An account in a container is then another one outside. People's files belong to
    one account on both sides, so in a workspace they would be nobody's.
    """
    if any("name=userns" in option for option in security_options):
        raise EngineRemaps(
            "The container engine is set to 'userns-remap', so that nobody could write to their own files in a workspace.",
            'Take "userns-remap" out of /etc/docker/daemon.json and restart the engine, or use another machine. '
            "'workspaces.sudo: false' takes root away from workspaces without it.",
        )


def security_options() -> list[str]:
    """Give what the engine says of its own guards; nothing of one that does not answer."""
    try:
        client = docker.from_env(timeout=10)
    except docker.errors.DockerException:
        return []
    try:
        return [str(option) for option in client.info().get("SecurityOptions") or []]
    except (docker.errors.DockerException, OSError):
        return []
    finally:
        client.close()


def engine_answers() -> bool:
    """Tell whether a container engine takes our commands."""
    try:
        client = docker.from_env(timeout=10)
    except docker.errors.DockerException:
        return False
    try:
        return bool(client.ping())
    except (docker.errors.DockerException, OSError):
        return False
    finally:
        client.close()


def install_engine(report: Callable[[str], None]) -> None:
    """Install Debian's or Ubuntu's own engine unless one is there; raises EngineMissing."""
    if _engine_program() is not None:
        _refuse_others_engine()
        return
    if os.getuid() != 0:
        raise EngineMissing(
            "No container engine answers, and only root can install one.",
            f"Run as root, or: sudo apt-get install {' '.join(PACKAGES)}",
        )
    if shutil.which("apt-get") is None:
        raise EngineMissing(
            f"No container engine answers, and this machine ({_system_name()}) has no apt-get to install one with.",
            "Install Docker Engine by hand, start it, then run this again.",
        )
    report(f"installing {' and '.join(PACKAGES)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    # An update may fail for one of several sources; what counts is whether the engine came.
    if done.returncode or _engine_program() is None:
        last = " ".join((done.stderr or done.stdout).split())[-400:]
        raise EngineMissing(
            f"The container engine could not be installed; apt-get said: {last}",
            f"Make 'apt-get install {' '.join(PACKAGES)}' work, then run this again.",
        )


def engine_command(data_dir: Path) -> list[str]:
    """Give the command that runs the engine in the foreground.

    Containers go on while it restarts (live-restore), so killing it hurts no workspace.
    """
    program = _engine_program() or "/usr/sbin/dockerd"
    return [program, "--live-restore", _pid_option(data_dir)]


def _pid_option(data_dir: Path) -> str:
    return f"--pidfile={data_dir / 'run' / 'engine.pid'}"


def own_engine(data_dir: Path) -> int | None:
    """Give the process id of the engine that this installation started, whoever its parent is now."""
    try:
        pid = int((data_dir / "run" / "engine.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(_pid_option(data_dir)) in words else None


def end_own_engine(data_dir: Path, timeout_s: float = 30.0) -> None:
    """End the engine that this installation started, and nobody else's; its containers go on."""
    pid = own_engine(data_dir)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while own_engine(data_dir) == pid and time.monotonic() < deadline:
        time.sleep(0.1)


def wait_for_engine(timeout_s: float, log: Path) -> None:
    """Return when the engine answers; raises EngineMissing."""
    deadline = time.monotonic() + timeout_s
    while not engine_answers():
        if time.monotonic() > deadline:
            raise EngineMissing(
                f"The container engine did not answer within {timeout_s:.0f} s.",
                f"Its own words are in {log}. A kernel without overlay or bridge support is a usual cause.",
            )
        time.sleep(0.2)


def _engine_program() -> str | None:
    return shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")


def _refuse_others_engine() -> None:
    """Refuse to start a second engine beside one that runs and only rejects us, or listens elsewhere."""
    socket = Path("/var/run/docker.sock")
    if os.environ.get("DOCKER_HOST"):
        raise EngineMissing(
            f"DOCKER_HOST is {os.environ['DOCKER_HOST']}, and no engine answers there.",
            "Start that engine, or unset DOCKER_HOST.",
        )
    if os.getuid() != 0:
        reason = "may not be used by this account" if socket.exists() else "does not run"
        raise EngineMissing(
            f"The container engine {reason}.",
            "Ask an administrator to start it and to add you: sudo usermod -aG docker $USER, then sign in again.",
        )


def _system_name() -> str:
    try:
        lines = dict(line.split("=", 1) for line in OS_RELEASE.read_text().splitlines() if "=" in line)
    except OSError:
        return "unknown system"
    return lines.get("PRETTY_NAME", "unknown system").strip('"')
