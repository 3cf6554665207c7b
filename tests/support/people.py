"""People who use a platform as programs do: signed in at the hub, with a token of their own."""

import secrets
from dataclasses import dataclass, field
from time import sleep
from typing import Any

import httpx2

from tests.support.installation import Installation, wait_until


@dataclass
class Person:
    """Somebody with an account."""

    installation: Installation
    name: str
    password: str
    token: str = ""
    http: httpx2.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.installation.url, timeout=60, trust_env=False)

    def sign_in(self) -> None:
        """Sign in with the form, as a browser does, and make a token."""
        self.http.get("/hub/login")
        form = {"username": self.name, "password": self.password, "_xsrf": self.http.cookies["_xsrf"]}
        answer = self.http.post("/hub/login", data=form)
        while answer.status_code == 429:  # all people of the tests come from one address
            sleep(1)
            answer = self.http.post("/hub/login", data=form)
        assert answer.status_code == 302, answer.text[:500]
        # With the password, not with the cookies: those alone make no token.
        proof = {"auth": {"username": self.name, "password": self.password}, "note": "tests"}
        made = httpx2.post(
            f"{self.installation.url}/hub/api/users/{self.name}/tokens", json=proof, trust_env=False, timeout=60
        )
        assert made.status_code == 201, made.text
        self.token = made.json()["token"]

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send a request with the token and nothing else."""
        headers = {"Authorization": f"token {self.token}", **options.pop("headers", {})}
        url = self.installation.url + path
        # Reading the authorities, which plain HTTP has no use for, costs more than most answers.
        return httpx2.request(method, url, headers=headers, trust_env=False, timeout=60, verify=False, **options)

    def workspace_ready(self, server: str = "") -> bool:
        servers = self.ask("GET", f"/hub/api/users/{self.name}").json()["servers"]
        return bool(servers.get(server, {}).get("ready"))

    def start_workspace(self, options: dict[str, Any] | None = None, *, server: str = "") -> None:
        """Return when the workspace answers; a named one where `server` is its name."""
        answer = self.ask("POST", f"/hub/api/users/{self.name}{_server_path(server)}", json=options or {})
        assert answer.status_code in (201, 202, 400), answer.text
        wait_until(lambda: self.workspace_ready(server), 90, f"the workspace {server} of {self.name}")

    def stop_workspace(self, server: str = "") -> None:
        """Return when the workspace has stopped."""
        self.ask("DELETE", f"/hub/api/users/{self.name}{_server_path(server)}")
        wait_until(
            lambda: server not in self.ask("GET", f"/hub/api/users/{self.name}").json()["servers"], 60, "the stop"
        )

    @property
    def container(self) -> str:
        """The name of the workspace's container."""
        return f"{self.installation.places.settings.name}-workspace-{self.name}"


def _server_path(server: str) -> str:
    return f"/servers/{server}" if server else "/server"


def make_person(installation: Installation, name: str) -> Person:
    """Make an account with the operator's command, or give it a new password, and sign in."""
    person = Person(installation, name, secrets.token_urlsafe(12))
    typed = person.password + "\n"
    if name in installation.twinhub("user", "list").stdout.split():
        installation.twinhub("user", "password", name, "--password-stdin", given=typed)
    elif installation.twinhub("user", "add", name, "--password-stdin", given=typed, check=False).returncode:
        installation.twinhub("user", "restore", name)  # an earlier run removed it
        installation.twinhub("user", "password", name, "--password-stdin", given=typed)
    person.sign_in()
    return person
