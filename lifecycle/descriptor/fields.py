"""Take values of the wanted kind out of marked YAML, and note what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from lifecycle.descriptor.problems import Level, Problem, did_you_mean, shown
from lifecycle.descriptor.quantities import NoQuantity
from lifecycle.descriptor.yaml_marks import Items, Mark, Node, Pairs, Scalar

LONGEST_NAME: Final = 100


def below(path: str, name: str | int) -> str:
    """Extend a path of names by a name or a number."""
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


class Fields:
    """Collects problems; a value that is missing or wrong reads as None."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, place: Node | Mark, path: str, what: str, fix: str) -> None:
        """Note what keeps the descriptor from being used."""
        self._note(place, path, what, fix, Level.ERROR)

    def warn(self, place: Node | Mark, path: str, what: str, fix: str) -> None:
        """Note what is probably not as meant."""
        self._note(place, path, what, fix, Level.WARNING)

    def _note(self, place: Node | Mark, path: str, what: str, fix: str, level: Level) -> None:
        mark = place if isinstance(place, Mark) else place.start
        self.problems.append(Problem(mark.line, mark.column, path, what, fix, level))

    def pairs(self, node: Node | None, path: str, example: str) -> Pairs | None:
        """Take names with values."""
        if node is None or (isinstance(node, Scalar) and node.missing):
            return None
        if isinstance(node, Pairs):
            return node
        self.error(node, path, f"'{path}' does not hold names with values.", f"Write it like {example}.")
        return None

    def items(self, node: Node | None, path: str, example: str) -> list[Node]:
        """Take a list; None of its entries may be missing."""
        if node is None or (isinstance(node, Scalar) and node.missing):
            return []
        if isinstance(node, Items):
            return node.nodes
        self.error(node, path, f"'{path}' is no list.", f"Write it like {example}.")
        return []

    def words(self, node: Node | None, path: str, longest: int = 1000) -> str | None:
        """Take a text, as it is written: also 2026 and 1.10 are texts where one is wanted."""
        if node is None or (isinstance(node, Scalar) and node.missing):
            return None
        if not isinstance(node, Scalar):
            self.error(node, path, f"'{path}' is no text.", "Write one text, in quotes where it holds ': ' or ' #'.")
        elif len(node.text) > longest:
            self.error(node, path, f"'{path}' is longer than {longest} characters.", "Shorten it.")
        else:
            return node.text
        return None

    def quantity(self, node: Node | None, path: str, read: Callable[[object], float]) -> float | None:
        """Take a number with a unit."""
        if node is None or (isinstance(node, Scalar) and node.missing):
            return None
        if not isinstance(node, Scalar):
            self.error(node, path, f"'{path}' is no number with a unit.", "Write one, such as '10 min' or '2 GiB'.")
            return None
        try:
            return read(node.value)
        except NoQuantity as problem:
            self.error(node, path, problem.what, problem.fix)
            return None

    def named(self, node: Node | None, path: str, example: str) -> Iterator[tuple[str, Pairs, str]]:
        """Take groups of values by name: the name, the group and its path."""
        pairs = self.pairs(node, path, example)
        for name, inner in pairs.nodes.items() if pairs else ():
            inner_path = below(path, name)
            if not self._fits_as_name(pairs.keys[name], inner_path):  # type: ignore[union-attr]
                continue
            if isinstance(inner, Pairs):
                yield name, inner, inner_path
            else:
                self.error(inner, inner_path, f"'{inner_path}' does not say anything.", f"Write it like {example}.")

    def _fits_as_name(self, key: Scalar, path: str) -> bool:
        if key.text.strip() and len(key.text) <= LONGEST_NAME and key.text.isprintable():
            return True
        self.error(key, path, f"{shown(key.text)} is no name.", f"Use 1 to {LONGEST_NAME} visible characters.")
        return False

    def known(self, pairs: Pairs, names: Sequence[str], path: str, *, level: Level = Level.WARNING) -> None:
        """Note names that mean nothing here."""
        for name, key in pairs.keys.items():
            if name not in names:
                where = f"in '{path}'" if path else "in a descriptor"
                what = f"{shown(name)} means nothing {where}."
                value = pairs.nodes[name]
                cut = pairs.flow and " " in name and isinstance(value, Scalar) and value.missing
                fix = "Put the text before it into quotes: it holds a comma." if cut else did_you_mean(name, names)
                self._note(key, below(path, name), what, fix, level)
