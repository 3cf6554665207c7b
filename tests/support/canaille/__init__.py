"""Canaille, a real provider of OpenID Connect from PyPI, with people of a test's choice."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from tests.support.installation import ROOT, wait_until

HERE = Path(__file__).parent
LOCK = ROOT / "requirements" / "canaille.lock"


class Canaille:
    """One running provider; `people` and `groups` may change while it runs."""

    def __init__(self, folder: Path, port: int, platform_url: str) -> None:
        self.issuer = f"http://localhost:{port}"
        self.wishes: dict[str, Any] = {
            "port": port,
            "secret": "the client's secret",
            "redirect_uri": f"{platform_url}/hub/oauth_callback",
            "back_uri": f"{platform_url}/hub/login",
            "people": {},
            "groups": {},
        }
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def set_people(self, people: dict[str, str], groups: dict[str, list[str]]) -> None:
        """Say who has which password and belongs to which group; also while it runs."""
        self.wishes |= {"people": {name: {"password": password} for name, password in people.items()}, "groups": groups}
        part = self._folder / "wishes.part"
        part.write_text(json.dumps(self.wishes))
        part.rename(self._folder / "wishes.json")

    def start(self) -> None:
        """Return when it answers."""
        with (self._folder / "canaille.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(ensure_environment()), str(HERE / "serve.py"), str(self._folder / "wishes.json")],
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, 60, f"Canaille (see {self._folder / 'canaille.log'})")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def _answers(self) -> bool:
        try:
            url = f"{self.issuer}/.well-known/openid-configuration"
            return httpx2.get(url, trust_env=False, timeout=10).status_code == 200
        except httpx2.HTTPError:
            return False


def ensure_environment() -> Path:
    """Give the Python of Canaille's own environment, made at its first use; its packages are none of the platform's."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".venv" / f"canaille-{digest}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, "-r", str(LOCK)], check=True)
        (folder / "complete").touch()
    return python
