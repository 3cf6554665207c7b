"""What people do with assets by GraphQL: look, change, delete, publish, take, compare; and who may."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from twinhub.places import Places

READ_ONLY = frozenset({"custom:library:read"})
AsUser = Callable[..., TestClient]


def ask(client: TestClient, query: str, **variables: Any) -> Any:
    """Send a query that must succeed."""
    answer = client.post("/lib", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer
    return answer["data"]


def refusal(client: TestClient, query: str, **variables: Any) -> str:
    """Send a query that must fail; give the stable reason."""
    answer = client.post("/lib", json={"query": query, "variables": variables}).json()
    (error,) = answer["errors"]
    assert "Traceback" not in error["message"]
    return str(error["extensions"]["reason"])


WRITE = "mutation($p: String!, $t: String!, $m: String) { writeText(path: $p, text: $t, ifMatch: $m) { path etag size sha256 } }"
MOVE = "mutation($s: String!, $t: String!) { move(source: $s, target: $t) { path } }"
COPY = "mutation($s: String!, $t: String!) { copy(source: $s, target: $t) { path } }"
DELETE = "mutation($p: String!) { delete(path: $p) { id by expires size } }"
RESTORE = "mutation($i: ID!) { restore(id: $i) { path } }"
ERASE = "mutation($i: ID!) { erase(id: $i) }"
PUBLISH = 'mutation($p: String!, $v: String!, $n: String) { publish(path: $p, version: $v, name: $n, note: "first") { path } }'
TAKE = "mutation($p: String!, $t: String) { take(path: $p, target: $t) { path origin { path version by } } }"


def test_an_asset_tells_all_about_itself(alice: TestClient, places: Places) -> None:
    """What engineers look at before they use somebody's asset."""
    tank = places.files / "alice/models/tank"
    tank.mkdir()
    (tank / "README.md").write_text("---\ntitle: Water tank\ntags: [Water, fmi]\n---\n# Tank\nText.\n")
    found = ask(
        alice,
        '{ asset(path: "alice/models/tank") { name owner category kind size mayWrite sha256 mediaType readme'
        " card { title tags description source problems } publication { version } origin { path } versions { version } } }",
    )["asset"]
    assert found["card"]["title"] == "Water tank"
    assert found["card"]["tags"] == ["water", "fmi"]
    assert found["card"]["source"] == "README.md"
    assert (found["kind"], found["category"], found["owner"], found["mayWrite"]) == ("FOLDER", "MODELS", "alice", True)
    assert (found["sha256"], found["publication"], found["origin"], found["versions"]) == (None, None, None, [])


def test_a_table_shows_its_columns_and_first_rows(alice: TestClient, places: Places) -> None:
    """Nobody downloads a gigabyte to see what the columns are."""
    (places.files / "alice/data/t.csv").write_text("time,height\n" + "".join(f"{i},{i / 10}\n" for i in range(100)))
    query = '{ asset(path: "alice/data/t.csv") { mediaType table(rows: 2) { delimiter columns { name type } rows rowCount } } }'
    table = ask(alice, query)["asset"]["table"]
    assert [column["name"] for column in table["columns"]] == ["time", "height"]
    assert table["rows"] == [["0", "0.0"], ["1", "0.1"]]
    assert table["rowCount"] == 100


def test_a_twin_shows_its_phases(alice: TestClient, places: Places) -> None:
    """The Library says what a twin can do."""
    twin = places.files / "alice/digital_twins/t"
    (twin / "lifecycle").mkdir(parents=True)
    (twin / "lifecycle/execute").write_text("#!/bin/sh\n")
    (twin / "twin.yaml").write_text("title: A twin\nuses:\n  models: [alice/models/m]\n")
    found = ask(alice, '{ asset(path: "alice/digital_twins/t") { twin { title phases uses { category path } } } }')
    assert found["asset"]["twin"] == {
        "title": "A twin",
        "phases": ["execute"],
        "uses": [{"category": "models", "path": "alice/models/m"}],
    }


def test_a_text_is_never_written_over_somebody_elses_change(alice: TestClient, places: Places) -> None:
    """Two people edit one file; the second is told and loses nothing."""
    first = ask(alice, WRITE, p="common/data/notes.md", t="one")["writeText"]
    assert refusal(alice, WRITE, p="common/data/notes.md", t="two") == "exists"
    second = ask(alice, WRITE, p="common/data/notes.md", t="two ü", m=first["etag"])["writeText"]
    assert second["size"] == 6
    assert refusal(alice, WRITE, p="common/data/notes.md", t="three", m=first["etag"]) == "changed"
    assert (places.files / "common/data/notes.md").read_text() == "two ü"
    assert list(places.uploads.glob("text-*")) == []


def test_moving_and_copying_keep_what_stands_in_the_way(alice: TestClient, places: Places) -> None:
    """A name that is taken is never overwritten unasked."""
    data = places.files / "alice/data"
    (data / "d/e").mkdir(parents=True)
    (data / "d/e/f").write_text("x")
    (data / "d/e/f").chmod(0o755)
    ask(alice, COPY, s="alice/data/d", t="alice/models/d")
    assert (places.files / "alice/models/d/e/f").stat().st_mode & 0o111
    assert refusal(alice, COPY, s="alice/data/d", t="alice/models/d") == "exists"
    ask(alice, MOVE, s="alice/data/d", t="common/data/d")
    assert refusal(alice, MOVE, s="alice/models/d", t="common/data/d") == "exists"
    assert refusal(alice, MOVE, s="alice/models/d", t="alice/models/d/e/x") == "path_refused"
    assert refusal(alice, MOVE, s="alice/models", t="alice/data/x") == "path_refused"
    assert not (data / "d").exists()
    assert (places.files / "common/data/d/e/f").read_text() == "x"
    assert list(places.uploads.glob("copy-*")) == []


def test_the_trash_gives_back_and_gives_up(alice: TestClient, as_user: AsUser, places: Places) -> None:
    """A slip must cost nothing for thirty days, and nobody else sees it."""
    (places.files / "alice/data/f").write_text("12345")
    trashed = ask(alice, DELETE, p="alice/data/f")["delete"]
    assert trashed["size"] == 5
    listed = ask(alice, "{ trash { totalCount nodes { id path } } usage { trashBytes } }")
    assert listed["trash"] == {"totalCount": 1, "nodes": [{"id": trashed["id"], "path": "alice/data/f"}]}
    assert listed["usage"]["trashBytes"] == 5
    assert refusal(as_user("bob"), RESTORE, i=trashed["id"]) == "trash_not_found"
    assert refusal(as_user("bob"), '{ trash(owner: "alice") { totalCount } }') == "not_found"
    assert ask(alice, RESTORE, i=trashed["id"])["restore"]["path"] == "alice/data/f"
    again = ask(alice, DELETE, p="alice/data/f")["delete"]
    assert ask(alice, ERASE, i=again["id"]) == {"erase": again["id"]}
    assert refusal(alice, RESTORE, i=again["id"]) == "trash_not_found"
    assert [box.name for box in places.trash.iterdir()] == ["reserve"]


def test_a_published_version_is_frozen_and_says_where_it_comes_from(
    alice: TestClient, as_user: AsUser, places: Places
) -> None:
    """Twins that others built on it must go on giving the same results."""
    (places.files / "alice/models/spring.fmu").write_bytes(b"model")
    path = ask(alice, PUBLISH, p="alice/models/spring.fmu", v="1.0")["publish"]["path"]
    assert path == "common/models/spring@1.0.fmu"
    assert refusal(alice, PUBLISH, p="alice/models/spring.fmu", v="1.0") == "exists"
    bob = as_user("bob")
    found = ask(
        bob,
        "query($p: String!) { asset(path: $p) { mayWrite publication { name version by note source intact"
        " files { path size sha256 } } versions { version } } }",
        p=path,
    )["asset"]
    assert found["publication"]["intact"]
    assert found["publication"]["source"] == "alice/models/spring.fmu"
    assert (found["publication"]["by"], found["publication"]["note"]) == ("alice", "first")
    assert found["publication"]["files"][0]["size"] == 5
    assert not found["mayWrite"]
    for query, variables in (
        (WRITE, {"p": path, "t": "x"}),
        (MOVE, {"s": path, "t": "common/models/x"}),
        (DELETE, {"p": path}),
        (WRITE, {"p": "common/models/.published/spring@1.0.fmu.json", "t": "x"}),
    ):
        assert refusal(bob, query, **variables) == "frozen"
    assert bob.put(f"/lib/files/{path}", content=b"x").json()["error"]["code"] == "frozen"


def test_a_version_that_was_tampered_with_says_so(alice: TestClient, places: Places) -> None:
    """Workspaces may write to `common` past the library; checksums and the signature tell."""
    (places.files / "alice/models/m").mkdir()
    (places.files / "alice/models/m/a.py").write_text("a = 1")
    ask(alice, PUBLISH, p="alice/models/m", v="1")
    query = '{ asset(path: "common/models/m@1") { publication { by intact } } }'
    assert ask(alice, query)["asset"]["publication"] == {"by": "alice", "intact": True}
    frozen = places.files / "common/models/m@1/a.py"
    frozen.chmod(0o644)
    frozen.write_text("a = 2")
    assert ask(alice, query)["asset"]["publication"]["intact"] is False
    frozen.write_text("a = 1")
    manifest = places.files / "common/models/.published/m@1.json"
    raw = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**raw, "by": "mallory"}))
    assert ask(alice, query)["asset"]["publication"]["intact"] is False


def test_what_was_taken_keeps_its_origin_through_renaming(alice: TestClient, as_user: AsUser, places: Places) -> None:
    """Years later somebody asks where this model came from."""
    (places.files / "alice/models/m").mkdir()
    (places.files / "alice/models/m/a.py").write_text("a = 1")
    ask(alice, PUBLISH, p="alice/models/m", v="1")
    bob = as_user("bob")
    taken = ask(bob, TAKE, p="common/models/m@1")["take"]
    assert taken == {"path": "bob/models/m", "origin": {"path": "common/models/m@1", "version": "1", "by": "bob"}}
    assert refusal(bob, TAKE, p="common/models/m@1") == "exists"
    ask(bob, MOVE, s="bob/models/m", t="bob/models/n")
    (places.files / "bob/models/n/a.py").write_text("a = 2")
    assert ask(bob, PUBLISH, p="bob/models/n", v="2", n="m")["publish"]["path"] == "common/models/m@2"
    query = '{ asset(path: "common/models/m@2") { publication { derivedFrom } versions { version by } } }'
    found = ask(alice, query)["asset"]
    assert found["publication"]["derivedFrom"] == "common/models/m@1"
    assert [(one["version"], one["by"]) for one in found["versions"]] == [("2", "bob"), ("1", "alice")]


@pytest.mark.parametrize("version", ["", "..", "../1", "a/b", "1 2", "-1", "x" * 33, "1\n"])
def test_a_version_is_a_word(alice: TestClient, places: Places, version: str) -> None:
    """It becomes a part of a file's name."""
    (places.files / "alice/models/m").write_text("m")
    assert refusal(alice, PUBLISH, p="alice/models/m", v=version) == "bad_request"


def test_two_versions_are_compared(alice: TestClient, places: Places) -> None:
    """What changed is the first question about a new version."""
    data = places.files / "alice/data"
    (data / "a.csv").write_text("t,x\n0,1.0\n1,2.0\n")
    (data / "b.csv").write_text("t,x\n0,1.0\n1,2.5\n")
    query = "query($o: String!, $n: String!) { compare(old: $o, new: $n) { kind equal changes { kind old new difference } lines { kind text } } }"
    found = ask(alice, query, o="alice/data/a.csv", n="alice/data/b.csv")["compare"]
    assert found["kind"] == "csv"
    assert found["changes"] == [{"kind": "changed", "old": "2.0", "new": "2.5", "difference": 0.5}]
    assert ask(alice, query, o="alice/data/a.csv", n="alice/data/a.csv")["compare"]["equal"]
    assert refusal(alice, query, o="alice/data", n="alice/data/a.csv") == "not_a_folder"


def test_the_log_tells_owner_and_admin_and_nobody_else(alice: TestClient, as_user: AsUser, places: Places) -> None:
    """Who took my data?"""
    ask(alice, WRITE, p="alice/data/f", t="x")
    as_user("boss", admin=True).get("/lib/files/alice/data/f", headers={"Range": "bytes=0-0"})
    query = (
        '{ audit(owner: "alice", first: 2) { nodes { user action path detail } pageInfo { hasNextPage endCursor } } }'
    )
    page = ask(alice, query)["audit"]
    assert [(one["user"], one["action"], one["detail"]) for one in page["nodes"]] == [
        ("boss", "download", "bytes=0-0"),
        ("alice", "write", "1 bytes"),
    ]
    assert not page["pageInfo"]["hasNextPage"]
    assert ask(as_user("boss", admin=True), query)["audit"]["nodes"] == page["nodes"]
    assert refusal(as_user("bob"), query) == "not_found"


CHANGES = (
    (WRITE, {"p": "alice/data/new", "t": "x"}),
    ('mutation { makeFolder(path: "alice/data/d") { path } }', {}),
    (MOVE, {"s": "alice/data/f", "t": "alice/data/g"}),
    (COPY, {"s": "alice/data/f", "t": "alice/data/g"}),
    (DELETE, {"p": "alice/data/f"}),
    (PUBLISH, {"p": "alice/data/f", "v": "1"}),
)


@pytest.mark.parametrize(("query", "variables"), CHANGES)
def test_a_token_for_reading_changes_nothing(
    as_user: AsUser, places: Places, query: str, variables: dict[str, str]
) -> None:
    """Programs get only what they need."""
    (places.files / "alice/data/f").write_text("x")
    assert refusal(as_user("alice", scopes=READ_ONLY), query, **variables) == "forbidden"


@pytest.mark.parametrize(("query", "variables"), CHANGES)
def test_nobody_changes_or_sees_somebody_elses(
    as_user: AsUser, places: Places, query: str, variables: dict[str, str]
) -> None:
    """It looks as if nothing were there."""
    (places.files / "alice/data/f").write_text("x")
    assert refusal(as_user("bob"), query, **variables) == "not_found"
    assert (places.files / "alice/data/f").read_text() == "x"


def test_a_search_finds_only_what_one_may_read(alice: TestClient, as_user: AsUser) -> None:
    """The index knows everybody's assets; its answers must not."""
    assert refusal(as_user("bob"), '{ assets(owner: "alice") { nodes { path } } }') == "not_found"
    assert refusal(as_user("bob", scopes=frozenset()), "{ assets { nodes { path } } }") == "forbidden"
    assert refusal(alice, "{ assets(first: 101) { nodes { path } } }") == "bad_request"
    assert refusal(alice, '{ assets(after: "nonsense") { nodes { path } } }') == "bad_request"


EXPENSIVE = "{ assets(first: 100) { nodes { sha256 publication { intact } versions { intact files { sha256 } } } } }"


@pytest.mark.parametrize(
    "query",
    [
        EXPENSIVE,
        "query($n: Int!) " + EXPENSIVE.replace("first: 100", "first: $n"),
        "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...C ...C } "
        "fragment C on Query { assets(first: 100) { nodes { sha256 sha256 } } }",
        "{ " + "__typename " * 2100 + "}",
        "{ a: viewer { " * 20 + "name" + " }" * 20 + " }",
    ],
)
def test_a_query_that_costs_too_much_is_refused_before_it_runs(alice: TestClient, query: str) -> None:
    """One request must not keep the service busy for a minute."""
    answer = alice.post("/lib", json={"query": query, "variables": {"n": 100}})
    assert answer.status_code == 400
    assert "data" not in answer.json()


def test_subscriptions_and_bad_operations_are_refused_in_words(alice: TestClient) -> None:
    """There is nothing to subscribe to."""
    for body in (
        {"query": "subscription { x }"},
        {"query": "query A { viewer { name } } query B { viewer { name } }", "operationName": "C"},
        {"query": ""},
    ):
        answer = alice.post("/lib", json=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["message"]


def test_pages_of_the_fixed_query_give_every_entry_once(alice: TestClient, places: Places) -> None:
    """A folder of any size can be read in pages that old clients never notice."""
    data = places.files / "alice/data"
    for number in range(25):
        (data / f"f{number:02}").touch()
    (data / "z").mkdir()
    query = (
        'query($a: String) { listDirectory(path: "alice/data", first: 10, after: $a) { repository { tree { totalCount'
        " pageInfo { hasNextPage endCursor } blobs { edges { node { name } } } trees { edges { node { name } } } } } } }"
    )
    seen, after, pages = [], None, 0
    while True:
        tree = ask(alice, query, a=after)["listDirectory"]["repository"]["tree"]
        seen += [edge["node"]["name"] for kind in ("trees", "blobs") for edge in tree[kind]["edges"]]
        pages += 1
        after = tree["pageInfo"]["endCursor"]
        if not tree["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["z", *(f"f{number:02}" for number in range(25))]
    assert (pages, tree["totalCount"]) == (3, 26)


def test_a_page_goes_on_after_its_last_entry_whatever_came_and_went(alice: TestClient, places: Places) -> None:
    """An offset would skip an entry when an earlier one is deleted."""
    data = places.files / "alice/data"
    for name in ("a", "b", "c", "d", "ü"):
        (data / name).touch()
    query = (
        'query($a: String) { listDirectory(path: "alice/data", first: 2, after: $a) { repository { tree {'
        " pageInfo { endCursor } blobs { edges { node { name } } } } } } }"
    )
    first = ask(alice, query)["listDirectory"]["repository"]["tree"]
    (data / "a").unlink()
    (data / "B").touch()
    second = ask(alice, query, a=first["pageInfo"]["endCursor"])["listDirectory"]["repository"]["tree"]
    assert [edge["node"]["name"] for edge in second["blobs"]["edges"]] == ["c", "d"]


def test_what_was_put_under_a_name_again_has_no_origin(alice: TestClient) -> None:
    """Publishing it would name the wrong ancestor."""
    alice.put("/lib/files/common/data/shared.csv", content=b"1")
    ask(alice, TAKE, p="common/data/shared.csv", t="alice/data/mine.csv")
    ask(alice, MOVE, s="alice/data/mine.csv", t="alice/data/other.csv")
    alice.put("/lib/files/alice/data/mine.csv", content=b"2")
    query = "query($p: String!) { asset(path: $p) { origin { path } } }"
    assert ask(alice, query, p="alice/data/mine.csv")["asset"]["origin"] is None
    assert ask(alice, query, p="alice/data/other.csv")["asset"]["origin"] == {"path": "common/data/shared.csv"}


def test_common_may_belong_to_a_group(places: Places, as_group: Callable[..., TestClient]) -> None:
    """Everybody reads, the group and administrators change."""
    for client, allowed in ((as_group("alice"), False), (as_group("bob", "editors"), True)):
        assert client.put("/lib/files/common/data/f", content=b"x").status_code == (201 if allowed else 403)
        assert client.get("/lib/files/common/data").status_code == 200
        viewer = ask(client, '{ viewer { mayWriteCommon } asset(path: "common/data") { mayWrite } }')
        assert viewer == {"viewer": {"mayWriteCommon": allowed}, "asset": {"mayWrite": allowed}}
    assert refusal(as_group("alice"), '{ audit(owner: "common") { nodes { path } } }') == "forbidden"
