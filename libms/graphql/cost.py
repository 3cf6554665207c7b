"""What a query may cost at most, judged before it runs.

strawberry limits depth, aliases and tokens, but not what a page of a page of
something dear adds up to. Every field costs one, a few cost more because they
read whole files, and what is below a connection costs as often as its `first`.
"""

from __future__ import annotations

from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValidationRule,
)

MOST_COST: Final = 20_000
UNKNOWN_FIRST: Final = 100
"""Where `first` is a variable, the most that it may be."""
DEFAULT_FIRST: Final = {"assets": 50, "trash": 50, "audit": 50, "variables": 100}
READS_FILES: Final = {
    "readFile": 20,
    "text": 5,
    "readme": 2,
    "card": 2,
    "table": 100,
    "fmu": 20,
    "twin": 5,
    "compare": 100,
}
READS_ALL: Final = {"sha256": 50, "intact": 100, "versions": 10, "publication": 2}
PRICES: Final = {**READS_FILES, **READS_ALL}


class CostLimit(ValidationRule):
    """Refuse operations that cost more than MOST_COST."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Judge one operation, with the fragments that it uses."""
        cost = _Prices(self.context.document).of(node.selection_set)
        if cost > MOST_COST:
            message = f"The query costs {cost} and may cost {MOST_COST}. Ask for smaller pages, or for fewer fields."
            self.report_error(GraphQLError(message, node))


class _Prices:
    """Add up selections; each fragment once, as fragments within fragments grow exponentially."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._known: dict[str, int] = {}

    def of(self, selections: SelectionSetNode | None) -> int:
        return sum(self._one(node) for node in selections.selections) if selections else 0

    def _one(self, node: SelectionNode) -> int:
        if isinstance(node, FieldNode):
            return PRICES.get(node.name.value, 1) + self.of(node.selection_set) * _times(node)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        return self.of(node.selection_set) if isinstance(node, InlineFragmentNode) else 0

    def _fragment(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = 0  # a fragment that contains itself is another rule's error, and ends here
            found = self._fragments.get(name)
            self._known[name] = self.of(found.selection_set) if found else 0
        return self._known[name]


def _times(node: FieldNode) -> int:
    if node.name.value not in DEFAULT_FIRST:
        return 1
    for argument in node.arguments or ():
        if argument.name.value == "first":
            value = argument.value
            return min(int(value.value), 10_000) if isinstance(value, IntValueNode) else UNKNOWN_FIRST
    return DEFAULT_FIRST[node.name.value]
