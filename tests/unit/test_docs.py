"""The documentation says what the code does."""

import re
import runpy
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from realtime.service.installed import create_app, service_config
from twinhub.places import Places
from twinhub.secrets import ensure_secret
from twinhub.settings import Settings
from twinhub.signin import HubClient, Sessions

ROOT = Path(__file__).parents[2]
GENERATED = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_up_to_date(name: str) -> None:
    """Every setting, command and error code is documented; run: python docs/generate.py"""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == GENERATED[name]


def test_every_http_address_is_documented() -> None:
    """An address that nobody knows of is no interface."""
    code = "\n".join((ROOT / file).read_text() for file in ("libms/app.py", "web/app.py"))
    addresses = set(re.findall(r'Route\("(/lib[^"]*)"', code))
    text = (ROOT / "docs/use/library-api.md").read_text()
    plain = {re.sub(r"{(\w+)(:path|:asset)?}", lambda match: match[1].upper(), address) for address in addresses}
    assert {address for address in plain if address not in text} == set()


def test_every_address_of_realtime_twins_is_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of devices are written against that page; the list is the running service's own."""
    monkeypatch.setenv("TWINHUB_HUB_URL", "http://127.0.0.1:1")
    places = Places(tmp_path, Settings())
    places.secrets.mkdir()
    for name in ("realtime", "realtime-hub"):
        ensure_secret(places.secrets / name)
    config = service_config(places, "127.0.0.1")
    app = create_app(places, HubClient("http://127.0.0.1:1"), Sessions("s"), config)
    routes = cast(Any, app)._inner.routes
    words = {"owner": "OWNER", "model": "MODEL", "instance": "ID", "name": "NAME", "thing": "THING", "alert": "NUMBER"}
    addresses = {re.sub(r"{(\w+)(:\w+)?}", lambda found: words[found[1]], route.path) for route in routes}
    text = set(re.findall(r"/realtime/[\w/-]+", (ROOT / "docs/use/realtime-api.md").read_text()))
    assert len(addresses) > 30
    assert addresses - text - {"/realtime/OWNER"} == set()


def markdown() -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines()]


@pytest.mark.parametrize("page", markdown(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A reader who follows a link must arrive."""
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert missing == []
