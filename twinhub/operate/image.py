"""The workspace image: gather what it is made of, build it when something of that changed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
import docker.errors

from twinhub.errors import PublicError

SOURCE: Final = Path(__file__).parents[2]
PUBLIC_BASE: Final = "debian:bookworm-slim"
SUITE: Final = "bookworm"
INPUTS_LABEL: Final = "twinhub.inputs"
PULL_TIMEOUT_S: Final = 60
MACHINE_AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")

Progress = Callable[[str], None]


class ImageNotBuilt(PublicError):
    """The workspace image could not be built."""

    code = "image_not_built"
    status = 500


@dataclass(frozen=True)
class ImageResult:
    """What came of it."""

    image_id: str
    built: bool
    size_mb: int


def ensure_image(name: str, *, uid: int, ca_bundle: Path | None, report: Progress) -> ImageResult:
    """Build the image unless one with the same inputs is there; raises ImageNotBuilt."""
    with tempfile.TemporaryDirectory(prefix="twinhub-image-") as folder:
        context = Path(folder)
        _gather(context, ca_bundle)
        inputs = _digest(context, uid)
        client = docker.from_env(timeout=60)
        try:
            found = _find(client, name, inputs)
            if found is not None:
                return found
            base = _ensure_base(client, name, report)
            _build(context, name, base=base, uid=uid, inputs=inputs, report=report)
            result = _find(client, name, inputs)
            if result is None:
                raise ImageNotBuilt(f"The image {name} was built and is not there.", "Look at 'docker images'.")
            return ImageResult(result.image_id, True, result.size_mb)
        finally:
            client.close()


def _find(client: docker.DockerClient, name: str, inputs: str) -> ImageResult | None:
    try:
        image = client.images.get(name)
    except docker.errors.ImageNotFound:
        return None
    if image.labels.get(INPUTS_LABEL) != inputs:
        return None
    return ImageResult(str(image.id), False, int(image.attrs["Size"]) // 1_000_000)


def _gather(context: Path, ca_bundle: Path | None) -> None:
    """Lay out the build context."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", "build", "*.fmu")
    shutil.copytree(SOURCE / "workspace-image", context, dirs_exist_ok=True, ignore=ignore)
    for room in ("lifecycle", "examples", "tools"):
        shutil.copytree(SOURCE / room, context / room, ignore=ignore)
    for lock in ("workspace.lock", "workspace-user.lock"):
        shutil.copy(SOURCE / "requirements" / lock, context / lock)
    shutil.copyfile(ca_bundle or MACHINE_AUTHORITIES, context / "ca-certificates.crt")


def _digest(context: Path, uid: int) -> str:
    """Give a digest of names, executable bits and contents of all that goes into the image."""
    digest = hashlib.sha256(f"uid={uid}".encode())
    for file in sorted(context.rglob("*")):
        if file.is_file():
            executable = bool(file.stat().st_mode & 0o100)
            digest.update(f"\0{file.relative_to(context)}\0{executable}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _ensure_base(client: docker.DockerClient, name: str, report: Progress) -> str:
    """Give the name of a base image: the public one, or one made from Debian's packages."""
    own = f"{name.partition(':')[0]}-base:{SUITE}"
    for candidate in (own, PUBLIC_BASE):
        try:
            client.images.get(candidate)
        except docker.errors.ImageNotFound:
            continue
        return candidate
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


def _make_base(own: str, report: Progress) -> None:
    if shutil.which("mmdebstrap") is None:
        _apt_install(["mmdebstrap", "debian-archive-keyring"], report)
    with tempfile.TemporaryDirectory(prefix="twinhub-base-") as folder:
        archive = Path(folder) / "root.tar"
        _run(
            ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(archive)],
            report,
            "Debian's packages could not be made into a base image",
        )
        _run(["docker", "import", str(archive), own], report, "the engine did not take the base image")


def _apt_install(packages: list[str], report: Progress) -> None:
    if os.getuid() != 0:
        raise ImageNotBuilt(
            f"{packages[0]} is needed to make the base image, and only root can install it.",
            f"sudo apt-get install {' '.join(packages)}",
        )
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    _run(["apt-get", "update", "-q"], report, "apt-get update failed")
    _run(
        ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages],
        report,
        f"{packages[0]} could not be installed",
    )


def _build(context: Path, name: str, *, base: str, uid: int, inputs: str, report: Progress) -> None:
    arguments = {"BASE": base, "WORKSPACE_UID": str(uid)}
    arguments |= {key: os.environ[key] for key in ("http_proxy", "https_proxy", "no_proxy") if os.environ.get(key)}
    command = ["docker", "build", "--tag", name, "--label", f"{INPUTS_LABEL}={inputs}"]
    for key, value in arguments.items():
        command += ["--build-arg", f"{key}={value}"]
    # The classic builder is in every engine; BuildKit needs a plugin that Debian does not ship.
    _run([*command, str(context)], report, "the workspace image could not be built", {"DOCKER_BUILDKIT": "0"})


def _run(command: list[str], report: Progress, failure: str, environment: dict[str, str] | None = None) -> None:
    """Run a command, passing on its milestones; raises ImageNotBuilt with its last words."""
    words: list[str] = []
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
    )
    reader = threading.Thread(target=lambda: words.extend(_pass_on(process, report)))
    reader.start()
    status = process.wait()
    reader.join()
    if status:
        last = " ".join(" ".join(words[-6:]).split())[-500:]
        raise ImageNotBuilt(
            f"{failure[0].upper()}{failure[1:]}: {last}",
            "Check the network, the disk and ca_bundle, then run this again.",
        )


def _pass_on(process: subprocess.Popen[str], report: Progress) -> Iterator[str]:
    assert process.stdout is not None  # noqa: S101 - asked for above
    for line in process.stdout:
        step = re.match(r"Step (\d+)/(\d+) : RUN (\S+(?: \S+){0,4})", line)
        if step:
            report(f"step {step[1]} of {step[2]}: {step[3]}")
        yield line.rstrip()
