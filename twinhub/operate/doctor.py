"""Look at everything the platform needs and say what to do about what is not right."""

from __future__ import annotations

import docker
import docker.errors

from twinhub.errors import PublicError
from twinhub.operate import checks, engine, firewall, posture
from twinhub.operate.certificates import check_server_certificate
from twinhub.operate.health import PARTS, fetch_health
from twinhub.operate.programs import image_name
from twinhub.operate.supervisor import Supervisor
from twinhub.places import Places


def diagnose(places: Places) -> list[checks.Finding]:
    """Look at everything the platform needs; never raises for what it finds."""
    supervisor = Supervisor(places)
    running = supervisor.running()
    findings = [
        checks.check_reachable_folder(places),
        checks.check_disk(places.data_dir, checks.WANTED_FREE_GB),
        checks.check_certificates(places),
        check_server_certificate(places),
        _check_engine(),
        _check_image(places),
        _check_secrets(places),
        _check_firewall(places),
    ]
    if running:
        findings.extend(_check_parts(places, supervisor))
    else:
        findings.append(checks.Finding("processes", False, "The platform does not run.", "Start it with 'twinhub up'."))
        findings.extend(checks.check_ports_free(places))
    return findings


def examine_posture(places: Places) -> list[checks.Finding]:
    """Look at how well the platform is guarded; never raises for what it finds."""
    supervisor = Supervisor(places)
    return posture.examine(places, supervisor.states() if supervisor.running() else [])


def _check_engine() -> checks.Finding:
    if engine.engine_answers():
        return checks.Finding("engine", True, "the container engine answers")
    return checks.Finding(
        "engine",
        False,
        "The container engine does not answer.",
        "'twinhub up' starts it; 'twinhub logs engine' shows its own words.",
    )


def _check_image(places: Places) -> checks.Finding:
    name = image_name(places)
    try:
        client = docker.from_env()
        client.images.get(name)
    except docker.errors.ImageNotFound:
        return checks.Finding("image", False, f"The workspace image {name} is missing.", "'twinhub up' builds it.")
    except docker.errors.DockerException:
        return checks.Finding(
            "image",
            False,
            "Whether the workspace image is there cannot be told without the engine.",
            "See 'engine' above.",
        )
    return checks.Finding("image", True, f"{name} is there")


def _check_secrets(places: Places) -> checks.Finding:
    for file in sorted(places.secrets.glob("*")) if places.secrets.is_dir() else []:
        if file.stat().st_mode & 0o077:
            return checks.Finding("secrets", False, f"{file} can be read by other accounts.", f"chmod 600 {file}")
    return checks.Finding("secrets", True, "readable by their owners only")


def _check_firewall(places: Places) -> checks.Finding:
    try:
        problems = firewall.check_firewall(places)
    except PublicError as error:
        return checks.Finding("firewall", False, error.what, error.fix)
    if problems:
        return checks.Finding("firewall", False, f"{'; '.join(problems)}.", "'twinhub up' sets the rules again.")
    return checks.Finding(
        "firewall", True, "workspaces reach the hub's API, the gateway, the internet and 'reach' only"
    )


def _check_parts(places: Places, supervisor: Supervisor) -> list[checks.Finding]:
    findings = []
    for state in supervisor.states():
        ok = state.state == "RUNNING"
        findings.append(
            checks.Finding(
                state.name,
                ok,
                f"{state.name} is {state.state.lower()}",
                "" if ok else f"'twinhub logs {state.name}' shows its own words.",
            )
        )
    for part in PARTS:
        problem = fetch_health(places, part)
        if problem:
            findings.append(checks.Finding(part, False, f"The {part} {problem}.", f"twinhub restart {part}"))
    return findings
