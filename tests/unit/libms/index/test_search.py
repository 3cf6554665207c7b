"""What people find, and in which order."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libms.errors import BadRequest
from libms.index import Index, Page, Query
from libms.models import EntryType
from tests.support.indexed import Library, asset

CARD = "---\ntitle: Mass and spring\ndescription: Teaching example\ntags: [Mechanics, fmu]\n---\n# Oscillation\nDamped by friction."


@pytest.fixture
def shelf(library: Library) -> Library:
    """A few assets of three owners."""
    library.write("alice/models/massSpringDamper_v2/README.md", CARD)
    library.write("alice/models/massSpringDamper_v2/src/friction.c", "int x;")
    library.write("alice/models/massSpringDamper_v2/parts/wheel/asset.yaml", "title: Steering wheel\ntags: [fmu]")
    library.write("alice/models/friction.fmu", b"1234")
    library.write("bob/data/friction.csv", "1")
    library.write("common/tools/oscillation/README.md", "# A tool")
    library.start()
    return library


def hits(library: Library, **query: object) -> list[str]:
    return [str(hit.path) for hit in library.index.search(Query(**{"owners": None, **query})).hits]  # type: ignore[arg-type]


def test_names_and_titles_come_before_texts(shelf: Library) -> None:
    """Whoever types a name wants that asset first."""
    *named, told = hits(shelf, text="friction")
    assert sorted(named) == ["alice/models/friction.fmu", "bob/data/friction.csv"]
    assert told == "alice/models/massSpringDamper_v2"
    assert hits(shelf, text="oscill")[0] == "common/tools/oscillation"


@pytest.mark.parametrize(
    "text", ["damper", "MASS spr", "teaching example", "mechanics", "damped v2", "Oscillation friction"]
)
def test_name_title_description_tags_and_readme_are_all_searched(shelf: Library, text: str) -> None:
    """People remember any of them, and words of several."""
    assert hits(shelf, text=text, owners=("alice",)) == ["alice/models/massSpringDamper_v2"]


def test_a_hit_says_what_a_list_shows(shelf: Library) -> None:
    """The page shows cards without asking for each asset."""
    (hit,) = shelf.index.search(Query(("alice",), text="damper")).hits
    folder = shelf.files / "alice/models/massSpringDamper_v2"
    assert (hit.path, hit.type) == (asset("alice/models/massSpringDamper_v2"), EntryType.TREE)
    assert (hit.title, hit.description) == ("Mass and spring", "Teaching example")
    assert (hit.tags, hit.size, hit.modified) == (("mechanics", "fmu"), 0, folder.stat().st_mtime)
    file = shelf.index.search(Query(("alice",), text="friction.fmu")).hits[0]
    assert (file.type, file.size) == (EntryType.BLOB, 4)


def test_nobody_finds_what_is_not_theirs(shelf: Library) -> None:
    """Titles and names are as private as content."""
    assert hits(shelf, owners=("bob", "common"), text="mass") == []
    assert hits(shelf, owners=("bob", "common")) == ["bob/data/friction.csv", "common/tools/oscillation"]
    assert hits(shelf, owners=(), text="friction") == hits(shelf, owners=()) == []
    assert hits(shelf, owners=("bob",), text="wheel", inside=True) == []
    assert hits(shelf, owners=("alic", "ALICE", "al*", '"', "a\ud800"), text="friction") == []


def test_filters_narrow_together(shelf: Library) -> None:
    """Owner, category and tags are all meant."""
    assert hits(shelf, tags=("FMU",)) == [
        "alice/models/massSpringDamper_v2",
        "alice/models/massSpringDamper_v2/parts/wheel",
    ]
    assert hits(shelf, tags=("fmu", "mechanics")) == ["alice/models/massSpringDamper_v2"]
    assert hits(shelf, tags=("fmu",), owners=("bob",)) == hits(shelf, tags=("nothing",)) == []
    assert hits(shelf, category="data") == ["bob/data/friction.csv"]
    assert hits(shelf, category="models", text="friction.fmu")[0] == "alice/models/friction.fmu"
    assert hits(shelf, category="no\ud800ne") == hits(shelf, category="") == []


def test_deeper_folders_with_a_card_are_assets(shelf: Library) -> None:
    """A collection holds assets that are described by themselves."""
    assert hits(shelf, text="steering") == ["alice/models/massSpringDamper_v2/parts/wheel"]
    assert hits(shelf, text="parts") == []


def test_inside_assets_names_alone_are_found_on_demand(shelf: Library) -> None:
    """Thousands of source files would bury the assets."""
    assert hits(shelf, text="friction", owners=("alice",), inside=True) == [
        "alice/models/friction.fmu",
        "alice/models/massSpringDamper_v2",
        "alice/models/massSpringDamper_v2/src/friction.c",
    ]
    assert hits(shelf, text="parts", inside=True) == ["alice/models/massSpringDamper_v2/parts"]
    assert hits(shelf, text="wheel", inside=True) == ["alice/models/massSpringDamper_v2/parts/wheel"]


def test_without_words_all_assets_come_in_the_order_of_their_paths(library: Library) -> None:
    """A catalogue to browse."""
    for path in (
        "bob/data/b",
        "bob/data/B",
        "bob/data/a b",
        "bob/models/a",
        "alice/tools/z",
        "common/data/é",
        "common/data/z",
    ):
        library.write(path)
    library.start()
    expected = [
        "alice/tools/z",
        "bob/data/B",
        "bob/data/a b",
        "bob/data/b",
        "bob/models/a",
        "common/data/z",
        "common/data/é",
    ]
    assert hits(library) == hits(library, owners=("common", "bob", "alice", "bob")) == expected
    assert hits(library, category="data") == [path for path in expected if "/data/" in path]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"owners": ("bob", "alice")},
        {"owners": ("bob", "alice"), "category": "data"},
        {"category": "models"},
        {"text": "part"},
        {"text": "part", "inside": True, "owners": ("alice", "bob")},
        {"tags": ("odd",)},
    ],
    ids=str,
)
def test_paging_gives_each_hit_once(paged: Index, query: dict[str, object], size: int) -> None:
    """A page border must neither hide an asset nor repeat one."""
    whole = paged.search(Query(**{"owners": None, "first": 100, **query}))  # type: ignore[arg-type]
    assert not whole.has_next
    found, after = [], None
    for _ in range(200):
        page = paged.search(Query(**{"owners": None, "first": size, "after": after, **query}))  # type: ignore[arg-type]
        assert len(page.hits) <= size
        found += page.hits
        after = page.end_cursor
        if not page.has_next:
            break
    assert found == list(whole.hits)
    assert len(set(found)) == len(found) > 3


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Index:
    library = Library(tmp_path_factory.mktemp("paged"))
    for number in range(40):
        owner, category = ("alice", "bob", "common")[number % 3], ("data", "models")[number % 2]
        library.write(f"{owner}/{category}/part{number}.csv")
        tag = "odd" if number % 2 else "even"
        library.write(f"{owner}/{category}/thing{number}/README.md", f"---\ntags: [{tag}]\n---\nA part.")
    for number in range(15):
        library.write(f"alice/data/thing0/in/part{number}")
    library.start()
    library.indexer.stop()
    return library.index


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "WzEsMF0=",
        "bnVsbA==",
        "WzIsMCwxXQ==",
        "WzEsOSwxXQ==",
        "WzEsMCwtMV0=",
        "WzEsMCwxZTk5OV0=",
        "é",
        "\ud800",
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("text", ["", "part"])
def test_a_cursor_of_somebody_elses_making_is_refused(paged: Index, cursor: str, text: str) -> None:
    """Cursors come back from clients, who may send anything."""
    with pytest.raises(BadRequest, match="cursor"):
        paged.search(Query(None, text=text, after=cursor))


def test_a_cursor_of_another_search_is_refused(paged: Index) -> None:
    """It would silently give the wrong page."""
    cursor = paged.search(Query(None, first=1)).end_cursor
    with pytest.raises(BadRequest):
        paged.search(Query(None, text="part", after=cursor))


def test_the_most_that_a_page_gives_is_a_hundred_and_the_least_nothing(paged: Index) -> None:
    """Whatever a client asks for."""
    assert len(paged.search(Query(None, first=10**9)).hits) == 80
    assert paged.search(Query(None, first=0)) == Page((), (), True)
    assert paged.search(Query(None, first=-5)).hits == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "part",
                    '"',
                    "'",
                    "*",
                    "AND",
                    "OR",
                    "NOT",
                    "NEAR(",
                    ")",
                    "{name}",
                    ":",
                    "-",
                    "^",
                    "\0",
                    "\ud800",
                    "keys",
                    "__o",
                    "a3",
                ]
            )
        ).map(" ".join),
        st.text(min_size=5_000, max_size=10_000).map(lambda text: text * 2),
    ),
    st.booleans(),
)
def test_whatever_is_typed_is_only_words(paged: Index, text: str, inside: bool) -> None:
    """Quotes and operators of the search engine are inert, and nothing typed is a failure."""
    page = paged.search(Query(("alice",), text=text, inside=inside))
    assert all(hit.path.owner == "alice" for hit in page.hits)
    assert not paged.database._doubtful


@pytest.mark.parametrize(
    "text", ["part AND nothing", "part OR thing", "part NOT thing", 'part" OR "thing', "keys:part", "^part x"]
)
def test_operators_are_words_like_others(paged: Index, text: str) -> None:
    """'OR' in a search means the word."""
    assert paged.search(Query(None, text=text)).hits == ()


def test_a_thousand_owners_can_be_named(paged: Index) -> None:
    """An operator's role may read many folders."""
    owners = tuple(f"owner{number}" for number in range(1000))
    assert len(paged.search(Query((*owners, "alice"), text="part", first=100)).hits) == 28
    assert len(paged.search(Query((*owners, "alice"), first=100)).hits) == 28


def test_searches_do_not_wait_for_the_writer(paged: Index) -> None:
    """A long build may not stop the page."""
    found: list[int] = []
    with paged.database.write() as connection:
        connection.execute("DELETE FROM usage WHERE owner = 'nobody'")
        threads = [
            threading.Thread(target=lambda: found.append(len(paged.search(Query(None, text="part")).hits)))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert found == [20] * 20


def test_a_card_written_by_an_enemy_is_harmless(library: Library) -> None:
    """Cards are read for everybody who searches."""
    library.write(
        "alice/models/bomb/asset.yaml",
        "a: &a [x,x,x,x,x,x]\n" + "\n".join(f"b{i}: &b{i} [*a,*a,*a]" for i in range(50)),
    )
    library.write("alice/models/half/asset.yaml", 'title: "\\ud800 half"\ntags: ["\\udfff", "\\0"]')
    library.write("alice/models/binary/README.md", bytes(range(256)) * 400)
    library.write("alice/models/endless/README.md", b"word " * 10_000_000)
    library.write("alice/models/object/asset.yaml", "title: !!python/object/apply:os.system ['true']")
    library.start()
    assert hits(library, owners=("alice",)) == [
        f"alice/models/{name}" for name in ("binary", "bomb", "endless", "half", "object")
    ]
    assert hits(library, text="word") == ["alice/models/endless"]
