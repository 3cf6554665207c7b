"""The two fixed queries, answered as clients of other DTaaS installations expect."""

import os

import pytest
from starlette.testclient import TestClient

from twinhub.places import Places

LIST = """query ($path: String!) { listDirectory(path: $path) { repository { tree {
  blobs { edges { node { name type } } } trees { edges { node { name type } } } } } } }"""
READ = (
    "query ($path: String!) { readFile(path: $path) { repository { blobs { nodes { name rawBlob rawTextBlob } } } } }"
)


def ask(client: TestClient, query: str, path: str) -> dict:
    answer = client.post("/lib", json={"query": query, "variables": {"path": path}})
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(content: dict) -> tuple[list[str], list[str]]:
    tree = content["data"]["listDirectory"]["repository"]["tree"]
    blobs = [edge["node"] for edge in tree["blobs"]["edges"]]
    trees = [edge["node"] for edge in tree["trees"]["edges"]]
    assert all(node["type"] == "blob" for node in blobs)
    assert all(node["type"] == "tree" for node in trees)
    return [node["name"] for node in blobs], [node["name"] for node in trees]


def test_names_come_sorted_by_bytes_links_among_the_blobs(alice: TestClient, places: Places) -> None:
    """Clients show the order in which they get it."""
    data = places.files / "alice" / "data"
    for name in ("b", ".a", "10", "9", "A", "_z", "ü"):
        (data / name).touch()
    (data / "folder").mkdir()
    (data / "link").symlink_to("folder")
    assert listed(ask(alice, LIST, "alice/data")) == ([".a", "10", "9", "A", "_z", "b", "link", "ü"], ["folder"])


@pytest.mark.parametrize("path", ["alice", "/alice", "alice/", "/alice//"])
def test_slashes_at_the_ends_do_not_matter(alice: TestClient, path: str) -> None:
    """Old clients send every kind."""
    assert listed(ask(alice, LIST, path)) == ([], ["data", "digital_twins", "functions", "models", "tools"])


@pytest.mark.parametrize("path", ["", "/"])
def test_the_root_shows_ones_own_folder_and_common_and_all_to_an_admin(as_user, path: str) -> None:
    """Nobody learns who else has an account."""
    assert listed(ask(as_user("alice"), LIST, path)) == ([], ["alice", "common"])
    assert listed(ask(as_user("boss", admin=True), LIST, path)) == ([], ["alice", "bob", "common"])


def test_digital_twins_may_be_spelt_with_a_space(alice: TestClient, places: Places) -> None:
    """That is the folder's name in other installations."""
    (places.files / "alice" / "digital_twins" / "t").mkdir()
    assert listed(ask(alice, LIST, "alice/digital twins"))[1] == ["t"]


def test_a_file_is_read_as_trimmed_utf8(alice: TestClient, places: Places) -> None:
    """As the reference does it."""
    (places.files / "alice" / "data" / "f").write_bytes(b"\xef\xbb\xbf  a\xff\xc3\xbc \n")
    nodes = ask(alice, READ, "alice/data/f")["data"]["readFile"]["repository"]["blobs"]["nodes"]
    assert nodes == [{"name": "f", "rawBlob": "a\ufffdü", "rawTextBlob": "a\ufffdü"}]


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        (LIST, "alice/ghost", "ENOENT: no such file or directory"),
        (LIST, "alice/data/f", "ENOTDIR: not a directory"),
        (READ, "alice/ghost", "ENOENT: no such file or directory"),
        (READ, "alice/data", "Error reading file"),
        (LIST, "bob", "ENOENT: no such file or directory"),
        (LIST, "nobody", "ENOENT: no such file or directory"),
        (LIST, "alice/common", "ENOENT: no such file or directory"),
        (READ, "alice/data/../../bob/data/secret", "A path cannot go through"),
        (READ, "alice/data/out", "ENOENT: no such file or directory"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_200_and_no_data(
    alice: TestClient, places: Places, query: str, path: str, message: str
) -> None:
    """Clients look at `errors`, and somebody else's folder looks like one that is not there."""
    (places.files / "alice" / "data" / "f").touch()
    (places.files / "bob" / "data" / "secret").write_text("secret")
    (places.files / "alice" / "data" / "out").symlink_to("/etc/passwd")
    content = ask(alice, query, path)
    assert content["data"] is None
    (error,) = content["errors"]
    assert error["message"].startswith(message)
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["path"] == ["listDirectory" if query is LIST else "readFile"]
    assert str(places.data_dir) not in str(content)


def test_somebody_elses_folder_cannot_be_told_from_a_missing_one(alice: TestClient) -> None:
    """Names of accounts are nobody's business."""
    theirs, missing = (ask(alice, LIST, f"{name}/data/x")["errors"][0] for name in ("bob", "nix"))
    assert theirs["message"].replace("bob", "nix") == missing["message"]
    assert theirs["extensions"] == missing["extensions"]


def test_several_queries_in_one_request_by_alias(alice: TestClient) -> None:
    """Clients fetch a page's folders at once."""
    query = '{ a: listDirectory(path: "alice") { __typename repository { __typename } } b: listDirectory(path: "common") { repository { tree { __typename } } } }'
    data = alice.post("/lib", json={"query": query}).json()["data"]
    assert data["a"] == {"__typename": "Project", "repository": {"__typename": "Repository"}}
    assert data["b"]["repository"]["tree"]["__typename"] == "Tree"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{ listDirectory("}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ listDirectory { repository { __typename } } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{" + "".join(f"a{i}: __typename " for i in range(100)) + "}"}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_queries_that_are_no_queries_get_400_without_data(alice: TestClient, body: dict, code: str) -> None:
    """As the reference answers."""
    answer = alice.post("/lib", json=body)
    assert answer.status_code == 400
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"]["code"] == code


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"[]",
        b'[{"query": "{__typename}"}]',
        b"{}",
        b'{"query": 1}',
        b'{"query": "{a}", "variables": 1}',
    ],
)
def test_bodies_that_are_no_requests_get_400_with_the_remedy(alice: TestClient, content: bytes) -> None:
    """A program's author must see what to send."""
    answer = alice.post("/lib", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["fix"]


def test_a_form_cannot_send_queries(alice: TestClient) -> None:
    """Other sites can make browsers post forms."""
    assert alice.post("/lib", data={"query": "{__typename}"}).status_code == 400


def test_a_cut_listing_says_so(alice: TestClient, places: Places) -> None:
    """Missing files must never go unnoticed."""
    for number in range(150):
        (places.files / "alice" / "data" / f"f{number:03}").touch()
    content = ask(alice, LIST, "alice/data")
    assert len(listed(content)[0]) == 100
    assert "/lib/files/alice/data" in content["errors"][0]["message"]


def test_a_large_file_names_its_address(alice: TestClient, places: Places) -> None:
    """JSON is no way to carry a gigabyte."""
    (places.files / "alice" / "data" / "big").write_bytes(b"x" * 1_000_001)
    assert "/lib/files/alice/data/big" in ask(alice, READ, "alice/data/big")["errors"][0]["message"]


def test_a_pipe_does_not_block(alice: TestClient, places: Places) -> None:
    """One named pipe in a workspace must not hang the library."""
    os.mkfifo(places.files / "alice" / "data" / "pipe")
    assert ask(alice, READ, "alice/data/pipe")["errors"][0]["message"].startswith("Error reading file")


def test_a_token_without_the_scope_is_refused(as_user) -> None:
    """Tokens made for something else must not open the library."""
    assert "scope" in ask(as_user("alice", scopes=frozenset()), LIST, "alice")["errors"][0]["message"]


def test_browsers_get_the_editor_and_programs_a_hint(alice: TestClient) -> None:
    """One address serves both."""
    page = alice.get("/lib", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "/app/static/graphiql.js" in page.text
    assert "'unsafe-eval'" not in page.headers["content-security-policy"]
    assert alice.get("/lib").status_code == 405


@pytest.mark.parametrize(
    "query",
    [
        '{ listDirectory(path: "alice") { repository { blobs { nodes { name } } } } }',
        '{ readFile(path: "alice/data/f") { repository { tree { blobs { edges { node { name } } } } } } }',
    ],
)
def test_what_a_query_does_not_give_is_an_error(alice: TestClient, places: Places, query: str) -> None:
    """As in other installations, where these are null and may not be."""
    (places.files / "alice" / "data" / "f").touch()
    content = alice.post("/lib", json={"query": query}).json()
    assert content["data"] is None
    assert content["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


def test_a_mutation_that_there_is_not_is_an_error_with_200(alice: TestClient) -> None:
    """Old clients meet it as they did."""
    answer = alice.post("/lib", json={"query": "mutation { nope }"})
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert answer.json()["errors"]


def test_several_operations_need_a_name(alice: TestClient) -> None:
    """Executing the first would be a guess, and it may be a change."""
    query = 'mutation A { makeFolder(path: "alice/data/a") { path } } mutation B { makeFolder(path: "alice/data/b") { path } }'
    answer = alice.post("/lib", json={"query": query})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
    assert listed(ask(alice, LIST, "alice/data")) == ([], [])
    assert alice.post("/lib", json={"query": query, "operationName": "B"}).json()["data"]["makeFolder"]
    assert listed(ask(alice, LIST, "alice/data")) == ([], ["b"])
