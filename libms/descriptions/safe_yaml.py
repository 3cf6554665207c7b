"""YAML that strangers wrote, read without running, building or trusting anything.

The parser's events are taken one at a time and become plain nodes that keep
their text and line. Nothing is resolved to a type here: `1.10` stays those four
characters, a date stays text, and a number of a million digits is no number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from libms.descriptions.values import one_line

LARGEST_CHARACTERS: Final = 64 * 1024
DEEPEST: Final = 30
MOST_NODES: Final = 20_000

_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD_TAG: Final = "tag:yaml.org,2002:"
_STANDARD_TYPES: Final = frozenset({"str", "int", "float", "bool", "null", "seq", "map", "timestamp"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a line; the first line is 1, and 0 means nowhere in particular."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written."""

    text: str
    line: int
    plain: bool
    """Whether it stood there without quotes, so that words like null and true have their meaning."""

    @property
    def missing(self) -> bool:
        """Whether it says that there is no value."""
        return self.plain and self.text in _NOTHING


@dataclass(frozen=True, slots=True)
class Items:
    """Values in a row."""

    line: int
    nodes: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Values by name; of a name that stands twice, the last counts."""

    line: int
    nodes: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Where each name stands."""


Node = Scalar | Items | Pairs


@dataclass(frozen=True, slots=True)
class Document:
    """What could be read, up to the first mistake in the spelling."""

    root: Node | None
    problems: tuple[Problem, ...]
    whole: bool
    """Whether all of it was read."""


class _Refused(Exception):
    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.problem = Problem(line, words)


def read_yaml(text: str, *, largest: int = LARGEST_CHARACTERS, most_nodes: int = MOST_NODES) -> Document:
    """Read the first document of a text; never raises, whatever the text is.

    Anchors are allowed and aliases refused: a few lines of aliases can stand
    for billions of values. Tags other than YAML's own are refused too.
    """
    tree = _Tree(most_nodes)
    text = text.removeprefix("\ufeff")
    if len(text) > largest:
        tree.problems.append(Problem(0, f"it is longer than {largest // 1024} KB, so only the beginning was read"))
        text = text[: text.rfind("\n", 0, largest) + 1]
        tree.whole = False
    try:
        for event in _events(text):
            tree.take(event)
    except _Refused as refused:
        tree.stop(refused.problem)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        tree.stop(Problem(mark.line + 1 if mark else 0, one_line(error.problem or "it is no YAML", 200)))
    except (yaml.YAMLError, ValueError) as error:  # characters that YAML forbids, halves of surrogate pairs
        tree.stop(Problem(0, one_line(getattr(error, "reason", None) or str(error), 200)))
    return Document(tree.root, tuple(tree.problems), tree.whole)


def _events(text: str) -> Iterator[yaml.Event]:
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentEndEvent):
            return
        yield event


class _Tree:
    """Puts events together without recursion, so that depth is a number and not a crash."""

    def __init__(self, most_nodes: int) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.whole = True
        self._open: list[Items | Pairs] = []
        self._names: list[str | None] = []
        """For each open container, the name that waits for its value."""
        self._nodes_left = most_nodes

    def stop(self, problem: Problem) -> None:
        self.whole = False
        self.problems.append(problem)

    def take(self, event: yaml.Event) -> None:
        if not isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._names.pop()
            return
        line = event.start_mark.line + 1 if event.start_mark else 0
        self._check(event, line)
        if isinstance(event, yaml.ScalarEvent):
            self._add(Scalar(event.value, line, event.implicit[0]), line)
            return
        container: Items | Pairs = Items(line) if isinstance(event, yaml.SequenceStartEvent) else Pairs(line)
        self._add(container, line)
        self._open.append(container)
        self._names.append(None)

    def _check(self, event: Any, line: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(line, f"the alias *{one_line(event.anchor or '', 40)} is not read; write the value out")
        tag = event.tag
        if tag not in (None, "!") and tag.removeprefix(_STANDARD_TAG) not in _STANDARD_TYPES:
            raise _Refused(line, f"the tag {one_line(tag, 60)} is not read")
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise _Refused(line, "it holds too many values")
        if len(self._open) >= DEEPEST:
            raise _Refused(line, f"values are nested deeper than {DEEPEST} levels")

    def _add(self, node: Node, line: int) -> None:
        if not self._open:
            self.root = node
            return
        container = self._open[-1]
        if isinstance(container, Items):
            container.nodes.append(node)
        elif (name := self._names[-1]) is not None:
            container.nodes[name] = node
            self._names[-1] = None
        elif isinstance(node, Scalar):
            if node.text in container.lines:
                self.problems.append(Problem(line, f"{one_line(node.text, 40)!r} stands twice; the last one counts"))
            container.lines[node.text] = line
            self._names[-1] = node.text
        else:
            raise _Refused(line, "a name must be a word, not a list or a group")


def plain_value(node: Node | None) -> Any:
    """Give a node as Python's plain values: dict, list, str, int, float, bool, None; dates stay text."""
    if isinstance(node, Pairs):
        return {name: plain_value(inner) for name, inner in node.nodes.items()}
    if isinstance(node, Items):
        return [plain_value(inner) for inner in node.nodes]
    if node is None or node.missing:
        return None
    return _typed(node.text) if node.plain else node.text


def _typed(text: str) -> Any:
    if len(text) > 300:  # converting very long digits is slow, and refused by Python
        return text
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    try:
        if tag == "tag:yaml.org,2002:bool":
            return yaml.SafeLoader.bool_values[text.lower()]
        if tag == "tag:yaml.org,2002:int":
            return int(text.replace("_", ""), 0)
        if tag == "tag:yaml.org,2002:float":
            return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:  # 010, 1:30 and .INF mean different things to different readers
        return text
    return text


_RESOLVER: Final = yaml.resolver.Resolver()
