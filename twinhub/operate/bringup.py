"""Bring the platform up from whatever state the machine is in, and take it down again."""

from __future__ import annotations

import subprocess
import sys

import docker
from docker.models.containers import Container

from gateway import write_configuration
from twinhub.errors import PublicError
from twinhub.images import Variant
from twinhub.names import INSTALLATION_LABEL
from twinhub.operate import checks, engine, firewall, systemd
from twinhub.operate.certificates import check_server_certificate
from twinhub.operate.common_tools import ensure_common_tools
from twinhub.operate.concerns import with_settings
from twinhub.operate.deeds import note_settings
from twinhub.operate.health import wait_until_healthy
from twinhub.operate.image import due_variants, ensure_image
from twinhub.operate.layout import ensure_layout
from twinhub.operate.network import ensure_network
from twinhub.operate.programs import IMAGE, Program, engine_program, image_program, platform_programs, proxy_variables
from twinhub.operate.report import Report
from twinhub.operate.supervisor import Supervisor
from twinhub.places import Places


class PagesNotBuilt(PublicError):
    """The pages' scripts and styles could not be bundled."""

    code = "pages_not_built"
    status = 500


def bring_up(places: Places, report: Report) -> list[str]:
    """Start what does not run and change what differs; name the processes that were touched.

    Everything that can be refused is checked before anything is started.
    """
    supervisor = Supervisor(places)
    running = supervisor.running()
    _preflight(places, running=running)
    ensure_layout(places)
    ensure_common_tools(places)
    engine_programs = _ensure_engine(places, supervisor, report)
    with report.step("Workspace image"):
        # The others come next, in the background: people can begin with this one. An older build of them makes way.
        if Variant.MINIMAL in due_variants(places):
            supervisor.stop(IMAGE)
        ensure_image(places, Variant.MINIMAL, report.detail)
    with report.step("Pages"):
        _ensure_pages(places)
    with report.step("Network and gateway configuration"):
        bridge = ensure_network(places)
        write_configuration(places, bridge)
        _ensure_firewall(places, report)
    programs = [*engine_programs, *with_settings(places, platform_programs(places, bridge))]
    programs.append(image_program(places, due=bool(due_variants(places))))
    with report.step("Processes"):
        supervisor.ensure_running(programs)
        touched = supervisor.apply(programs)
    with report.step("Waiting until everything is well"):
        wait_until_healthy(places, report)
    note_settings(places)
    return touched


def _preflight(places: Places, *, running: bool) -> None:
    findings = [
        checks.check_reachable_folder(places),
        checks.check_name(places),
        checks.check_disk(places.data_dir, checks.WANTED_FREE_GB if running else checks.NEEDED_FREE_GB),
        checks.check_certificates(places),
        check_server_certificate(places),
    ]
    # Processes of ours whose supervisor was killed hold the ports too; they are ended later.
    if not running and not Supervisor(places).orphans():
        findings.extend(checks.check_ports_free(places))
    checks.require(findings)


def _ensure_engine(places: Places, supervisor: Supervisor, report: Report) -> list[Program]:
    """See that a container engine answers; give the program that runs it when that is our task."""
    ours = engine_program(places)
    supervised = supervisor.running() and any(state.name == ours.name for state in supervisor.states())
    if not supervised:
        engine.end_own_engine(places.data_dir)  # its supervisor was killed, so nobody would restart it
    if not engine.engine_answers():
        with report.step("Container engine"):
            engine.install_engine(report.detail)
            if not engine.engine_answers():
                supervised = supervised or not supervisor.running()
                _start_engine(places, supervisor, ours)
    engine.refuse_remapping(engine.security_options())
    return [ours] if supervised else []


def _start_engine(places: Places, supervisor: Supervisor, ours: Program) -> None:
    """Run the engine under our supervisor; one that does not come leaves nothing running."""
    if supervisor.running():
        # The platform runs, so there was an engine a moment ago: a second one beside it would only do harm.
        engine.wait_for_engine(60, places.log / "engine.log")
        return
    supervisor.ensure_running([ours])
    supervisor.apply([ours])
    try:
        engine.wait_for_engine(60, places.log / "engine.log")
    except engine.EngineMissing:
        supervisor.shut_down()
        raise


def _ensure_pages(places: Places) -> None:
    built = subprocess.run([sys.executable, "-m", "web.build"], cwd="/", capture_output=True, text=True, check=False)
    (places.log / "web-build.log").write_text(built.stdout + built.stderr)
    if built.returncode:
        last = (built.stderr or built.stdout).strip().splitlines()[-1:]
        raise PagesNotBuilt(
            f"The pages could not be bundled: {' '.join(last)}", f"All of it is in {places.log / 'web-build.log'}."
        )


def _ensure_firewall(places: Places, report: Report) -> None:
    """Close what workspaces have no business with; a machine that cannot is told about by `twinhub doctor` too."""
    try:
        firewall.ensure_firewall(places, proxy_variables())
    except firewall.FirewallUnusable as error:
        report.detail(f"{error.what} {error.fix}")


def take_down(places: Places, report: Report, *, workspaces: bool) -> None:
    """Stop the platform's processes, and the workspaces too when asked."""
    if workspaces and engine.engine_answers():
        with report.step("Workspaces"):
            for container in own_containers(places):
                container.stop(timeout=10)
    with report.step("Processes"):
        shut_down(places)


def shut_down(places: Places) -> None:
    """End all processes of the installation, an engine of its own last."""
    systemd.stop_unit(places)
    Supervisor(places).shut_down()
    engine.end_own_engine(places.data_dir)


def own_containers(places: Places, *, everything: bool = False) -> list[Container]:
    """Give the containers of this installation's workspaces."""
    client = docker.from_env()
    label = f"{INSTALLATION_LABEL}={places.settings.name}"
    return list(client.containers.list(all=everything, filters={"label": label}, ignore_removed=True))
