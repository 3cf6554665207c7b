"""What keeps the platform from starting is named before anything starts."""

import os
import socket
from pathlib import Path

import pytest

from twinhub.operate import checks
from twinhub.places import Places
from twinhub.settings import Settings


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    """The operator must learn which port and how to choose another."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        places = Places(tmp_path, Settings(address="127.0.0.1", port=port))
        with pytest.raises(checks.NotReady, match=f"Port {port} .* --port"):
            checks.require(checks.check_ports_free(places))


def test_free_ports_pass(tmp_path: Path) -> None:
    """The usual case."""
    # Below the ports that the kernel hands out, so that no other test is given one of them meanwhile.
    asked = Settings(address="127.0.0.1", port=20_000 + os.getpid() % 2_000)
    findings = list(checks.check_ports_free(Places(tmp_path, asked)))
    assert [finding for finding in findings if not finding.ok] == []


def test_a_disk_that_is_nearly_full_is_named_with_figures(tmp_path: Path) -> None:
    """Half an image on a full disk helps nobody."""
    finding = checks.check_disk(tmp_path / "not" / "yet", needed_gb=1e6)
    assert not finding.ok
    assert "GB free" in finding.what
    assert "--data-dir" in finding.fix
    assert checks.check_disk(tmp_path, needed_gb=0).ok


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_bundle_that_is_missing_or_no_bundle_is_named(tmp_path: Path, content: str | None) -> None:
    """Every download would fail later with a message about TLS."""
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    finding = checks.check_certificates(Places(tmp_path, Settings(ca_bundle=bundle)))
    assert not finding.ok
    assert "ca.pem" in finding.what


def test_an_installation_keeps_its_name(tmp_path: Path) -> None:
    """A renamed one would leave people's containers behind without a word."""
    (tmp_path / "hub").mkdir()
    assert checks.check_name(Places(tmp_path, Settings(name="lab"))).ok
    (tmp_path / checks.NAME_FILE).write_text("lab\n")
    assert checks.check_name(Places(tmp_path, Settings(name="lab"))).ok
    finding = checks.check_name(Places(tmp_path, Settings(name="other")))
    assert not finding.ok
    assert "'lab'" in finding.what
    assert "name: lab" in finding.fix
