"""The image that the workspace image starts from: the public one, or one made from Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import docker
import docker.errors

from twinhub.operate.image.command import Progress, run
from twinhub.operate.image.errors import ImageNotBuilt

PUBLIC_BASE: Final = "debian:bookworm-slim"
SUITE: Final = "bookworm"
PULL_TIMEOUT_S: Final = 60


def ensure_base(client: docker.DockerClient, installation: str, report: Progress) -> str:
    """Give the name of a base image, fetching or making one where there is none."""
    own = f"{installation}-workspace-base:{SUITE}"
    for candidate in (own, PUBLIC_BASE):
        try:
            client.images.get(candidate)
        except docker.errors.ImageNotFound:
            continue
        return candidate
    if _share_with_neighbour(client, own):
        return own
    report(f"fetching {PUBLIC_BASE}")
    try:
        pulled = subprocess.run(
            ["docker", "pull", "-q", PUBLIC_BASE], capture_output=True, text=True, check=False, timeout=PULL_TIMEOUT_S
        )
        if pulled.returncode == 0:
            return PUBLIC_BASE
    except subprocess.TimeoutExpired:
        pass
    report(f"no registry has {PUBLIC_BASE} for us; making a base from Debian's packages")
    _make_base(own, report)
    return own


def _share_with_neighbour(client: docker.DockerClient, own: str) -> bool:
    """Use the base that another installation on this machine has made, and all layers built on it with it."""
    tags = [tag for image in client.images.list() for tag in image.tags]
    oldest = sorted(tag for tag in tags if tag.endswith(f"-workspace-base:{SUITE}"))
    return bool(oldest) and bool(client.images.get(oldest[0]).tag(own))


def _make_base(own: str, report: Progress) -> None:
    if shutil.which("mmdebstrap") is None:
        _apt_install(["mmdebstrap", "debian-archive-keyring"], report)
    with tempfile.TemporaryDirectory(prefix="twinhub-base-") as folder:
        archive = Path(folder) / "root.tar"
        run(
            ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(archive)],
            report,
            "Debian's packages could not be made into a base image",
        )
        run(["docker", "import", str(archive), own], report, "the engine did not take the base image")


def _apt_install(packages: list[str], report: Progress) -> None:
    if os.getuid() != 0:
        raise ImageNotBuilt(
            f"{packages[0]} is needed to make the base image, and only root can install it.",
            f"sudo apt-get install {' '.join(packages)}",
        )
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run(["apt-get", "update", "-q"], report, "apt-get update failed")
    run(
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages],
        report,
        f"{packages[0]} could not be installed",
    )
