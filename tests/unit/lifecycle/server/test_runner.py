"""The API of the DTaaS runner microservice, as programs written for it use it."""

import threading

import pytest

from tests.unit.lifecycle.server.jupyter_process import Server


@pytest.fixture(scope="module")
def base(server: Server) -> str:
    """The base URL that such a program is configured with."""
    server.make_twin("robot", create="echo created; echo trouble >&2", execute="exit 3", analyse="sleep 2")
    return "runner/robot"


def test_a_command_is_answered_when_it_has_ended(server: Server, base: str) -> None:
    """Scripts send the next command after the answer, so it must not come early."""
    assert server.ask("GET", base) == {"name": "none", "status": "invalid", "logs": {"stdout": "", "stderr": ""}}
    answer = server.request("POST", base, json={"name": "create"})
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    found = server.ask("GET", base)
    assert (found["name"], found["status"]) == ("create", "valid")
    assert found["logs"] == {"stdout": "created\ntrouble\n", "stderr": ""}


def test_what_fails_or_is_not_permitted_is_invalid(server: Server, base: str) -> None:
    """The microservice knows two answers, and programs compare with them."""
    for name in ("execute", "clean", "nosuch", "../create", "", "robot/create"):
        answer = server.request("POST", base, json={"name": name})
        assert (answer.status_code, answer.json()["status"]) == (400, "invalid command"), name
        assert server.ask("GET", base)["status"] == "invalid"


@pytest.mark.parametrize("content", [b'{"name": 10}', b'{"command": "create"}', b"{}", b"[]", b"no json", b""])
def test_a_body_without_a_name_fails_validation(server: Server, base: str, content: bytes) -> None:
    """In the microservice's own shape, which its clients read."""
    answer = server.request("POST", base, content=content)
    assert answer.status_code == 400
    assert answer.json() == {"message": "Validation Failed", "error": "Bad Request", "statusCode": 400}


def test_history_has_all_names_in_order(server: Server) -> None:
    """Valid and invalid ones, as they were sent; each address has its own."""
    server.make_twin("arm", create="exit 0")
    for name in ("create", "nosuch", "create"):
        server.request("POST", "runner/arm", json={"name": name})
    assert server.ask("GET", "runner/arm/history") == [{"name": "create"}, {"name": "nosuch"}, {"name": "create"}]


def test_one_address_serves_all_twins(server: Server, base: str) -> None:
    """Without a twin in the base URL, a command's name has it."""
    assert server.ask("POST", "runner", {"name": "robot/create"}) == {"status": "success"}
    bare = server.request("POST", "runner/", json={"name": "create"})
    assert bare.status_code == 400, "there are several twins"
    assert "Send TWIN/PHASE" in bare.json()["reason"]
    assert [command["name"] for command in server.ask("GET", "runner/history")][-2:] == ["robot/create", "create"]
    assert server.ask("GET", "runner/")["name"] == "create"


def test_a_command_that_takes_long_holds_up_nobody(server: Server, base: str) -> None:
    """Others' requests are answered meanwhile."""
    answers: list[int] = []
    sender = threading.Thread(
        target=lambda: answers.append(server.request("POST", base, json={"name": "analyze"}).status_code)
    )
    sender.start()
    server.ask("GET", "runs")
    assert answers == [], "asked while the command ran"
    sender.join(60)
    assert answers == [200]


def test_a_twin_that_is_not_there_has_no_runner(server: Server) -> None:
    """A typing error in the base URL must not look like a failed command."""
    assert server.refused("POST", "runner/nobody", {"name": "create"}) == (404, "twin_not_found")
    assert server.refused("GET", "runner/nobody/history") == (404, "twin_not_found")
