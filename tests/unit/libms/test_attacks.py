"""What an intruder with an account tried: each was possible once."""

import base64
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from libms.copying import Wish, prepared_copy
from libms.errors import Changed, QueryTooLong
from libms.graphql.context import Context, Services
from libms.graphql.engine import Engine
from libms.paths import parse_path
from twinhub.places import Places
from twinhub.removal import remove_tree
from twinhub.signin import User

AsUser = Callable[..., TestClient]
ALICE = User("alice", False, frozenset({"custom:library:write"}), "")


def ask(client: TestClient, query: str, **variables: Any) -> Any:
    return client.post("/lib", json={"query": query, "variables": variables}).json()


def make_deep(folder: Path, levels: int) -> None:
    """Make folders below each other, deeper than a path can say."""
    current = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=current)
        following = os.open("d", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = following
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=current))
    os.close(current)


def test_a_folder_of_any_depth_can_be_removed(tmp_path: Path) -> None:
    """Recursion ended the clean-up, and with it every start of the service."""
    deep = tmp_path / "deep"
    deep.mkdir()
    make_deep(deep, 5_000)
    (deep / "link").symlink_to(tmp_path)
    (tmp_path / "stays").touch()
    assert remove_tree(deep)
    assert [one.name for one in tmp_path.iterdir()] == ["stays"]


def test_a_deep_folder_is_deleted_erased_and_never_stops_the_service(alice: TestClient, places: Places) -> None:
    """The trash must get rid of what went in."""
    (places.files / "alice/data/deep").mkdir()
    make_deep(places.files / "alice/data/deep", 3_000)
    assert ask(alice, 'mutation { copy(source: "alice/data/deep", target: "alice/data/again") { path } }').get("errors")
    assert list(places.uploads.glob("copy-*")) == []
    trashed = ask(alice, 'mutation { delete(path: "alice/data/deep") { id } }')["data"]["delete"]
    assert "errors" not in ask(alice, "mutation($i: ID!) { erase(id: $i) }", i=trashed["id"])
    assert [box.name for box in places.trash.iterdir()] == ["reserve"]


def test_a_file_that_grows_while_it_is_copied_takes_no_more_than_was_promised(
    services: Services, places: Places
) -> None:
    """The quota counts before the first byte, and holds until the last."""
    (places.files / "alice/data/f").write_bytes(b"x" * 2_000_000)
    with (
        pytest.raises(Changed, match="grew"),
        prepared_copy(services.assets.backend, parse_path("alice/data/f"), Wish(most_bytes=1_000_000)),
    ):
        pass
    assert list(places.uploads.glob("copy-*")) == []


def test_a_checksum_of_a_huge_file_ends_when_nobody_waits(services: Services, places: Places) -> None:
    """Eight sparse files of a terabyte kept every thread busy for an hour."""
    with (places.files / "alice/data/sparse").open("wb") as stream:
        stream.truncate(1 << 40)
    context = Context(ALICE, services)
    threading.Timer(0.2, lambda: setattr(context, "left", True)).start()
    started = time.monotonic()
    with pytest.raises(QueryTooLong):
        services.digests.sha256(parse_path("alice/data/sparse"), check=context.check)
    assert time.monotonic() - started < 10


def test_an_answer_has_a_size_limit_whatever_it_is_made_of(services: Services, places: Places) -> None:
    """Aliases of the longest preview added up to gigabytes."""
    (places.files / "alice/data/t.txt").write_text("x" * 900_000)
    aliases = " ".join(f"a{n}: text(limit: 1000000) {{ text }}" for n in range(8))
    query = f'{{ asset(path: "alice/data/t.txt") {{ {aliases} }} }}'
    _, answer = Engine().execute(query, None, None, Context(ALICE, services))
    assert answer["errors"][0]["extensions"]["reason"] == "too_large"


def test_what_lay_in_the_trash_does_not_get_into_a_frozen_version(alice: TestClient, as_user: AsUser) -> None:
    """Deleted before, published, restored after: the version changed."""
    bob = as_user("bob")
    bob.put("/lib/files/common/data/foo@9/evil.txt", content=b"evil")
    trashed = bob.delete("/lib/files/common/data/foo@9/evil.txt").json()["restore"]
    bob.delete("/lib/files/common/data/foo@9")
    alice.put("/lib/files/alice/data/foo/good.txt", content=b"good")
    ask(alice, 'mutation { publish(path: "alice/data/foo", version: "9") { path } }')
    assert bob.post(f"/lib/trash/{trashed}").json()["error"]["code"] == "frozen"


def test_rights_are_asked_for_again_when_a_long_upload_is_placed(services: Services, places: Places) -> None:
    """It began before the version was published, and would have overwritten it."""
    assets = services.assets
    (places.files / "alice/data/bar").mkdir()
    (places.files / "alice/data/bar/m.csv").write_text("published")
    aside = places.uploads / "put-late"
    aside.write_text("late")
    target = assets.locate(ALICE, "common/data/bar@1/m.csv", write=True)
    assets.publish(ALICE, "alice/data/bar", "1", name=None, note="")
    with pytest.raises(Exception, match="never changes"):
        assets.place(User("bob", False, ALICE.scopes, ""), aside, target, replace=True)
    assert (places.files / "common/data/bar@1/m.csv").read_text() == "published"


@pytest.mark.parametrize("name", ["x/tank", "../tank", ".published", ".hidden", "a@b"])
def test_a_version_cannot_be_squatted_under_another_path(alice: TestClient, name: str) -> None:
    """A record for x/tank stood where that of tank belongs."""
    alice.put("/lib/files/alice/data/junk", content=b"x")
    query = 'mutation($n: String!) { publish(path: "alice/data/junk", version: "1", name: $n) { path } }'
    (error,) = ask(alice, query, n=name)["errors"]
    assert error["extensions"]["reason"] == "bad_request"


def test_a_publishing_that_was_killed_can_be_done_again(alice: TestClient, services: Services, places: Places) -> None:
    """Its manifest stands there, its content does not."""
    alice.put("/lib/files/alice/data/m.csv", content=b"1")
    assert "errors" not in ask(alice, 'mutation { publish(path: "alice/data/m.csv", version: "1") { path } }')
    (places.files / "common/data/m@1.csv").unlink()
    alice.put("/lib/files/alice/data/m.csv", content=b"22")
    assert "errors" not in ask(alice, 'mutation { publish(path: "alice/data/m.csv", version: "1") { path } }')
    query = '{ asset(path: "common/data/m@1.csv") { size publication { intact } } }'
    assert ask(alice, query)["data"]["asset"] == {"size": 2, "publication": {"intact": True}}


def test_the_number_of_a_withdrawn_version_is_not_given_again(alice: TestClient, as_user: AsUser) -> None:
    """Somebody may have built on it."""
    alice.put("/lib/files/alice/data/m.csv", content=b"1")
    publish = 'mutation { publish(path: "alice/data/m.csv", version: "1") { path } }'
    ask(alice, publish)
    trashed = alice.delete("/lib/files/common/data/m@1.csv").json()["restore"]
    assert "withdrawn" in ask(alice, publish)["errors"][0]["message"]
    assert as_user("bob").put("/lib/files/common/data/m@1.csv", content=b"x").json()["error"]["code"] == "frozen"
    assert alice.post(f"/lib/trash/{trashed}").status_code == 200
    assert ask(alice, '{ asset(path: "common/data/m@1.csv") { publication { intact } } }')["data"]["asset"][
        "publication"
    ]["intact"]


@pytest.mark.parametrize(
    "record",
    [
        {"time": 1e300},
        {"time": "x"},
        {"files": [{"path": "a", "size": 2**70, "sha256": ""}]},
        {"path": "common/data/other@1"},
        {"files": 3},
        {"note": json.loads("[" * 600 + "]" * 600)},
        [],
    ],
)
def test_a_forged_record_is_no_failure_of_ours(alice: TestClient, places: Places, record: Any) -> None:
    """Workspaces may write anything into `common`."""
    alice.put("/lib/files/alice/data/m.csv", content=b"1")
    ask(alice, 'mutation { publish(path: "alice/data/m.csv", version: "1") { path } }')
    manifest = places.files / "common/data/.published/m@1.csv.json"
    forged = {**json.loads(manifest.read_text()), **record} if isinstance(record, dict) else record
    manifest.write_text(json.dumps(forged))
    answer = ask(alice, '{ asset(path: "common/data/m@1.csv") { publication { intact time files { size } } } }')
    assert "errors" not in answer
    assert alice.put("/lib/files/common/data/m@1.csv", content=b"x").status_code in (200, 409)


def test_a_time_that_no_calendar_has_is_shown_as_the_last(alice: TestClient, places: Places) -> None:
    """One file of a strange time failed everybody's search."""
    file = places.files / "alice/data/f"
    file.touch()
    os.utime(file, (1e11, 2**40))
    assert "errors" not in ask(alice, '{ asset(path: "alice/data/f") { modified } }')
    assert alice.get("/lib/files/alice/data/f").status_code == 200


@pytest.mark.parametrize("variables", [{"n": "abc"}, {}, {"n": 1.5}])
def test_variables_of_the_wrong_type_are_the_clients_mistake(
    alice: TestClient, variables: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """No reference number, no traceback."""
    answer = ask(alice, "query($n: Int!) { assets(first: $n) { nodes { path } } }", **variables)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "Reference" not in answer["errors"][0]["message"]
    assert caplog.text == ""


def test_a_length_of_thousands_of_digits_is_refused(alice: TestClient) -> None:
    """It was a failure of ours."""
    answer = alice.put("/lib/files/alice/data/f", content=b"", headers={"Content-Length": "0" * 4401 + "1"})
    assert answer.status_code == 400


def test_the_log_of_common_keeps_names_of_private_assets(alice: TestClient, as_user: AsUser) -> None:
    """Everybody may read what happened to shared assets, not where they went."""
    alice.put("/lib/files/common/data/c.txt", content=b"x")
    ask(alice, 'mutation { copy(source: "common/data/c.txt", target: "alice/data/secret-plan") { path } }')
    query = '{ audit(owner: "common") { nodes { action detail } } }'
    assert "secret-plan" not in json.dumps(ask(as_user("bob"), query))
    assert "secret-plan" in json.dumps(ask(alice, query))
    assert "secret-plan" in json.dumps(ask(as_user("boss", admin=True), query))


def test_a_move_is_done_and_logged_though_its_origin_cannot_be_recorded(alice: TestClient, places: Places) -> None:
    """The record's name may be too long where the asset's is not."""
    alice.put("/lib/files/common/data/c.txt", content=b"x")
    ask(alice, 'mutation { take(path: "common/data/c.txt", target: "alice/data/c.txt") { path } }')
    long = "n" * 252
    answer = ask(alice, f'mutation {{ move(source: "alice/data/c.txt", target: "alice/data/{long}") {{ path }} }}')
    assert answer["data"]["move"]["path"] == f"alice/data/{long}"
    assert ask(alice, "{ audit(first: 1) { nodes { action } } }")["data"]["audit"]["nodes"][0]["action"] == "move"


def test_a_name_with_a_line_break_can_be_read_and_deleted(alice: TestClient, places: Places) -> None:
    """It is legal on the disk, so it must be in addresses."""
    (places.files / "alice/data/two\nlines").write_text("x")
    assert alice.get("/lib/files/alice/data/two%0Alines").text == "x"
    assert alice.delete("/lib/files/alice/data/two%0Alines").status_code == 200


def test_a_form_of_another_site_moves_nothing(alice: TestClient) -> None:
    """Browsers send text/plain anywhere without asking first."""
    alice.put("/lib/files/alice/data/f", content=b"x")
    body = json.dumps({"move_to": "alice/data/g"})
    answer = alice.post("/lib/files/alice/data/f", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400


def test_folders_that_begin_with_a_dot_are_nobodys(as_user: AsUser, places: Places) -> None:
    """Keys and logs may lie beside the owners."""
    (places.files / ".libms").mkdir()
    (places.files / ".libms/key").write_text("secret")
    boss = as_user("boss", admin=True)
    assert boss.get("/lib/files/.libms/key").status_code == 404
    assert boss.put("/lib/files/.libms/data/key", content=b"x").status_code == 404
    path = base64.b64encode(b".libms/data/key").decode()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": f"path {path}"}
    assert boss.post("/lib/uploads", headers=headers).status_code == 404
