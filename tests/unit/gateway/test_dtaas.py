"""Addresses of other DTaaS installations lead to ours, and nowhere else."""

import re
from typing import Any

import pytest

from gateway.dtaas import dtaas_middlewares, dtaas_routers


def redirected(address: str) -> str | None:
    """Do what Traefik does with a matching router's middleware; None when no redirect matches."""
    for middleware in dtaas_middlewares().values():
        rule: dict[str, Any] = middleware["redirectRegex"]
        found = re.search(rule["regex"], address)
        if found:
            groups = found.groups(default="")
            return "".join(
                groups[int(part) - 1] if part.isdecimal() else part
                for part in re.split(r"\$\{(\d)\}", rule["replacement"])
            )
    return None


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("http://h/ada/lab", "/user/ada/lab"),
        ("https://h:8443/a.b-c_d/lab/tree/x%20y.csv?reset=1", "/user/a.b-c_d/lab/tree/x%20y.csv?reset=1"),
        ("http://h/ada/tools/vnc/?path=ada%2Fx&resize=remote", "/user/ada/desktop/?path=ada%2Fx&resize=remote"),
        ("http://h/ada/tools/vscode", "/user/ada/vscode/"),
        ("http://h/ada/terminals/main", "/user/ada/terminals/main"),
        ("http://h/ada/lab?next=//evil.example", "/user/ada/lab?next=//evil.example"),
    ],
)
def test_each_tools_address_leads_to_ours_with_all_that_follows(address: str, ours: str) -> None:
    """People have these in bookmarks and reports."""
    assert redirected(address) == ours


@pytest.mark.parametrize(
    "path",
    ["//evil.example/lab", "/@evil/lab", "/Ada/lab", "/a/lab", "/ada/labs", "/ada/lab%0aX", "/%61da/lab", "/x/ada/lab"],
)
def test_nothing_else_is_redirected(path: str) -> None:
    """A redirect that can be bent leads people into traps."""
    assert redirected(f"http://h{path}") is None


def test_the_platforms_own_addresses_come_first() -> None:
    """Somebody named like a part of the platform must not stand before it."""
    for router in dtaas_routers("public", "web").values():
        assert "!PathRegexp(`^/(app|hub|lib|" in router["rule"]
        assert router["priority"] < 50_000
