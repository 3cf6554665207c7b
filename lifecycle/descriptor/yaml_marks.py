"""YAML that strangers wrote, as plain nodes that know where they stand.

The parser's events are taken one at a time, without recursion, and nothing is
built or resolved to a type by YAML: `1.10` stays those four characters and a
date stays text, until a reader who knows what is wanted asks for it. Aliases
(a few lines of which can stand for billions of values) and tags are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from lifecycle.descriptor.numerals import read_number
from lifecycle.descriptor.problems import Problem, shown

DEEPEST: Final = 20
MOST_NODES: Final = 50_000

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Final = yaml.resolver.Resolver()
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH: Final = {
    word: truth for truth in (True, False) for word in (str(truth), str(truth).lower(), str(truth).upper())
}
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text: characters before it, and line and column counted from 1."""

    index: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written."""

    start: Mark
    end: Mark
    text: str
    plain: bool
    """Whether it stood there without quotes, so that words like null and true have their meaning."""

    @property
    def missing(self) -> bool:
        """Whether it says that there is no value."""
        return self.plain and self.text in _NOTHING

    @property
    def value(self) -> str | int | float | bool | None:
        """Give it as YAML 1.2's core types, which are those of JSON; what other spellings mean depends on the reader."""
        if not self.plain:
            return self.text
        if self.text in _NOTHING:
            return None
        if self.text in _TRUTH:
            return _TRUTH[self.text]
        return self.text if (number := read_number(self.text)) is None else number

    @property
    def uncertain(self) -> bool:
        """Whether some YAML readers see a date, a truth value or another number where a text is meant."""
        return self.plain and is_uncertain(self.text)


@dataclass(slots=True)
class Items:
    """Values in a row."""

    start: Mark
    end: Mark
    flow: bool
    nodes: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Pairs:
    """Values by name."""

    start: Mark
    end: Mark
    flow: bool
    nodes: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)


Node: TypeAlias = Scalar | Items | Pairs


@dataclass(frozen=True, slots=True)
class Document:
    """What could be read, and what could not."""

    root: Node | None
    problems: tuple[Problem, ...]


class _Refused(Exception):
    def __init__(self, mark: Mark, what: str, fix: str) -> None:
        super().__init__(what)
        self.problem = Problem(mark.line, mark.column, "", what, fix)


def is_uncertain(text: str) -> bool:
    """Tell whether a text without quotes would be no text for some YAML readers."""
    resolved = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return resolved != _TEXT_TAG or read_number(text) is not None


def read_yaml(text: str) -> Document:
    """Read a text that holds one document; never raises, whatever the text is."""
    tree = _Tree()
    text = text.removeprefix("\ufeff")
    try:
        _refuse_forbidden(text)
        for event in yaml.parse(text, Loader=_LOADER):
            tree.take(event)
    except _Refused as refused:
        tree.problems.append(refused.problem)
    except yaml.MarkedYAMLError as error:
        tree.problems.append(_explain(error, text))
    except (yaml.YAMLError, ValueError) as error:
        tree.problems.append(
            Problem(1, 1, "", f"This is no YAML: {shown(error)}.", "Write lines like 'title: My twin'.")
        )
    return Document(tree.root, tuple(tree.problems))


def plain_value(node: Node | None) -> Any:
    """Give a node as JSON's values; dates stay text, and NaN is a float."""
    if isinstance(node, Pairs):
        return {name: plain_value(inner) for name, inner in node.nodes.items()}
    if isinstance(node, Items):
        return [plain_value(inner) for inner in node.nodes]
    return None if node is None else node.value


def nodes_on(path: Iterator[str | int], root: Node | None) -> Iterator[Node]:
    """Give the nodes on the way to a value, the value last, as far as the way goes."""
    node = root
    while node is not None:
        yield node
        step = next(path, None)
        if isinstance(node, Pairs) and isinstance(step, str):
            node = node.nodes.get(step)
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            node = node.nodes[step]
        else:
            return


def _refuse_forbidden(text: str) -> None:
    found = _FORBIDDEN.search(text)
    if found is None:
        return
    line = text.count("\n", 0, found.start()) + 1
    mark = Mark(found.start(), line, found.start() - text.rfind("\n", 0, found.start()))
    raise _Refused(mark, f"The character U+{ord(found[0]):04X} cannot stand in YAML.", "Take it away.")


def _mark(mark: Any) -> Mark:
    return Mark(mark.index, mark.line + 1, mark.column + 1) if mark else Mark(0, 1, 1)


def _explain(error: yaml.MarkedYAMLError, text: str) -> Problem:
    """Say in our words what the parser stumbled over."""
    mark = _mark(error.problem_mark or error.context_mark)
    if mark.index >= len(text.rstrip()) and error.context_mark:
        mark = _mark(error.context_mark)  # what is never closed is mended where it was opened
    what = f"{error.problem or ''} {error.context or ''}"
    known = (
        ("'\\t'", "A tab stands where YAML wants spaces.", "Indent with spaces."),
        (
            "mapping values are not allowed",
            "A ':' is too many here, or the line above lacks its end.",
            "Put texts that hold ': ' into quotes, and check the indentation.",
        ),
        (
            "could not find expected ':'",
            "A name without ': ' behind it.",
            "Write NAME: VALUE, with a space after the colon.",
        ),
        ("quoted scalar", "A quotation mark is opened and not closed.", "Close it."),
        (
            "did not find expected ',' or",
            "A bracket or brace is opened and not closed, or a comma is missing.",
            "Write [a, b] or {name: value, name: value}.",
        ),
        (
            "block mapping",
            "The indentation does not fit the lines above.",
            "Give names that belong together the same indentation.",
        ),
        ("expected alphabetic or numeric", "'*' and '&' begin a reference in YAML.", "Put the text into quotes."),
        ("cannot start any token", "A sign that cannot begin a value.", "Put the text into quotes."),
    )
    for part, words, fix in known:
        if part in what:
            return Problem(mark.line, mark.column, "", words, fix)
    return Problem(mark.line, mark.column, "", f"This is no YAML: {shown(error.problem)}.", "Correct it in an editor.")


class _Tree:
    """Puts events together without recursion, so that depth is a number and not a crash."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[Items | Pairs] = []
        self._names: list[Scalar | None] = []
        """For each open container, the name that waits for its value."""
        self._nodes = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        start = _mark(event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _Refused(start, "A second document begins here.", "Keep one, and take the line '---' away.")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(_mark(event.end_mark))
        elif isinstance(event, yaml.NodeEvent):
            self._check(event, start)
            self._add_event(event, start, _mark(event.end_mark))

    def _add_event(self, event: yaml.NodeEvent, start: Mark, end: Mark) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._add(Scalar(start, end, event.value, event.implicit[0]))
            return
        container: Items | Pairs
        if isinstance(event, yaml.SequenceStartEvent):
            container = Items(start, end, bool(event.flow_style))
        else:
            container = Pairs(start, end, bool(getattr(event, "flow_style", False)))
        self._add(container)
        self._open.append(container)
        self._names.append(None)

    def _close(self, end: Mark) -> None:
        self._open.pop().end = end
        self._names.pop()

    def _check(self, event: Any, start: Mark) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(start, f"The reference '*{event.anchor}' is not followed.", "Write the value out.")
        if event.tag is not None:
            raise _Refused(start, f"The tag {shown(event.tag)} is not read.", "Write the value without it.")
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _Refused(start, f"More than {MOST_NODES} values.", "Keep data in files of its own.")
        if len(self._open) >= DEEPEST and not isinstance(event, yaml.ScalarEvent):
            raise _Refused(start, f"Values are nested deeper than {DEEPEST} levels.", "A descriptor needs five.")

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        container = self._open[-1]
        if isinstance(container, Items):
            container.nodes.append(node)
        elif (name := self._names[-1]) is not None:
            self._names[-1] = None
            self._add_pair(container, name, node)
        elif isinstance(node, Scalar):
            self._names[-1] = node
        else:
            raise _Refused(node.start, "A name must be a word, not a list or a group.", "Write NAME: VALUE.")

    def _add_pair(self, container: Pairs, name: Scalar, node: Node) -> None:
        if name.text in container.keys:
            first = container.keys[name.text].start.line
            what = f"{shown(name.text)} stands here a second time; the first is in line {first}."
            self.problems.append(Problem(name.start.line, name.start.column, name.text, what, "Keep one of them."))
        container.keys[name.text] = name
        container.nodes[name.text] = node
