"""The operations as pages and programs use them, over HTTP to a real Jupyter server."""

import json

import pytest

from tests.unit.lifecycle.server.jupyter_process import Server

TANK = """title: Water tank
description: Fills and drains.
picture: tank.svg
uses: {models: [tank], tools: [common/tools/missing@2]}
parameters:
  level: {type: real, unit: m, default: 1.0, range: [0, 5]}  # kept
services: {broker: {type: amqp, address: "localhost:1"}}
ports: {dashboard: {port: 8050, protocol: http}}
"""
COSIM = {
    "fmus": {"{tank}": "../../models/tank/tank.fmu", "{pump}": "gone.fmu"},
    "connections": {
        "{tank}.t1.level": ["{pump}.p.seen", "{tank}.t2.inflow"],
        "{pump}.p.flow": "{tank}.t1.inflow",
        "not an address": [7],
    },
}


@pytest.fixture(scope="module")
def tank(server: Server) -> str:
    folder = server.make_twin("tank", descriptor=TANK, execute='echo "level $TWIN_PARAMETER_LEVEL"')
    (folder / "tank.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    (folder / "cosim.json").write_text(json.dumps(COSIM))
    model = server.workspace / "models" / "tank"
    model.mkdir(parents=True)
    (model / "tank.fmu").write_bytes(b"PK")
    (model / "other.fmu").write_bytes(b"PK")
    results = server.workspace / "data" / "tank"
    results.mkdir(parents=True)
    (results / "outputs.csv").write_text("time,level\n0,1\n1,2\n")
    (results / ".broker").mkdir()
    (results / ".broker" / "password").write_text("secret")
    return "tank"


def test_a_twin_tells_all_that_its_descriptor_says(server: Server, tank: str) -> None:
    """The page builds its form and its cards from this."""
    found = server.ask("GET", tank)
    assert (found["title"], found["picture"], found["phases"]) == ("Water tank", True, ["execute"])
    level = found["parameters"][0]
    assert (level["name"], level["unit"], level["default"]) == ("level", "m", 1.0)
    assert [(use["place"], use["there"]) for use in found["uses"]] == [
        ("models/tank", True),
        ("common/tools/missing@2", False),
    ]
    assert [port["port"] for port in found["ports"]] == [8050]
    assert "tank" in [twin["name"] for twin in server.ask("GET", "")["twins"]]


def test_a_descriptor_with_mistakes_hides_no_twin(server: Server) -> None:
    """Whoever broke twin.yaml must still find the twin, and where it is broken."""
    server.make_twin("broken", descriptor="title: Still here\nparameters: {a: {type: nonsense}}\n")
    found = server.ask("GET", "broken")
    assert found["title"] == "Still here"
    assert [(problem["level"], problem["line"]) for problem in found["problems"]] == [("error", 2)]


def test_a_picture_with_a_script_in_it_runs_nothing(server: Server, tank: str) -> None:
    """An SVG from a shared asset, opened in a tab, would else act for whoever looks at it."""
    answer = server.request("GET", f"{tank}/picture")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_picture_outside_the_workspace_is_none(server: Server) -> None:
    """A descriptor that somebody shared must not show others' files."""
    folder = server.make_twin("curious", descriptor="picture: shown.png\n")
    (folder / "shown.png").symlink_to("/etc/passwd")
    assert server.ask("GET", "curious")["picture"] is False
    assert server.request("GET", "curious/picture").status_code == 404


def test_the_composition_names_assets_instances_links_and_what_is_missing(server: Server, tank: str) -> None:
    """The picture of a twin's parts is how others understand it."""
    found = server.ask("GET", f"{tank}/composition")
    nodes = {node["id"]: node for node in found["nodes"]}
    edges = {(edge["from"], edge["to"], edge.get("label")) for edge in found["edges"]}
    assert nodes["instance:{tank}.t1"]["there"]
    assert not nodes["instance:{pump}.p"]["there"]
    assert not nodes["common/tools/missing@2"]["there"]
    assert "fmu:models/tank/tank.fmu" not in nodes, "its instances stand for it"
    assert "fmu:models/tank/other.fmu" in nodes
    assert ("instance:{tank}.t1", "instance:{tank}.t2", "level → inflow") in edges
    assert ("instance:{pump}.p", "instance:{tank}.t1", "flow → inflow") in edges
    assert ("models/tank", "instance:{tank}.t1", None) in edges
    assert {
        ("models/tank", "twin", None),
        ("twin", "port:dashboard", None),
        ("twin", "output:outputs.csv", None),
    } <= edges
    assert {edge["from"] for edge in found["edges"]} | {edge["to"] for edge in found["edges"]} <= set(nodes)


def test_hidden_results_are_not_listed(server: Server, tank: str) -> None:
    """A broker keeps its password in a hidden folder beside the results."""
    found = server.ask("GET", f"{tank}/outputs")["files"]
    assert [(file["path"], file["kind"]) for file in found] == [("outputs.csv", "csv")]


def test_mistakes_in_a_text_are_named_with_line_and_column(server: Server) -> None:
    """The page's editor underlines them."""
    found = server.ask("POST", "check", {"text": "title: a\nparameters:\n  b: {type: real, range: [5, 0]}\n"})
    assert [problem["line"] for problem in found["problems"]] == [3]


def test_a_new_twin_comes_from_an_example(server: Server) -> None:
    """The first thing that a new person does on the page."""
    names = [example["name"] for example in server.ask("GET", "examples")["examples"]]
    assert "mass-spring-damper" in names
    made = server.ask("POST", "", {"name": "my spring", "from": {"example": "mass-spring-damper"}, "title": "Mine"})
    assert (made["title"], "execute" in made["phases"]) == ("Mine", True)
    assert server.refused("POST", "", {"name": "my spring"}) == (409, "twin_exists")
    assert server.refused("POST", "", {"name": "x", "from": {"example": "nosuch"}}) == (404, "example_not_found")
    assert server.refused("POST", "", {"name": "../x"}) == (422, "twin_name_refused")


def test_exploring_says_what_is_missing(server: Server, tank: str) -> None:
    """Before a demonstration, not during it."""
    found = server.ask("POST", f"{tank}/explore")
    missing = [finding["subject"] for finding in found["findings"] if finding["level"] == "missing"]
    assert not found["ok"]
    assert any("missing" in subject for subject in missing)
