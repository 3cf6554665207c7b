"""What an asset says about itself: asset.yaml, or the front matter and first words of its README."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from libms.descriptions.fields import Fields
from libms.descriptions.markdown import first_heading, first_paragraph
from libms.descriptions.safe_yaml import Items, Node, Pairs, Scalar, read_yaml
from libms.descriptions.values import one_line

ASSET_YAML: Final = "asset.yaml"
README: Final = "README.md"
LARGEST_README_CHARACTERS: Final = 64 * 1024
MOST_TAGS: Final = 32
MOST_PORTS: Final = 1_000
MOST_PROBLEMS: Final = 20

_FRONT_MATTER: Final = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_KEYS: Final = ("title", "description", "licence", "tags", "inputs", "outputs")


@dataclass(frozen=True, slots=True)
class CardPort:
    """One thing that an asset takes or gives."""

    name: str
    unit: str | None = None
    type: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What there is to show of an asset beside its name; all texts are bounded and free of controls."""

    title: str | None = None
    description: str | None = None
    licence: str | None = None
    tags: tuple[str, ...] = ()
    """Lower case, each once, in the order given."""
    inputs: tuple[CardPort, ...] = ()
    outputs: tuple[CardPort, ...] = ()
    source: str | None = None
    """The file that gave the most specific part: asset.yaml or README.md; None when there is neither."""
    problems: tuple[str, ...] = ()
    """What could not be read, in words for whoever wrote the card."""


def read_card(readme: str | None, asset_yaml: str | None) -> Card:
    """Read an asset's card from the texts of its two files; never raises.

    asset.yaml counts before the README's front matter, field by field, and that
    before the README's first heading and first paragraph.
    """
    front, body, line = _split_front_matter((readme or "")[:LARGEST_README_CHARACTERS])
    cards = []
    if asset_yaml is not None:
        cards.append(_read_fields(asset_yaml, ASSET_YAML, 0))
    if front is not None:
        cards.append(_read_fields(front, README, line))
    if readme is not None:
        cards.append(Card(first_heading(body), first_paragraph(body), source=README))
    return _merge(cards)


def _merge(cards: list[Card]) -> Card:
    """Take every field from the first card that has it."""
    merged = Card()
    for card in cards:
        filled = {name: getattr(card, name) for name in _KEYS if not getattr(merged, name) and getattr(card, name)}
        merged = replace(merged, **filled, problems=merged.problems + card.problems)
        if merged.source is None and filled:
            merged = replace(merged, source=card.source)
    source = merged.source or (cards[0].source if cards else None)
    return replace(merged, source=source, problems=merged.problems[:MOST_PROBLEMS])


def _split_front_matter(text: str) -> tuple[str | None, str, int]:
    """Give the front matter, what follows it, and how many lines stand above the front matter's first."""
    text = text.removeprefix("\ufeff")
    found = _FRONT_MATTER.match(text)
    if found is None:
        return None, text, 0
    return found[1], text[found.end() :], 1


def _read_fields(text: str, file: str, lines_above: int) -> Card:
    document = read_yaml(text)
    fields = Fields(file, lines_above)
    for problem in document.problems:
        fields.complain(problem.line, problem.words)
    root = document.root
    if not isinstance(root, Pairs):
        if root is not None and not (isinstance(root, Scalar) and root.missing):
            fields.complain(root.line, "names and values are needed, such as 'title: Spring'")
        return Card(source=file, problems=tuple(fields.problems))
    licence = root.nodes.get("licence", root.nodes.get("license"))
    return Card(
        title=fields.text(root.nodes.get("title"), "title", 200),
        description=fields.text(root.nodes.get("description"), "description", 2_000),
        licence=fields.text(licence, "licence", 100),
        tags=_tags(fields, root.nodes.get("tags")),
        inputs=_ports(fields, root.nodes.get("inputs"), "inputs"),
        outputs=_ports(fields, root.nodes.get("outputs"), "outputs"),
        source=file,
        problems=tuple(fields.problems),
    )


def _tags(fields: Fields, node: Node | None) -> tuple[str, ...]:
    if isinstance(node, Scalar):
        parts = [] if node.missing else node.text.split(",", 4 * MOST_TAGS)
        found = [one_line(part, 64) for part in parts]
    else:
        found = fields.texts(node, "tags", 64)
    tags = tuple(dict.fromkeys(tag.lower() for tag in found if tag))
    if node is not None and len(tags) > MOST_TAGS:
        fields.complain(node.line, f"there are more than {MOST_TAGS} tags; the first ones count")
    return tags[:MOST_TAGS]


def _ports(fields: Fields, node: Node | None, key: str) -> tuple[CardPort, ...]:
    """Read ports given as a list of names or groups, or as a group by name."""
    if node is None or (isinstance(node, Scalar) and node.missing):
        return ()
    found: list[CardPort | None]
    if isinstance(node, Pairs):
        found = [_named_port(fields, name, inner) for name, inner in list(node.nodes.items())[: MOST_PORTS + 1]]
    elif isinstance(node, Items):
        found = [_listed_port(fields, inner, key) for inner in node.nodes[: MOST_PORTS + 1]]
    else:
        fields.complain(node.line, f"'{key}' must be a list of names, or names with their units")
        return ()
    if len(found) > MOST_PORTS:
        fields.complain(node.line, f"'{key}' has more than {MOST_PORTS} entries; the first ones count")
    return tuple(port for port in found[:MOST_PORTS] if port is not None)


def _listed_port(fields: Fields, node: Node, key: str) -> CardPort | None:
    if isinstance(node, Scalar):
        name = fields.text(node, key, 200)
        return CardPort(name) if name else None
    if isinstance(node, Pairs) and "name" in node.nodes:
        name = fields.text(node.nodes["name"], "name", 200)
        return _named_port(fields, name, node) if name else None
    if isinstance(node, Pairs) and len(node.nodes) == 1:  # "- force: The force" is how YAML reads a name and its words
        return _named_port(fields, *next(iter(node.nodes.items())))
    fields.complain(node.line, f"an entry of '{key}' has no name")
    return None


def _named_port(fields: Fields, name: str, node: Node) -> CardPort | None:
    name = one_line(name, 200)
    if not name:
        return None
    if isinstance(node, Scalar):
        return CardPort(name, description=fields.text(node, name, 500))
    if isinstance(node, Items):
        fields.complain(node.line, f"'{name}' must have a description, or unit, type and description by name")
        return CardPort(name)
    return CardPort(
        name,
        unit=fields.text(node.nodes.get("unit"), "unit", 50),
        type=fields.text(node.nodes.get("type"), "type", 50),
        description=fields.text(node.nodes.get("description"), "description", 500),
    )
