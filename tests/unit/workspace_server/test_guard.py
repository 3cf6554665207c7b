"""The question that every request to a workspace's server is asked first."""

import pytest
from workspace_server.guard import foreign

HOST = {"Host": "twins.example:8000"}
MINE = "/user/ada/"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://twins.example:8000"},
        {"Origin": "HTTP://Twins.Example:8000"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "same-origin", "Referer": "http://twins.example:8000/user/ada/vscode/"},
        {"Sec-Fetch-Site": "same-origin", "Referer": "http://twins.example:8000/app/workbench"},
    ],
)
def test_what_programs_and_the_owners_own_pages_send_passes(headers: dict[str, str]) -> None:
    """A guard that stands in the way of work would be switched off."""
    assert foreign("GET", MINE, {**HOST, **headers}, MINE) == ""


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Origin": "http://evil.example"}),
        ("GET", {"Origin": "http://twins.example:8001"}),
        ("GET", {"Origin": "http://twins.example:8000.evil.example"}),
        ("GET", {"Origin": "http://twins.example:8000@evil.example"}),
        ("GET", {"Origin": "null"}),
        ("GET", {"Origin": ""}),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
        ("GET", {"Sec-Fetch-Site": "same-origin", "Referer": "http://twins.example:8000/user/eve/files/x.html"}),
        ("POST", {"Sec-Fetch-Site": "same-origin", "Referer": "http://twins.example:8000/user/adam/"}),
    ],
)
def test_what_other_pages_make_a_browser_send_is_refused(method: str, headers: dict[str, str]) -> None:
    """The browser adds the owner's cookies to all of these."""
    assert foreign(method, MINE, {**HOST, **headers}, MINE)
