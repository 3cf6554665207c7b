"""Job 4: the two GraphQL queries, from curl and from GraphiQL; nothing without a token, nothing of others."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.support.installation import Installation
from tests.support.visitor import Visitor

Shot = Callable[[Page, str], None]

LIST = """query { listDirectory(path: "%s") { repository { tree {
  blobs { edges { node { name type } } } trees { edges { node { name type } } } } } } }"""
READ = """query { readFile(path: "%s") { repository { blobs { nodes { name rawBlob rawTextBlob } } } } }"""


def curl(url: str, query: str, token: str | None) -> tuple[int, dict[str, Any]]:
    """Send a query as the README shows; the token comes by standard input, not on the command line."""
    command = ["curl", "-sS", "-w", "\n%{http_code}", "-H", "Content-Type: application/json", "-K", "-"]
    command += ["--data", json.dumps({"query": query}), f"{url}/lib"]
    header = f'header = "Authorization: token {token}"\n' if token else ""
    done = subprocess.run(command, input=header, capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_curl_lists_and_reads_with_a_token_from_the_page(
    installation: Installation, engineer: Visitor, engineer_token: str
) -> None:
    """The programs' way in."""
    folder = installation.places.files / engineer.name / "data"
    (folder / "query.txt").write_text("42")
    status, answer = curl(installation.url, LIST % f"{engineer.name}/data", engineer_token)
    edges = answer["data"]["listDirectory"]["repository"]["tree"]["blobs"]["edges"]
    assert status == 200
    assert {"node": {"name": "query.txt", "type": "blob"}} in edges
    status, answer = curl(installation.url, READ % f"{engineer.name}/data/query.txt", engineer_token)
    node = {"name": "query.txt", "rawBlob": "42", "rawTextBlob": "42"}
    assert answer["data"]["readFile"]["repository"]["blobs"]["nodes"] == [node]


def test_without_a_token_there_is_401_and_nothing_else(installation: Installation) -> None:
    """Also for a token that nobody gave out."""
    for token in (None, "0" * 32):
        status, answer = curl(installation.url, LIST % "common/data", token)
        assert (status, "data" in answer) == (401, False)


def test_somebody_elses_folder_looks_like_one_that_never_was(
    installation: Installation, engineer: Visitor, engineer_token: str
) -> None:
    """Names of colleagues and their assets are nobody's business."""
    (installation.places.files / "admin/data").mkdir(parents=True, exist_ok=True)
    answers = []
    for owner in ("admin", "nobody-at-all"):
        for query in (LIST % f"{owner}/data", READ % f"{owner}/data/x"):
            status, answer = curl(installation.url, query, engineer_token)
            assert status == 200
            assert answer["errors"]
            answers.append(json.dumps(answer).replace(owner, "OWNER"))
    assert answers[0] == answers[2]
    assert answers[1] == answers[3]


def test_graphiql_answers_in_the_browser(engineer: Visitor, installation: Installation, shot: Shot) -> None:
    """Try a query before writing a program."""
    page = engineer.open("/lib")
    editor = page.locator(".graphiql-query-editor .CodeMirror")
    expect(editor).to_be_visible()
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".graphiql-response")).to_contain_text('"listDirectory"')
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(LIST % f"{engineer.name}/digital_twins")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".graphiql-response")).to_contain_text("mass-spring-damper")
    shot(page, "queries")
    page.close()


def test_graphiql_asks_strangers_to_sign_in(open_context: Callable[[], BrowserContext]) -> None:
    """No anonymous look at the schema or the page."""
    page = open_context().new_page()
    page.goto("/lib")
    expect(page.get_by_label("User name")).to_be_visible()
