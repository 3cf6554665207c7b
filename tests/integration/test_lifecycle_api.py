"""The lifecycle in a real workspace, over the address that pages and programs use."""

from tests.support.installation import Installation, wait_until
from tests.support.people import Person

TWIN = "mass-spring-damper"


def test_the_example_is_there_for_new_people_and_runs(marie: Person, installation: Installation) -> None:
    """The first thing a new person tries."""
    found = {twin["name"]: twin for twin in marie.ask("GET", "/user/marie/twins/").json()["twins"]}
    assert found[TWIN]["phases"] == ["create", "execute", "analyze", "evolve", "clean"]
    run = marie.ask("POST", f"/user/marie/twins/{TWIN}/runs", json={"phase": "execute"}).json()
    address = f"/user/marie/twins/runs/{run['id']}"
    ended = wait_until(
        lambda: (record := marie.ask("GET", address).json())["state"] != "running" and record, 60, "the run"
    )
    assert (ended["state"], ended["exit_code"]) == ("succeeded", 0)
    log = marie.ask("GET", f"{address}/log")
    assert "10001 rows" in log.text
    assert int(log.headers["x-log-next"]) == len(log.content)
    outputs = installation.places.files / "marie/data" / TWIN / "outputs.csv"
    assert outputs.stat().st_uid == installation.places.settings.workspace_user_id


def test_refusals_have_the_platforms_shape(marie: Person) -> None:
    """Programs read the code, people the words."""
    for method, path, body, status, code in (
        ("GET", "nosuch", None, 404, "twin_not_found"),
        ("POST", f"{TWIN}/runs", {"phase": "save"}, 404, "phase_not_supported"),
        ("POST", f"{TWIN}/runs", {}, 400, "bad_request"),
        ("GET", "runs/20260101T000000000-abcdef", None, 404, "run_not_found"),
    ):
        answer = marie.ask(method, f"/user/marie/twins/{path}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), path
        assert answer.json()["error"]["what"]


def test_the_pages_reach_it_for_their_own_person_only(marie: Person, pierre: Person) -> None:
    """The proxy of the pages adds nobody's rights."""
    assert marie.ask("GET", "/app/api/twins/").status_code == 200
    pierre.stop_workspace()
    stopped = pierre.ask("GET", "/app/api/twins/")
    assert (stopped.status_code, stopped.json()["error"]["code"]) == (409, "workspace_stopped")
    assert marie.ask("GET", "/app/api/twins/..%2f..%2fapi%2fcontents").status_code in (400, 404)
