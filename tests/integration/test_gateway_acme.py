"""A certificate by ACME, from a real authority: Caddy's, in a network of its own where ports 80 and 443 are free."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "support" / "acme_lab.py"


@pytest.mark.parametrize("challenge", ["http", "tls"])
def test_the_gateway_gets_a_certificate_by_acme(challenge: str) -> None:
    """The way to a certificate that costs nobody a thought; as an account that is not root, through our configuration."""
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, str(SCRIPT), challenge],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["names"] == ["hub.lab.test"]
    assert "Caddy" in told["issuer"]
    assert told["key_mode"] == "600"
    assert not told["as_root"]
