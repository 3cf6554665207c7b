"""The fixed queries' short way gives what the GraphQL engine gives, and stays away from everything else."""

import asyncio
import json

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libms.graphql.context import Context, Services
from libms.graphql.engine import Engine
from libms.graphql.fast import FixedQueries
from libms.graphql.plans import make_plan
from libms.graphql.schema import FILE, schema_text
from twinhub.places import Places
from twinhub.signin import User

LIST = 'listDirectory(path: "alice/data") { repository { tree {'
NODES = "edges { node { name type } }"
ALICE = User("alice", False, frozenset({"custom:library:write"}), "")

PLANNED = [
    f"{{ {LIST} blobs {{ {NODES} }} trees {{ {NODES} }} }} }} }} }}",
    f"query Named {{ {LIST} trees {{ {NODES} }} }} }} }} }}",
    f"{{ x: {LIST} y: blobs {{ z: edges {{ __typename w: node {{ type n: name __typename }} }} }} }} }} }} }}",
    f"{{ {LIST} blobs {{ edges {{ node {{ type }} }} }} __typename }} __typename }} __typename }} }}",
    "query ($p: String!) { listDirectory(path: $p) { repository { tree { blobs { edges { node { name } } } } } } }",
    '{ readFile(path: "alice/data/f") { repository { blobs { nodes { name rawBlob rawTextBlob } } } } }',
    '{ a: readFile(path: "alice/data/f") { __typename repository { blobs { nodes { rawTextBlob __typename } } } } }',
]
SEVERAL = (
    f"query A {{ {LIST} blobs {{ {NODES} }} }} }} }} }} "
    'query B { a: readFile(path: "alice/data/f") { repository { blobs { nodes { rawBlob } } } }'
    f" b: {LIST} trees {{ {NODES} }} }} }} }} }}"
)
NOT_PLANNED = [
    SEVERAL,
    "{ __typename }",
    "{ viewer { name } }",
    f"{{ {LIST} pageInfo {{ hasNextPage }} }} }} }} }}",
    f"{{ {LIST} blobs {{ {NODES} }} }} }} }} viewer {{ name }} }}",
    f"{{ {LIST} blobs {{ edges {{ node {{ name other: name }} }} }} }} }} }} }}",
    f"{{ {LIST} blobs {{ {NODES} {NODES} }} }} }} }} }}",
    f"{{ {LIST} ...F }} }} }} }} fragment F on Tree {{ blobs {{ {NODES} }} }}",
    f"{{ {LIST} blobs @skip(if: true) {{ {NODES} }} }} }} }} }}",
    '{ listDirectory(path: "alice/data", first: 1) { repository { tree { __typename } } } }',
    '{ listDirectory(path: "alice/data") { repository { blobs { nodes { name } } } } }',
    '{ readFile(path: "alice/data/f") { repository { tree { __typename } } } }',
    "{ readFile(path: 3) { repository { blobs { nodes { name } } } } }",
    "query ($p: String!, $q: String!) { listDirectory(path: $p) { repository { __typename } } }",
    "query ($p: String) { listDirectory(path: $p) { repository { __typename } } }",
    'query ($p: String! = "x") { listDirectory(path: $p) { repository { __typename } } }',
    "query ($p: [String!]!) { listDirectory(path: $p) { repository { __typename } } }",
    'mutation { makeFolder(path: "alice/data/x") { path } }',
    "{ listDirectory(",
    "",
    "{" * 3000,
]


def by_plan(services: Services, query: str, operation: str | None = None) -> object:
    variables = {"p": "alice/data"} if "$p" in query else None

    async def answer() -> list[bytes] | None:
        return await FixedQueries(services).answer(ALICE, query, variables, operation)

    pieces = asyncio.run(answer())
    assert pieces is not None
    return orjson.loads(b"".join(pieces))


def by_engine(services: Services, query: str, operation: str | None = None) -> object:
    variables = {"p": "alice/data"} if "$p" in query else None
    return Engine().execute(query, variables, operation, Context(ALICE, services))[1]


@pytest.mark.parametrize("query", PLANNED)
def test_a_plan_answers_as_the_engine_does(services: Services, places: Places, query: str) -> None:
    """Two ways to one answer must never drift apart; order of fields included."""
    data = places.files / "alice" / "data"
    (data / "f").write_text('tab\t"quoted" \\ back/slash ü \u2028')
    for name in ('a"b', "back\\slash", "ü", "two\nlines", "\\u0000"):
        (data / name).touch()
    (data / "folder").mkdir()
    assert json.dumps(by_plan(services, query)) == json.dumps(by_engine(services, query))


@pytest.mark.parametrize("operation", ["A", "B"])
def test_a_named_operation_has_a_plan_too(services: Services, places: Places, operation: str) -> None:
    """Apollo sends the operation's name with every query."""
    (places.files / "alice/data/f").write_text("content")
    found = by_plan(services, SEVERAL, operation)
    assert json.dumps(found) == json.dumps(by_engine(services, SEVERAL, operation))
    assert make_plan(SEVERAL, "C") is None
    assert make_plan('query A { listDirectory(path: "x") { __typename } }', "B") is None


@pytest.mark.parametrize("query", NOT_PLANNED)
def test_everything_else_is_left_to_the_engine(query: str) -> None:
    """A plan for a query that it does not understand would answer something else."""
    assert make_plan(query) is None


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(NAMES, max_size=6), NAMES)
def test_any_names_and_content_make_right_json(names: list[str], content: str) -> None:
    """Names come from whoever can write files; none may break out of its place in the answer."""
    plan = make_plan(PLANNED[0])
    assert plan is not None
    tree = orjson.loads(plan[0].listing(names, names))["repository"]["tree"]
    assert [edge["node"]["name"] for edge in tree["blobs"]["edges"]] == names
    assert [edge["node"] for edge in tree["trees"]["edges"]] == [{"name": name, "type": "tree"} for name in names]
    read = make_plan(PLANNED[5])
    assert read is not None
    (node,) = orjson.loads(b"".join(read[0].content("n", content)))["repository"]["blobs"]["nodes"]
    assert node == {"name": "n", "rawBlob": content, "rawTextBlob": content}


def test_the_schema_file_is_the_schema() -> None:
    """People read the file; the service answers by the schema."""
    assert FILE.read_text(encoding="utf-8") == schema_text(), "write it anew: python -m libms.graphql.schema"
