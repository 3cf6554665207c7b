"""What a digital twin says about itself: twin.yaml, and the programs of its phases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from libms.descriptions.fields import Fields
from libms.descriptions.safe_yaml import Items, Node, Pairs, Scalar, read_yaml
from libms.descriptions.values import one_line
from twinhub.names import Category

TWIN_YAML: Final = "twin.yaml"
PHASES: Final = ("explore", "create", "execute", "save", "analyze", "evolve", "terminate", "clean")
"""In the order of a twin's life."""
MOST_USES: Final = 1_000
MOST_PROBLEMS: Final = 20

_SPELLINGS: Final = {"analyse": "analyze"}


@dataclass(frozen=True, slots=True)
class Use:
    """An asset that a twin is made of, as its descriptor names it."""

    category: str
    path: str
    """As written: below the category, or a whole asset path. Still to be checked like any path that somebody sent."""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class TwinDescription:
    """What there is to say about a twin without running it."""

    title: str | None = None
    description: str | None = None
    phases: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    problems: tuple[str, ...] = ()


def read_twin(descriptor_text: str | None, lifecycle_names: Sequence[str]) -> TwinDescription:
    """Describe a twin from its descriptor's text and the names in its folder `lifecycle`; never raises."""
    names = {_SPELLINGS.get(name, name) for name in lifecycle_names}
    phases = tuple(phase for phase in PHASES if phase in names)
    if descriptor_text is None:
        return TwinDescription(phases=phases)
    document = read_yaml(descriptor_text)
    fields = Fields(TWIN_YAML)
    for problem in document.problems:
        fields.complain(problem.line, problem.words)
    root = document.root
    if not isinstance(root, Pairs):
        if root is not None and not (isinstance(root, Scalar) and root.missing):
            fields.complain(root.line, "names and values are needed, such as 'title: Incubator'")
        return TwinDescription(phases=phases, problems=tuple(fields.problems[:MOST_PROBLEMS]))
    return TwinDescription(
        title=fields.text(root.nodes.get("title"), "title", 200),
        description=fields.text(root.nodes.get("description"), "description", 2_000),
        phases=phases,
        uses=tuple(_uses(fields, root.nodes.get("uses")))[:MOST_USES],
        problems=tuple(fields.problems[:MOST_PROBLEMS]),
    )


def _uses(fields: Fields, node: Node | None) -> Iterator[Use]:
    if node is None or (isinstance(node, Scalar) and node.missing):
        return
    if not isinstance(node, Pairs):
        fields.complain(node.line, "'uses' must name categories, each with a list of asset paths")
        return
    for name, listed in node.nodes.items():
        if name not in set(Category):
            known = ", ".join(Category)
            fields.complain(node.lines[name], f"'{one_line(name, 40)}' is no category of assets; there are {known}")
        elif isinstance(listed, Items):
            found = (_use(fields, name, inner) for inner in listed.nodes[:MOST_USES])
            yield from (use for use in found if use is not None)
        elif not (isinstance(listed, Scalar) and listed.missing):
            use = _use(fields, name, listed)  # a single path without a dash
            if use is not None:
                yield use


def _use(fields: Fields, category: str, node: Node) -> Use | None:
    version = None
    path: Node | None = node
    if isinstance(node, Pairs):
        path = node.nodes.get("path")
        version = fields.text(node.nodes.get("version"), "version", 100)
    if path is None:
        fields.complain(node.line, f"an entry of '{category}' has no path")
        return None
    if not isinstance(path, Scalar):
        fields.complain(path.line, f"an entry of '{category}' must be an asset path")
        return None
    text = path.text.strip()
    if not text or path.missing or len(text) > 1_000 or ".." in text.split("/") or one_line(text, 1_000) != text:
        fields.complain(path.line, f"'{one_line(text, 60)}' is not an asset path")
        return None
    return Use(category, text, version)
