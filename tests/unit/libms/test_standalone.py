"""The library by itself: files and names of other DTaaS installations, and nobody from outside."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from libms.standalone import create_standalone, read_standalone
from twinhub.errors import SettingsError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a configuration file beside a folder of files."""
    (tmp_path / "files/user1/data").mkdir(parents=True)
    (tmp_path / "files/user1/data/f.txt").write_text("content")

    def make(text: str) -> Path:
        file = tmp_path / "libms.env"
        file.write_text(text.replace("FILES", str(tmp_path / "files")))
        return file

    return make


DOTENV = """# of another installation
PORT='4002'
MODE='local'
LOCAL_PATH ='FILES'
LOG_LEVEL='debug'
APOLLO_PATH='/lib'
GRAPHQL_PLAYGROUND='true'
"""
YAML = "port: '4002'\nmode: local\nlocal-path: FILES\nlog-level: DEBUG\napollo-path: /lib\ngraphql-playground: 'true'\n"


@pytest.mark.parametrize("text", [DOTENV, YAML])
def test_files_of_other_installations_are_taken_as_they_are(write: Write, text: str) -> None:
    """Who changes platforms keeps the configuration."""
    settings = read_standalone(write(text), {})
    assert (settings.port, settings.mode, settings.log_level, settings.graphql_playground) == (
        4002,
        "local",
        "debug",
        True,
    )


def test_the_environment_wins_over_the_file(write: Write) -> None:
    """As containers are configured."""
    settings = read_standalone(write(DOTENV), {"PORT": "5000", "READ_LIMIT_MB": "16", "UNRELATED": "x"})
    assert settings.port == 5000


def test_limits_have_the_names_of_the_platforms_own_file(write: Write) -> None:
    """One word per idea."""
    assert read_standalone(write(DOTENV + "READ_LIMIT_MB=16\n"), {}).library.read_limit_mb == 16


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("PORT=0", "PORT"),
        ("MODE=ftp", "'local', 'git' or 'gitlab'"),
        ("LOCAL_PATH=/nowhere/at/all", "no folder"),
        ("ADDRESS=0.0.0.0", "nobody would be asked"),
        ("MODE=gitlab\nTOKEN=verysecret", "TOKEN"),
        ("MODE=git", "no repository"),
        ("APOLLO_PATH=lib", "APOLLO_PATH"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_remedy(write: Write, line: str, words: str) -> None:
    """Nothing starts, and the message is enough to correct the file; a token is never in it."""
    with pytest.raises(SettingsError) as refused:
        create_standalone(read_standalone(write(DOTENV + line), {}))
    assert words in str(refused.value)
    assert refused.value.fix
    assert "verysecret" not in str(refused.value)


QUERY = {"query": '{ readFile(path: "user1/data/f.txt") { repository { blobs { nodes { rawBlob } } } } }'}


def test_a_name_for_another_program_is_told_and_left_out(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    """Files of other installations name more than the library knows; YAML is ours, where a slip must not pass."""
    assert read_standalone(write(DOTENV + "TEST_PATH=/x"), {}).port == 4002
    assert "TEST_PATH" in caplog.text
    with pytest.raises(SettingsError, match="unknown key 'COLOUR'"):
        read_standalone(write(YAML + "colour: blue\n"), {})


def test_only_requests_that_name_this_machine_are_answered(write: Write) -> None:
    """A web page that rebinds its name to 127.0.0.1 must not read the library."""
    client = TestClient(create_standalone(read_standalone(write(DOTENV), {})))
    for host in ("localhost:4001", "127.0.0.1", "[::1]:4001", "127.0.0.1:80"):
        assert "content" in client.post("/lib", json=QUERY, headers={"Host": host}).text
    for host in (
        "evil.example",
        "evil.example:4001",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "10.0.0.1",
    ):
        answer = client.post("/lib", json=QUERY, headers={"Host": host})
        assert (answer.status_code, "content" in answer.text) == (403, False), host


def test_another_path_can_be_chosen(write: Write) -> None:
    """APOLLO_PATH of other installations."""
    client = TestClient(
        create_standalone(read_standalone(write(DOTENV + "APOLLO_PATH=/graphql"), {})), base_url="http://localhost"
    )
    assert "content" in client.post("/graphql", json=QUERY).text


def test_with_a_hub_nobody_gets_in_without_a_token(write: Write) -> None:
    """Then it may listen everywhere."""
    settings = read_standalone(write(DOTENV + "HUB_URL=http://127.0.0.1:1\nADDRESS=0.0.0.0"), {})
    client = TestClient(create_standalone(settings))
    assert client.post("/lib", json=QUERY).status_code == 401
    assert client.post("/lib", json=QUERY, headers={"Authorization": "token x"}).status_code == 503


def test_a_browser_gets_a_page_to_try_queries_that_needs_nothing_from_elsewhere(write: Write) -> None:
    """The platform's own editor is a part of its pages, which do not run here."""
    client = TestClient(create_standalone(read_standalone(write(DOTENV), {})), base_url="http://localhost")
    page = client.get("/lib", headers={"Accept": "text/html"})
    assert "/lib/playground.js" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert client.get("/lib/playground.js").headers["content-type"].startswith("text/javascript")
    assert "type Query" in client.get("/lib/schema.graphql").text
    off = TestClient(
        create_standalone(read_standalone(write(DOTENV + "GRAPHQL_PLAYGROUND=false"), {})), base_url="http://localhost"
    )
    assert off.get("/lib", headers={"Accept": "text/html"}).status_code == 405


def test_the_first_file_of_an_owner_makes_their_folders(write: Write) -> None:
    """An empty folder is where everybody begins."""
    client = TestClient(create_standalone(read_standalone(write(DOTENV), {})), base_url="http://localhost")
    assert client.put("/lib/files/ada/data/s.csv", content=b"x").status_code == 201
    assert client.get("/lib/files/ada").json()["total"] == 5
    assert client.put("/lib/files/.git/data/s.csv", content=b"x").status_code == 404


def test_nothing_is_put_where_no_page_would_show_it(write: Write) -> None:
    """Five categories are all that pages and search know."""
    client = TestClient(create_standalone(read_standalone(write(DOTENV), {})), base_url="http://localhost")
    for path in ("user1/misc/x.csv", "user1/x.csv"):
        answer = client.put(f"/lib/files/{path}", content=b"x")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "path_refused")
        assert "user1/models" in answer.json()["error"]["fix"]
