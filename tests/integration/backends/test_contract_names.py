"""The contract of libms.backend for every backend: names of all kinds, and paths that want to go elsewhere."""

from pathlib import Path

import pytest

from libms.errors import PathRefused
from libms.paths import AssetPath, parse_path
from tests.integration.backends.worlds import World
from twinhub.errors import PublicError

NAMES = {
    "plain": "a.csv",
    "space": "two  words",
    "spaces at the ends": " a ",
    "dot": ".hidden",
    "dots": "a..b...",
    "dash": "-rf",
    "double dash": "--upload-pack=touch x",
    "umlaut": "Größe.txt",
    "combining": "e\u0301",
    "precomposed": "\u00e9",
    "ideographs": "数字孪生",
    "beyond the basic plane": "\U0001f680",
    "right to left": "\u202egpj.exe",
    "line break": "a\nb",
    "carriage return": "a\r",
    "tabulator": "a\tb",
    "escape": "a\x1b[31mb",
    "quote": 'a"b',
    "apostrophe": "a'b",
    "backslash": "a\\b",
    "backslash at the end": "a\\",
    "dollar": "$(touch x)`touch y`",
    "glob": "*?[a]",
    "colon": "a:b",
    "colon first": ":(top)a",
    "percent": "%2e%2e",
    "hash": "a#b?c=d&e",
    "tilde": "~root",
    "at": "@{u}",
    "replacement": "a\ufffdb",
    "git's neighbours": ".gitignore",
    "nearly git": ".git2",
    "255 bytes": "x" * 255,
    "255 bytes of umlauts": "ü" * 127 + "x",
}

ELSEWHERE = (
    "alice/../bob/data/x",
    "../alice/data/x",
    "alice/data/../../bob/data/x",
    "alice/data/./x",
    "alice/data/a\0b",
    "alice/data/" + "x" * 256,
    "alice/" + "/".join(["x" * 250] * 20),
    "alice/data/\ud800",
)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_of_any_kind_goes_all_the_way(world: World, name: str) -> None:
    """Instruments, other systems and people's own languages name files as they like."""
    path, moved = f"alice/data/{name}/{name}", f"alice/models/{name}"
    backend = world.backend

    world.place(path, b"content")

    assert world.names("alice/data") == [name]
    assert world.names(f"alice/data/{name}") == [name]
    assert world.walked("alice/data") == [name, f"{name}/{name}"]
    assert [one.size for one in backend.entries(parse_path(f"alice/data/{name}"), [name])] == [7]
    backend.move(parse_path(path), parse_path(moved), "alice")
    assert world.names("alice/models") == [name]
    backend.restore(backend.delete(parse_path(moved), "alice").id, "alice")
    backend.place(world.aside(b"newer"), parse_path(moved), "alice", if_match=world.etag(moved))
    assert world.read(moved) == b"newer"


def test_names_of_any_kind_come_in_one_folder(world: World) -> None:
    """An unpacked archive holds all of them at once."""
    world.backend.place(
        world.aside_folder({name: name.encode() for name in NAMES.values()}), parse_path("alice/data/all"), "alice"
    )

    assert world.names("alice/data/all") == sorted(NAMES.values(), key=str.encode)
    assert all(world.read(f"alice/data/all/{name}") == name.encode() for name in NAMES.values())


def test_names_that_look_alike_are_two(world: World) -> None:
    """A name is compared byte for byte: neither case nor the way of writing an accent matters to anybody else."""
    for name in ("\u00e9", "e\u0301", "Data", "data"):
        world.place(f"alice/data/{name}", name.encode())

    assert world.names("alice/data") == ["Data", "data", "e\u0301", "\u00e9"]
    assert world.read("alice/data/e\u0301") == "e\u0301".encode()


@pytest.mark.parametrize("text", ELSEWHERE, ids=lambda text: ascii(text)[:40])
def test_a_path_that_leads_elsewhere_is_refused(text: str) -> None:
    """Every path from a request goes through the same check before any backend sees it."""
    with pytest.raises(PathRefused):
        parse_path(text)


@pytest.mark.parametrize(
    "names", [("..", "bob", "data", "x"), (".", "x"), ("data", "..", "..", "x"), ("data", "a/../../x"), ("", "x")]
)
def test_a_path_that_nobody_checked_leads_nowhere_else_either(world: World, names: tuple[str, ...]) -> None:
    """A mistake further up must not become a way into somebody else's folder."""
    world.seed("bob", {"data/x": b"bob's"})
    world.seed("alice", {"models/y": b"hers"})
    hostile = AssetPath("alice", names)
    for act in (
        lambda: world.backend.place(world.aside(), hostile, "alice", replace=True),
        lambda: world.backend.delete(hostile, "alice"),
        lambda: world.backend.move(parse_path("alice/models/y"), hostile, "alice"),
    ):
        try:
            act()
        except (PublicError, OSError, ValueError):
            continue

    assert world.backend.owners() == ["alice", "bob", "common"]
    assert world.read("bob/data/x") == b"bob's"


def test_no_refusal_names_a_path_of_the_host(world: World, tmp_path: Path) -> None:
    """Where the platform keeps things is nothing for its users."""
    world.place("alice/data/a")
    path = parse_path("alice/data/a")
    refusals = (
        lambda: world.read("alice/data/missing"),
        lambda: world.read("alice/data"),
        lambda: world.backend.listing(path),
        lambda: world.backend.make_folder(path, "alice"),
        lambda: world.backend.place(world.aside(), path, "alice"),
        lambda: world.backend.place(world.aside(), path, "alice", if_match='"x"'),
        lambda: world.backend.restore("0" * 24, "alice"),
        lambda: world.backend.listing(parse_path("alice"), "no-such-version"),
    )
    for refused in refusals:
        with pytest.raises(PublicError) as caught:
            refused()
        assert str(tmp_path) not in str(caught.value)
        assert "Errno" not in str(caught.value)
