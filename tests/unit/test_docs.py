"""The documentation says what the code does."""

import re
import runpy
import subprocess
from pathlib import Path

import pytest

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
