"""Split names, texts and what people type into the same words.

The index sees nothing but what comes from here: words of lower-case letters and
digits without accents, joined by spaces. So what somebody types can never be
syntax of the search engine, and a name is found by each of its parts:
"damper" finds massSpringDamper_v2.fmu, "springdamper" and "v2" do so, too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final

MOST_WORDS: Final = 8
"""More words in a search would cost time and hardly narrow it."""
LONGEST_WORD: Final = 40
MOST_PARTS: Final = 8
"""Parts of one run of letters and digits that can be found by themselves."""
LONGEST_QUERY: Final = 1_000

_RUN: Final = re.compile(r"[^\W_]+")
_LETTERS_OR_DIGITS: Final = re.compile(r"\d+|[^\W\d_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MIXED: Final = "_"
"""Starts a word of letters and digits, so that "model*" need not merge model1 to model99999."""
_KEY: Final = "__"
"""Starts a word of the `keys` column; nothing that is typed can start so."""


def words_of(text: str) -> str:
    """Give the words by which a text is found, each once, joined by spaces."""
    return " ".join(_words(text)) if text else ""


def query_words(text: str) -> list[str]:
    """Split what somebody typed; every word is meant as the beginning of one.

    At most eight words count. A word that begins another one is left out, as the
    longer one implies it.
    """
    runs = _RUN.findall(_plain(text[:LONGEST_QUERY]))[: 4 * MOST_WORDS]
    found = dict.fromkeys(map(_query_word, runs))
    longest = [word for word in found if not any(other != word and other.startswith(word) for other in found)]
    return longest[:MOST_WORDS]


@lru_cache(maxsize=1024)
def owner_key(owner: str) -> str:
    """Give the word that stands for an owner in `keys`."""
    return f"{_KEY}o{_digest(owner)}"


@lru_cache(maxsize=16)
def category_key(category: str) -> str:
    """Give the word that stands for a category in `keys`."""
    return f"{_KEY}c{_digest(category)}"


def tag_key(tag: str) -> str:
    """Give the word that stands for a tag in `keys`; upper and lower case are the same tag."""
    return f"{_KEY}t{_digest(' '.join(unicodedata.normalize('NFKC', tag).casefold().split()))}"


def keys(owner: str, category: str, tags: Iterable[str] = ()) -> str:
    """Give all that a search can be narrowed by, as words."""
    return " ".join((owner_key(owner), category_key(category), *dict.fromkeys(map(tag_key, tags))))


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _plain(text: str) -> str:
    """Leave out accents and other marks; upper case stays, as it tells parts of names."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith(("M", "Cs")))


def _query_word(run: str) -> str:
    word = run.casefold()[:LONGEST_WORD]
    return word if len(_LETTERS_OR_DIGITS.findall(word)) == 1 else _MIXED + word


def _words(text: str) -> Iterable[str]:
    found: dict[str, None] = {}
    for run in dict.fromkeys(_RUN.findall(_plain(text))):
        if run.isalpha() and (run.islower() or run[1:].islower()):
            found[run[:LONGEST_WORD].casefold()[:LONGEST_WORD]] = None
        else:
            found.update((word[:LONGEST_WORD], None) for word in _words_of_parts(run))
    return found


def _words_of_parts(run: str) -> Iterator[str]:
    parts = [match.group() for match in _LETTERS_OR_DIGITS.finditer(run)]
    for part in parts[:MOST_PARTS]:
        yield from _suffixes(_CAMEL.split(part))
    if len(parts) > 1:
        yield from (_MIXED + word for word in _suffixes(_CAMEL.split(run)))
        yield from (_MIXED + "".join(parts[start:]).casefold() for start in range(1, min(len(parts) - 1, MOST_PARTS)))


def _suffixes(parts: list[str]) -> Iterator[str]:
    """Give a run from each of its parts on: whoever types a later part finds it, too."""
    for start in range(min(len(parts), MOST_PARTS)):
        yield "".join(parts[start:]).casefold()
