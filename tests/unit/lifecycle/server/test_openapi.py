"""The OpenAPI document: complete, valid, and true of the real server under attack."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lifecycle.server.openapi import document
from lifecycle.server.operations import PATH_PARAMETERS, Operation, routes
from lifecycle.server.table import OPERATIONS
from tests.unit.lifecycle.server.jupyter_process import TOKEN, Server, running_server

ATTACK_S = 60
SETTINGS = Path(__file__).with_name("schemathesis.toml")
PROBE = "parameters:\n  level: {type: real, unit: m, default: 1.0, range: [0, 5]}\n"
DOCS = Path(__file__).parents[4] / "docs" / "use" / "twins-api.md"


def test_every_route_is_in_the_document_and_nothing_else() -> None:
    """What is served and not described cannot be relied on; what is described must be served."""
    paths = document("/user/ada/twins", OPERATIONS)["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    served = {(method, found.path) for _, methods in routes(OPERATIONS) for method, found in methods.items()}
    assert described == served
    assert len(served) == len(OPERATIONS), "two operations of one method and address"


def test_every_operation_says_what_it_takes_and_answers() -> None:
    """A generated client is only as good as this."""
    made = document("/twins", OPERATIONS)
    names = [operation["operationId"] for methods in made["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)
    for path, methods in made["paths"].items():
        for operation in methods.values():
            in_path = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert operation["summary"]
            assert {"400", "401", "403", "500"} <= set(operation["responses"])
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    Draft202012Validator.check_schema(content["schema"])
    assert made["security"] == [{"token": []}]


def test_all_references_lead_somewhere() -> None:
    """A broken reference makes the whole document useless to generators."""
    made = document("/twins", OPERATIONS)
    text = json.dumps(made)
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in made["components"]["schemas"]


def test_every_path_parameter_is_used_and_described() -> None:
    """An address without a meaning is one that nobody can fill in."""
    used = {name for operation in OPERATIONS for name in operation.names}
    assert used <= set(PATH_PARAMETERS)


def test_the_server_gives_the_document_with_its_own_address(server: Server) -> None:
    """Programs begin with it."""
    found = server.ask("GET", "openapi.json")
    assert found["openapi"] == "3.1.0"
    assert found["servers"] == [{"url": "/user/ada/twins"}]
    assert server.ask("GET", "schema")["$id"] == "https://twinhub.dev/schemas/twin.json"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_in_the_guide(operation: Operation) -> None:
    """People read the guide first."""
    path = operation.path.removeprefix("/").replace("{", "").replace("}", "")
    guide = DOCS.read_text().replace("`", "")
    assert f"{operation.method} /{path}" in guide


def test_the_server_stands_up_to_everything_the_document_allows_and_more() -> None:
    """Schemathesis sends what fits the document and what does not, in thousands, and knows what may come back."""
    with running_server() as server:
        server.make_twin("probe", descriptor=PROBE, execute="echo hello", create="exit 0", analyze="exit 3")
        results = server.workspace / "data" / "probe"
        results.mkdir(parents=True)
        (results / "o.csv").write_text("time,a\n" + "".join(f"{row},{row}\n" for row in range(6000)))
        words = [
            *("--config-file", str(SETTINGS), "run", f"http://{server.address}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}", "--checks", "all", "--max-time", str(ATTACK_S)),
        ]
        command = [str(Path(sys.executable).with_name("st")), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=server.folder, timeout=300)
        assert done.returncode == 0, done.stdout[-6000:] + server.log[-3000:]
        assert server.status_mb("VmHWM") < 200
