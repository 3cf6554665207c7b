"""Media types: a browser believes them, so they never say more than is safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libms.descriptions.media import is_text, media_type, shows_inline

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("name", "head", "media"),
    [
        ("spring.fmu", b"PK\x03\x04", "application/x-fmu-sharedlibrary"),
        ("System.SSP", b"PK\x03\x04", "application/x-ssp-package"),
        ("a/b.csv", b"t,x\n1,2", "text/csv"),
        ("plot.png", PNG, "image/png"),
        ("part.stl", b"solid cube\n", "model/stl"),
        ("part.stl", b"\0" * 84, "model/stl"),
        ("Spring.mo", "model Spring // für".encode(), "text/x-modelica"),
        ("README", b"words", "text/plain"),
        (".csv", b"words", "text/plain"),
        ("empty.json", b"", "application/json"),
        ("lies.csv", PNG, "application/octet-stream"),
        ("lies.png", b"<script>", "text/plain"),
        ("lies.fmu", b"\0\1", "application/octet-stream"),
        ("page.html", b"<script>alert(1)</script>", "text/plain"),
        ("page.xhtml", b"<html xmlns='http://www.w3.org/1999/xhtml'>", "text/plain"),
        ("x.xml", b"<a/>", "text/plain"),
        ("x.js", b"alert(1)", "text/plain"),
    ],
)
def test_the_type_is_that_of_name_and_content(name: str, head: bytes, media: str) -> None:
    """A file that a browser would run must not be called so, and one that lies must not be believed."""
    assert media_type(name, head) == media


@given(st.text(), st.sampled_from(["html", "htm", "xhtml", "xml", "js", "mjs", "svgz", "hta", "csv"]), st.binary())
def test_nothing_is_ever_html_or_a_script(stem: str, ending: str, head: bytes) -> None:
    """Uploaded pages must not act in other people's names."""
    media = media_type(f"{stem}.{ending}", head)
    assert not any(word in media for word in ("html", "javascript", "/xml", "ecmascript"))
    media_type(stem, head)
    shows_inline(stem)


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (b"", True),
        ("größer".encode(), True),
        ("größer als Länge".encode("latin-1"), True),
        (("x" * 1023 + "ü").encode()[:1024], True),
        (b"a\0b", False),
        ("text".encode("utf-16"), False),
        (bytes(range(1, 256)), False),
        (PNG, False),
    ],
)
def test_text_is_told_from_bytes(head: bytes, text: bool) -> None:
    """Text can be shown and edited; bytes in an editor are lost data."""
    assert is_text(head) is text


def test_only_images_are_shown_in_place() -> None:
    """A preview is data for an <img>, never a page."""
    assert shows_inline("a.JPG") == "image/jpeg"
    assert shows_inline("a.svg") == "image/svg+xml"
    assert [shows_inline(name) for name in ("a.html", "a.pdf", "png", "a.svg.html")] == [None] * 4
