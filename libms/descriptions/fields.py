"""Take texts out of a descriptor, noting what is not as it should be instead of failing."""

from __future__ import annotations

from libms.descriptions.safe_yaml import Items, Node, Scalar
from libms.descriptions.values import one_line, showable

MOST_TEXTS = 1_000


class Fields:
    """Reads the values of one file and collects what is wrong with them."""

    def __init__(self, file: str, lines_above: int = 0) -> None:
        self.problems: list[str] = []
        self._file = file
        self._lines_above = lines_above

    def complain(self, line: int, words: str) -> None:
        """Note a problem at a line of the descriptor; 0 is nowhere in particular."""
        where = f"{self._file} line {line + self._lines_above}" if line else self._file
        self.problems.append(showable(f"{where}: {words}.", 400))

    def text(self, node: Node | None, key: str, longest: int) -> str | None:
        """Give a value as text; numbers, dates and truth values as they were written."""
        if node is None or (isinstance(node, Scalar) and node.missing):
            return None
        if not isinstance(node, Scalar):
            self.complain(node.line, f"'{one_line(key, 40)}' must be text")
            return None
        return showable(node.text.strip(), longest) or None

    def texts(self, node: Node | None, key: str, longest: int) -> list[str]:
        """Give a list of values as texts; a single value counts as a list of one."""
        if node is None or (isinstance(node, Scalar) and node.missing):
            return []
        if isinstance(node, Scalar):
            return [one_line(node.text, longest)]
        if not isinstance(node, Items):
            self.complain(node.line, f"'{one_line(key, 40)}' must be a list of words")
            return []
        found = [self.text(inner, key, longest) for inner in node.nodes[:MOST_TEXTS]]
        return [one_line(text, longest) for text in found if text]
