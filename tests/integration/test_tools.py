"""The tools of a workspace: each opens for its owner, and for nobody else, pages and WebSockets alike."""

import subprocess
from collections.abc import Iterator

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.integration.conftest import Shell
from tests.support.installation import Installation, wait_until
from tests.support.people import Person, make_person
from twinhub.tools import TOOLS

SOCKETS = {
    "lab": "api/events/subscribe",
    "tree": "api/events/subscribe",
    "terminals/main": "terminals/websocket/main",
    "vscode/": "vscode/stable-0?type=Management",
    "desktop/": "desktop-websockify/",
    "ungit/": "ungit/socket.io/?EIO=4&transport=websocket",
}
"""A WebSocket of each tool."""

SIGNS = {
    "lab": "JupyterLab",
    "tree": "jupyter-config-data",
    "terminals/main": "jupyter-config-data",
    "vscode/": "workbench",
    "desktop/": "Remote Desktop",
    "ungit/": "ungit",
}
ADDRESSES = [tool.path for tool in TOOLS]
FOREIGN = "http://evil.example"


@pytest.fixture(scope="module")
def tina(installation: Installation) -> Iterator[Person]:
    """Somebody with all tools, signed in with a browser's cookies as well."""
    installation.wait_for_image("full")
    person = make_person(installation, "tina")
    person.start_workspace()
    person.ask("POST", "/user/tina/api/terminals", json={"name": "main"})
    opened = person.http.get("/user/tina/lab", follow_redirects=True, headers={"Accept": "text/html"})
    assert opened.status_code == 200
    yield person
    person.stop_workspace()
    installation.twinhub("user", "remove", person.name, "--yes")
    person.http.close()


def open_socket(person: Person, path: str, **headers: str) -> None:
    """Open a WebSocket and close it; raises InvalidStatus when it is refused."""
    address = f"{person.installation.url.replace('http', 'ws', 1)}/user/tina/{path}"
    with connect(address, additional_headers=headers, open_timeout=60, proxy=None):
        pass


def cookies(person: Person) -> str:
    return "; ".join(
        f"{cookie.name}={cookie.value}" for cookie in person.http.cookies.jar if "/user/tina/".startswith(cookie.path)
    )


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_tool_opens_for_its_owner(tina: Person, address: str) -> None:
    """One click on the Workbench, and it is there."""
    answer = tina.ask("GET", f"/user/tina/{address}", follow_redirects=True)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-type"].startswith("text/html")  # otherwise a browser shows the source
    assert SIGNS[address] in answer.text
    open_socket(tina, SOCKETS[address], Authorization=f"token {tina.token}")


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_gets_in_without_signing_in(tina: Person, address: str) -> None:
    """A desktop that anybody can open is a computer for anybody."""
    bare = httpx2.get(f"{tina.installation.url}/user/tina/{address}", trust_env=False)
    assert bare.status_code == 401
    with pytest.raises(InvalidStatus) as refused:
        open_socket(tina, SOCKETS[address])
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_gets_in_as_somebody_else(tina: Person, pierre: Person, address: str) -> None:
    """An account on the platform is no key to other people's workspaces."""
    assert pierre.ask("GET", f"/user/tina/{address}").status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        open_socket(tina, SOCKETS[address], Authorization=f"token {pierre.token}")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("address", ADDRESSES)
def test_another_sites_page_gets_nothing_with_the_owners_cookies(tina: Person, address: str) -> None:
    """A browser adds cookies to whatever a page sends; another port of the same host counts as the same site."""
    signed_in = {"Cookie": cookies(tina)}
    url = f"{tina.installation.url}/user/tina/{address}"
    # With the jar, as redirects lose a header.
    assert tina.http.get(url, follow_redirects=True).status_code == 200
    port = f"http://127.0.0.1:{tina.installation.places.settings.port + 1}"
    for telling in ({"Origin": FOREIGN}, {"Origin": port}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        for method in ("GET", "POST"):
            answer = httpx2.request(method, url, headers={**signed_in, **telling}, trust_env=False)
            assert answer.status_code == 403, (method, telling)
    with pytest.raises(InvalidStatus) as refused:
        open_socket(tina, SOCKETS[address], Origin=FOREIGN, **signed_in)
    assert refused.value.response.status_code == 403


def test_a_workspace_learns_its_own_owners_warnings_and_nobody_elses(
    tina: Person, pierre: Person, inside: Shell
) -> None:
    """JupyterLab tells of a stop that is near; it must not tell who else is at work."""
    own = tina.ask("GET", "/user/tina/twinhub/notices")
    assert own.json()["server"] == ""
    assert own.json()["warned"] is False
    assert own.json()["workbench"].endswith("/app/workbench")
    assert httpx2.get(f"{tina.installation.url}/user/tina/twinhub/notices", trust_env=False).status_code == 401
    assert pierre.ask("GET", "/user/tina/twinhub/notices").status_code == 403
    for name, expected in (("tina", "200"), ("pierre", "404"), ("nobody-at-all", "404")):
        script = (
            "export $(tr '\\0' '\\n' < /proc/$(pgrep -of singleuser)/environ | grep ^JUPYTERHUB_API); "
            f"curl -s -o /dev/null -w '%{{http_code}}' -H \"Authorization: token $JUPYTERHUB_API_TOKEN\" "
            f"$JUPYTERHUB_API_URL/twinhub/users/{name}/notices"
        )
        assert inside(tina, script).stdout == expected, name


def test_the_tools_listen_on_sockets_that_only_their_owner_may_use(tina: Person, inside: Shell) -> None:
    """A port would be open to every program in the container, and to a mistake in the network's rules."""
    for address in ("vscode/", "ungit/"):
        tina.ask("GET", f"/user/tina/{address}", follow_redirects=True)
    listening = inside(tina, "cat /proc/net/tcp /proc/net/tcp6").stdout
    ports = {int(line.split()[1].rpartition(":")[2], 16) for line in listening.splitlines() if " 0A " in line}
    outside = {port for port in ports if port in (5900, 5901, 6080, 8080, 8443, 8448)}
    assert outside == set()
    modes = inside(tina, "stat -c '%a %U' /tmp/jupyter-server-proxy-*/socket").stdout.split()
    assert modes[1::2] == ["tina"] * (len(modes) // 2)
    assert {mode[1:] for mode in modes[::2]} == {"00"}


def test_the_terminal_opens_again_after_its_shell_has_ended(tina: Person, inside: Shell) -> None:
    """The link on the Workbench works on the next morning too."""
    said = inside(tina, "ps -eo pid,args | grep '[b]ash -l'").stdout.split()[0]
    inside(tina, f"kill -HUP {said}")
    names = wait_until(lambda: _no_terminal(tina), 20, "the end of the terminal")
    assert names
    assert tina.ask("GET", "/user/tina/terminals/main", follow_redirects=True).status_code == 200
    made = tina.ask("POST", "/user/tina/api/terminals", json={"name": "main"})
    assert made.json()["name"] == "main"


def _no_terminal(person: Person) -> bool:
    return person.ask("GET", "/user/tina/api/terminals").json() == []


def test_the_addresses_of_other_platforms_lead_to_ours(tina: Person) -> None:
    """Links in reports that people have written before go on working, with what stands behind the question mark."""
    where = {
        "/tina/lab": "/user/tina/lab",
        "/tina/lab/tree/data/x.csv?reset": "/user/tina/lab/tree/data/x.csv?reset",
        "/tina/terminals/main": "/user/tina/terminals/main",
        "/tina/tools/vnc/?path=tina%2Ftools%2Fvnc%2Fwebsockify": "/user/tina/desktop/?path=tina%2Ftools%2Fvnc%2Fwebsockify",
        "/tina/tools/vnc": "/user/tina/desktop/",
        "/tina/tools/vscode/?folder=/workspace/models": "/user/tina/vscode/?folder=/workspace/models",
    }
    for old, new in where.items():
        answer = httpx2.get(tina.installation.url + old, trust_env=False)
        assert (answer.status_code, answer.headers["location"]) == (302, new), old


def test_no_such_address_leads_away_or_stands_before_one_of_ours(tina: Person) -> None:
    """A redirect that can be bent is a present for people who send links."""
    url = tina.installation.url
    for path in ("//evil.example/lab", "/evil.example%2f/lab", "/\\evil.example/lab", "/tina//evil.example/lab"):
        answer = httpx2.get(url + path, trust_env=False)
        assert not answer.headers.get("location", "/").startswith(("//", "http://evil", "/\\")), path
    for path in ("/hub/lab", "/app/lab", "/lib/lab", "/user/lab"):
        assert "/user/hub/" not in httpx2.get(url + path, trust_env=False).headers.get("location", ""), path
        location = httpx2.get(url + path, trust_env=False).headers.get("location", "")
        assert location != f"/user/{path.split('/')[1]}/lab"


def test_no_token_gets_into_the_servers_log(tina: Person) -> None:
    """Logs are read, copied and sent by people who must not become other people."""
    for path in ("lab", "api/status", "vscode/", "proxy/9/"):
        httpx2.get(f"{tina.installation.url}/user/tina/{path}?token={tina.token}", trust_env=False)
    with pytest.raises(InvalidStatus):
        open_socket(tina, f"terminals/websocket/none?token={tina.token}")
    open_socket(
        tina, f"ungit/socket.io/?EIO=4&transport=websocket&token={tina.token}", **{"Sec-Fetch-Mode": "websocket"}
    )
    log = subprocess.run(["docker", "logs", tina.container], capture_output=True, text=True, check=True)
    assert "ungit/socket.io" in log.stdout + log.stderr
    assert tina.token not in log.stdout + log.stderr
