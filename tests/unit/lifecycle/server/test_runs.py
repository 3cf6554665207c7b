"""Runs over HTTP: start, parameters, log, stop, terminate, compare, what they read and wrote."""

import time

import pytest

from tests.unit.lifecycle.server.jupyter_process import Server

DESCRIPTOR = "parameters:\n  level: {type: real, unit: m, default: 1.0, range: [0, 5]}\n"


@pytest.fixture(scope="module")
def pump(server: Server) -> str:
    execute = (
        'echo "level $TWIN_PARAMETER_LEVEL"; mkdir -p "$TWIN_OUTPUTS"; printf "t,h\\n0,1\\n" > "$TWIN_OUTPUTS/o.csv"'
    )
    server.make_twin("pump", descriptor=DESCRIPTOR, execute=execute, analyse="exit 3", create="sleep 60")
    return "pump"


def test_a_run_takes_parameters_and_keeps_what_it_printed(server: Server, pump: str) -> None:
    """The form on the page sends them; the log is what people look at."""
    run = server.run(pump, level=2.5)
    assert (run["state"], run["exit_code"], run["parameters"]) == ("succeeded", 0, {"level": 2.5})
    log = server.request("GET", f"runs/{run['id']}/log")
    assert log.text == "level 2.5\n"
    assert (log.headers["x-log-next"], log.headers["x-run-state"]) == (str(len(log.content)), "succeeded")
    outputs = server.ask("GET", f"runs/{run['id']}/outputs")
    assert "data/pump/o.csv" in outputs["files"]
    assert "digital_twins/pump/twin.yaml" in server.ask("GET", f"runs/{run['id']}/inputs")["files"]


def test_refusals_name_the_thing_and_the_remedy(server: Server, pump: str) -> None:
    """Programs read the code, people the words."""
    for body, status, code in (
        ({}, 400, "bad_request"),
        ({"phase": 5}, 400, "bad_request"),
        ({"phase": "execute", "parameter": {}}, 400, "bad_request"),
        ({"phase": "execute", "parameters": {"level": 9}}, 422, "parameter_refused"),
        ({"phase": "execute", "parameters": {"levl": 1}}, 422, "parameter_refused"),
        ({"phase": "save"}, 404, "phase_not_supported"),
    ):
        assert server.refused("POST", f"{pump}/runs", body) == (status, code), body
    answer = server.request("POST", f"{pump}/runs", json={"phase": "execute", "parameters": {"level": 9}})
    assert {"what", "fix"} <= set(answer.json()["error"])
    assert "9" in answer.json()["error"]["what"]


def test_the_british_spelling_is_understood(server: Server, pump: str) -> None:
    """The phase's file is called analyse here, and the page asks for analyze."""
    assert [server.run(pump, name)["exit_code"] for name in ("analyze", "analyse")] == [3, 3]


def test_a_second_run_of_a_phase_waits_for_the_first(server: Server, pump: str) -> None:
    """Two programs that write the same results spoil both."""
    run = server.ask("POST", f"{pump}/runs", {"phase": "create"})
    assert server.refused("POST", f"{pump}/runs", {"phase": "create"}) == (409, "already_running")
    stopped = server.ask("POST", f"runs/{run['id']}/stop")
    assert stopped["state"] == "stopped"
    assert server.refused("POST", f"runs/{run['id']}/stop") == (409, "not_running")


def test_terminating_ends_execute_and_says_so(server: Server) -> None:
    """A twin that nobody can stop blocks its phase for good."""
    server.make_twin("endless", execute="sleep 600 & sleep 600")
    run = server.ask("POST", "endless/runs", {"phase": "execute"})
    ended = server.ask("POST", "endless/terminate", {})
    assert [(each["id"], each["state"]) for each in ended["runs"]] == [(run["id"], "stopped")]
    assert server.refused("POST", "endless/terminate") == (409, "not_running")


def test_history_comes_in_pages(server: Server, pump: str) -> None:
    """Thousands of runs are shown a screen at a time."""
    made = [server.run(pump)["id"] for _ in range(3)]
    first = server.ask("GET", f"runs?twin={pump}&limit=2")["runs"]
    second = server.ask("GET", f"runs?twin={pump}&limit=1&before={first[-1]['id']}")["runs"]
    assert [run["id"] for run in (*first, *second)] == made[::-1]
    assert server.ask("GET", "runs?twin=nobody") == {"runs": []}


def test_two_runs_are_compared(server: Server, pump: str) -> None:
    """What was different, when the results are."""
    one, other = server.run(pump, level=1)["id"], server.run(pump, level=2)["id"]
    found = server.ask("GET", f"runs/{one}/compare/{other}")
    assert [(each["name"], each["one"], each["other"]) for each in found["parameters"]] == [("level", 1.0, 2.0)]
    assert found["differs"]


def test_snapshots_bring_a_twin_back(server: Server) -> None:
    """Whoever tries something out wants to be able to go back, also from that."""
    folder = server.make_twin("kept", execute="exit 0", save="echo flushed > state.txt")
    (folder / "notes.txt").write_text("before")
    made = server.ask("POST", "kept/snapshots", {"name": "first"})
    assert (folder / "state.txt").read_text() == "flushed\n", "the twin's own save runs first"
    (folder / "notes.txt").write_text("after")
    done = server.ask("POST", "kept/snapshots/first/restore")
    assert ((folder / "notes.txt").read_text(), done["snapshot"]["name"]) == ("before", made["name"])
    server.ask("POST", f"kept/snapshots/{done['before']}/restore")
    assert (folder / "notes.txt").read_text() == "after"
    server.ask("DELETE", "kept/snapshots/first")
    assert server.refused("POST", "kept/snapshots/first/restore") == (404, "snapshot_not_found")
    assert server.ask("POST", "kept/snapshots/first/undelete")["name"] == "first"


def test_a_failed_save_keeps_nothing(server: Server) -> None:
    """A snapshot of half a state would be believed later."""
    server.make_twin("unsaved", save="exit 7")
    assert server.refused("POST", "unsaved/snapshots") == (409, "cannot_keep")
    assert server.ask("GET", "unsaved/snapshots") == {"snapshots": []}


def test_evolving_keeps_the_configuration_that_was(server: Server) -> None:
    """Yesterday's results need yesterday's parameters."""
    folder = server.make_twin("evolving", descriptor=f"# mine\n{DESCRIPTOR}", execute="exit 0", evolve="echo evolved")
    done = server.ask("POST", "evolving/evolve", {"set": {"level": 3}})
    assert "default: 3" in (folder / "twin.yaml").read_text()
    assert server.ended(done["run"]["id"])["state"] == "succeeded"
    number = done["version"]["number"]
    changed = server.ask("GET", f"evolving/versions/{number}/compare/now")["files"]
    assert [(file["path"], file["change"]) for file in changed] == [("twin.yaml", "changed")]
    server.ask("POST", f"evolving/versions/{number}/restore")
    assert "default: 1.0" in (folder / "twin.yaml").read_text()
    assert server.refused("POST", "evolving/versions/99/restore") == (404, "version_not_found")
    assert server.refused("POST", "evolving/versions/x/restore")[0] == 422


def test_a_replay_is_compared_with_its_original(server: Server, pump: str) -> None:
    """Whether a result can be had again is what makes it one."""
    original = server.run(pump, level=2)
    started = server.ask("POST", f"runs/{original['id']}/replay", {"tolerance": 1e-6})
    assert started["original"]["id"] == original["id"]
    assert server.ended(started["run"]["id"])["replay_of"] == original["id"]
    found = server.ask("GET", started["comparison"])
    assert (found["agrees"], found["tolerance"]) == (True, 1e-6)
    assert [(file["path"], file["agrees"]) for file in found["files"]] == [("o.csv", True)]
    assert server.refused("GET", f"runs/{original['id']}/comparison")[0] == 422, "it repeats no other"


def test_a_sweep_runs_all_and_gives_one_table(server: Server) -> None:
    """Ten values by hand are ten mistakes."""
    script = 'mkdir -p "$TWIN_OUTPUTS"; printf "t,h\\n0,$TWIN_PARAMETER_LEVEL\\n" > "$TWIN_OUTPUTS/o.csv"'
    server.make_twin("swept", descriptor=DESCRIPTOR, execute=script)
    sweep = server.ask("POST", "swept/sweeps", {"set": {"level": "1:3:1"}})
    assert [run["parameters"] for run in sweep["runs"]] == [{"level": level} for level in (1.0, 2.0, 3.0)]
    deadline = time.monotonic() + 60
    while sweep["state"] == "running" and time.monotonic() < deadline:
        sweep = server.ask("GET", f"sweeps/{sweep['id']}")
        time.sleep(0.1)
    assert sweep["state"] == "done"
    assert [run["state"] for run in sweep["runs"]] == ["succeeded"] * 3
    last = sweep["table"]["columns"].index("h last")
    assert [row[last] for row in sweep["table"]["rows"]] == [1.0, 2.0, 3.0]
    assert server.refused("POST", f"sweeps/{sweep['id']}/stop") == (409, "not_running")
    assert server.refused("POST", "swept/sweeps", {"set": {"level": "1:9:1"}})[0] == 422
    assert [each["id"] for each in server.ask("GET", "sweeps?twin=swept")["sweeps"]] == [sweep["id"]]
