"""The first words of a README, as plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from libms.descriptions.values import one_line

LONGEST_LINES: Final = 2_000
"""How many lines are looked at; what introduces an asset stands at the top."""

_ATX: Final = re.compile(r" {0,3}#{1,6}[ \t]+(.*)")
_SETEXT: Final = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_NOT_PROSE: Final = re.compile(r"(?: {4}|\t| {0,3}(?:[-*+>|]|\d{1,9}[.)]|\[[^\[\]]{1,100}\]:)(?:\s|$|(?<=[>|:])))")
_RULE: Final = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE: Final = re.compile(r" {0,3}(```|~~~)")

_IMAGE: Final = re.compile(r"!\[[^\[\]]{0,300}\](?:\([^()]{0,600}\)|\[[^\[\]]{0,100}\])")
_LINK: Final = re.compile(r"\[([^\[\]]{0,300})\](?:\([^()]{0,600}\)|\[[^\[\]]{0,100}\])")
_TAG: Final = re.compile(r"<(?:/?[A-Za-z][^<>]{0,600}|!--[^<>]{0,600}--)>")
_ADDRESS: Final = re.compile(r"<(https?://[^<>\s]{1,600})>")
_EMPHASIS: Final = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3})(?=\S)([^*_]{1,300})(?<=\S)\1(?![\w*])")
_ESCAPE: Final = re.compile(r"\\([!-/:-@\[-`{-~])")


def first_heading(text: str) -> str | None:
    """Give a text's first heading that holds words, at most 200 characters."""
    return next((words for kind, words in _blocks(text) if kind == "heading"), None)


def first_paragraph(text: str) -> str | None:
    """Give a text's first paragraph of prose, at most 300 characters; lists, tables, code and badges are none."""
    return next((words for kind, words in _blocks(text) if kind == "paragraph"), None)


def plain(text: str, longest: int) -> str:
    """Take markup off one paragraph."""
    text = _IMAGE.sub("", text[:4_000])
    text = _ADDRESS.sub(r"\1", _LINK.sub(r"\1", text))
    text = _TAG.sub("", text).replace("`", "")
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))  # twice, as one may stand in the other
    return one_line(html.unescape(_ESCAPE.sub(r"\1", text)), longest)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Give headings and paragraphs as plain words, in order."""
    gathered: list[str] = []
    for line in (*_prose_lines(text), ""):
        heading = _ATX.match(line)
        if gathered and _SETEXT.match(line):
            kind = "heading"
        elif heading or not line.strip() or _RULE.match(line) or (not gathered and _NOT_PROSE.match(line)):
            kind = "paragraph"
        else:
            gathered.append(line)
            continue
        if words := plain(" ".join(gathered), 200 if kind == "heading" else 300):
            yield kind, words
        gathered = []
        if heading and (words := plain(heading[1].rstrip().rstrip("#"), 200)):
            yield "heading", words


def _prose_lines(text: str) -> Iterator[str]:
    """Leave out fenced code and comments."""
    fence = None
    comment = False
    for line in text.splitlines()[:LONGEST_LINES]:
        found = _FENCE.match(line)
        if fence is not None:
            fence = None if found and found[1] == fence else fence
            yield ""
        elif comment or line.lstrip().startswith("<!--"):
            comment = "-->" not in line
            yield ""
        elif found:
            fence = found[1]
            yield ""
        else:
            yield line[:4_000]
