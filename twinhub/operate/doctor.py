"""Look at everything the platform needs and say what to do about what is not right."""

from __future__ import annotations

from collections.abc import Iterator

import docker.errors

from twinhub.errors import PublicError
from twinhub.operate import checks, engine, firewall, posture
from twinhub.operate.certificates import check_server_certificate
from twinhub.operate.health import fetch_health, parts_of
from twinhub.operate.image import list_images
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
        *_check_images(places),
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
        try:
            engine.refuse_remapping(engine.security_options())
        except PublicError as error:
            return checks.Finding("engine", False, error.what, error.fix)
        return checks.Finding("engine", True, "the container engine answers")
    return checks.Finding(
        "engine",
        False,
        "The container engine does not answer.",
        "'twinhub up' starts it; 'twinhub logs engine' shows its own words.",
    )


def _check_images(places: Places) -> Iterator[checks.Finding]:
    try:
        rows = list_images(places)
    except docker.errors.DockerException:
        what = "Whether the workspace images are there cannot be told without the engine."
        yield checks.Finding("image", False, what, "See 'engine' above.")
        return
    for row in rows:
        if row.state in ("ready", "outdated"):
            yield checks.Finding("image", True, f"{row.image} is there, {row.size_mb} MB {row.note}".rstrip())
        elif row.state == "building":
            yield checks.Finding("image", True, f"{row.image} is being built: {row.note}")
        elif row.state in ("missing", "failed"):
            what = f"The workspace image {row.image} is {'missing' if row.state == 'missing' else 'not built'}."
            fix = "'twinhub up' builds it." if row.state == "missing" else f"{row.note} See 'twinhub logs image'."
            yield checks.Finding("image", False, what, fix)


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
        ok = state.well
        findings.append(
            checks.Finding(
                state.name,
                ok,
                f"{state.name} is {state.word}",
                "" if ok else f"'twinhub logs {state.name}' shows its own words.",
            )
        )
    for part in parts_of(places):
        problem = fetch_health(places, part)
        if problem:
            findings.append(checks.Finding(part, False, f"The {part} {problem}.", f"twinhub restart {part}"))
    return findings
