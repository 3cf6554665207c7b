"""A change of settings restarts what reads them, and nothing else."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.installation import ROOT
from twinhub.operate.concerns import UNREAD, with_settings
from twinhub.operate.programs import Program
from twinhub.places import Places
from twinhub.settings import Settings, parse_settings

STARTS = {
    "engine-gate": "hub.engine_gate.__main__",
    "hub": "hub.jupyterhub_config",
    "libms": "libms.__main__",
    "monitor": "twinhub.operate.monitor.__main__",
    "realtime": "realtime.service.__main__",
    "realtime-broker": "realtime.service.broker",
    "upkeep": "twinhub.operate.upkeep",
    "watch": "hub.watch.__main__",
    "web": "web.__main__",
}
DERIVED = {
    ("backup", "twinhub.places"),  # where backups are, which only the monitor asks
    ("gateway", "twinhub.places"),  # addresses, which neither the gate nor the watch asks
    ("realtime", "twinhub.places"),  # the port of devices, which only gateway, firewall and service ask
    ("gateway", "realtime.service.installed"),  # where devices come in, which the broker does not ask
    ("library", "twinhub.homes"),  # when homes are deleted, which only upkeep does
}


def file_of(module: str) -> Path | None:
    plain = ROOT / module.replace(".", "/")
    return next((file for file in (plain.with_suffix(".py"), plain / "__init__.py") if file.exists()), None)


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached(start: str) -> dict[str, Path]:
    """Give every module of ours that a process imports, directly or not."""
    found: dict[str, Path] = {}
    waiting = [start]
    while waiting:
        module = waiting.pop()
        file = file_of(module)
        if module in found or file is None:
            continue
        found[module] = file
        waiting += [module.rpartition(".")[0], *imported(file)]
    return found


@pytest.mark.parametrize("program", STARTS)
def test_no_process_reads_a_section_that_does_not_restart_it(program: str) -> None:
    """It would go on with what was configured before, and nobody would know why."""
    reads = {
        (section, module)
        for module, file in reached(STARTS[program]).items()
        if not module.startswith("twinhub.settings")
        for section in re.findall(r"settings\.(\w+)", file.read_text())
    }
    assert {(section, module) for section, module in reads - DERIVED if section in UNREAD[program]} == set()
    logs = any(section == "monitoring" for section, _ in reads)
    assert logs or "monitoring" in UNREAD[program]


def restarted(folder: Path, change: str) -> set[str]:
    """Name the programs that a change of the settings makes different."""
    places = Places(folder, Settings())
    places.gateway.mkdir(exist_ok=True)
    (places.gateway / "static.yaml").write_text("")
    programs = tuple(Program(name, ("true",)) for name in STARTS)
    before = with_settings(places, programs)
    after = with_settings(replace(places, settings=parse_settings(change, "here")), programs)
    return {old.name for old, new in zip(before, after, strict=True) if old != new}


@pytest.mark.parametrize(
    ("change", "programs"),
    [
        ("workspaces: {idle_stop_minutes: 30}", {"hub", "watch", "upkeep", "web"}),
        ("accounts: {sign_up: false}", {"hub"}),
        ("library: {quota_gb: 3}", {"hub", "libms", "upkeep"}),
        ("backup: {keep: 3}", {"monitor"}),
        ("realtime: {store_gb: 3}", {"realtime"}),
        ("realtime: {relaxed_durability: true}", {"realtime", "realtime-broker"}),
        ("realtime: {mqtt_port: 1884}", {"realtime", "upkeep"}),
        ("monitoring: {log_level: debug}", {*STARTS} - {"realtime-broker"}),  # it has a log of its own kind
    ],
)
def test_a_change_restarts_what_reads_it(tmp_path: Path, change: str, programs: set[str]) -> None:
    """An upload of ten gigabytes should not notice that backups are kept longer."""
    assert restarted(tmp_path, change) == programs
