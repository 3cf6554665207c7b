"""The security posture names what is open, and calls nothing safe that is not."""

import os
from pathlib import Path

import pytest

from twinhub.operate.checks import Finding
from twinhub.operate.posture import examine
from twinhub.operate.supervisor import ProcessState
from twinhub.places import Places
from twinhub.settings import parse_settings


def posture(folder: Path, text: str = "", processes: tuple[ProcessState, ...] = ()) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(Places(folder, parse_settings(text)), list(processes))}


@pytest.mark.parametrize(
    ("text", "demand"),
    [
        ("address: 0.0.0.0", "encryption"),
        ("address: 10.1.2.3", "encryption"),
        ("{address: 0.0.0.0, gateway: {trusted_proxies: [10.0.0.1]}}", "encryption"),
        ("gateway: {tls: local}", "authority"),
        ("gateway: {tls: local}", "certificate"),
        ("{domain: hub.lab, gateway: {tls: acme, hsts_days: 0}}", "encryption kept"),
        ("", "own hosts"),
        ("gateway: {sign_ins_per_minute: 0}", "limits"),
        ("gateway: {trusted_proxies: [0.0.0.0/0]}", "trusted proxies"),
        ("gateway: {access_log: false}", "access log"),
        ("address: 0.0.0.0", "sign-up"),
        ("", "sudo"),
        ("", "disk of workspaces"),
        ("", "disk of the library"),
        ("gateway: {services: {status: {path: /status, url: 'http://a:1', sign_in: false}}}", "service status"),
    ],
)
def test_what_is_open_is_named_with_the_remedy(tmp_path: Path, text: str, demand: str) -> None:
    """An operator who is told nothing believes that all is well."""
    found = posture(tmp_path, text)[demand]
    assert not found.ok
    assert found.what.endswith(".")
    assert found.fix.endswith((".", ")"))


@pytest.mark.parametrize(
    ("text", "demand"),
    [
        ("address: 127.0.0.1", "encryption"),
        ("{address: 10.0.0.9, gateway: {trusted_proxies: [10.0.0.1]}}", "encryption"),
        ("{domain: hub.lab, gateway: {tls: acme}}", "encryption kept"),
        ("{domain: hub.lab, gateway: {tls: local, subdomains: true}}", "own hosts"),
        ("", "limits"),
        ("gateway: {trusted_proxies: [10.0.0.0/8, 'fd00::/8']}", "trusted proxies"),
        ("accounts: {sign_up: false}", "sign-up"),
        ("workspaces: {sudo: false, disk_gb: 5}", "sudo"),
        ("workspaces: {sudo: false, disk_gb: 5}", "disk of workspaces"),
        ("gateway: {services: {status: {path: /status, url: 'http://a:1'}}}", "service status"),
    ],
)
def test_what_is_met_is_told_too(tmp_path: Path, text: str, demand: str) -> None:
    """Each thing that was looked at is named, so that a person knows."""
    found = posture(tmp_path, text)[demand]
    assert found.ok, found.what
    assert not found.fix


def test_a_process_that_runs_as_root_is_named(tmp_path: Path) -> None:
    """A flaw in what speaks with people would be the whole machine's."""
    found = posture(tmp_path, "", (ProcessState("hub", "RUNNING", os.getpid(), 1, well=True),))["account of hub"]
    assert found.ok == (os.getuid() != 0)
