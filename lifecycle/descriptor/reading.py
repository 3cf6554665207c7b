"""Read a descriptor's text: its values, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lifecycle.descriptor.fields import Fields, below
from lifecycle.descriptor.models import DEFAULT_PORTS, Cosimulation, Descriptor, PhaseSettings, Port, Service
from lifecycle.descriptor.problems import Level, Problem, did_you_mean, shown
from lifecycle.descriptor.quantities import read_memory_bytes, read_time_s
from lifecycle.descriptor.reading_parameters import read_parameters
from lifecycle.descriptor.uses import CATEGORIES, VERSION, Use, path_fault, split_version, use_fault
from lifecycle.descriptor.yaml_marks import Document, Node, Pairs, Scalar, read_yaml
from lifecycle.models import Phase, phase_from_name

KEYS: Final = (
    "title", "description", "picture", "uses", "parameters", "phases", "services", "ports", "cosimulation",
)  # fmt: skip
PHASE_KEYS: Final = ("arguments", "time_limit", "memory_limit")
PHASE_NAMES: Final = (*Phase, "analyse")
LONGEST_DOCUMENT: Final = 256 * 1024
LONGEST_TITLE: Final = 200
LONGEST_DESCRIPTION: Final = 10_000
MOST_ARGUMENTS: Final = 100
LONGEST_ARGUMENT: Final = 4096


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says and what is wrong with it; with errors, the values are incomplete."""

    descriptor: Descriptor
    problems: tuple[Problem, ...]
    document: Document

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Those problems that keep it from being used."""
        return tuple(problem for problem in self.problems if problem.level is Level.ERROR)


def read_text(text: str) -> Reading:
    """Read a descriptor; never raises, whatever the text is."""
    if len(text) > LONGEST_DOCUMENT:
        what = f"It is longer than {LONGEST_DOCUMENT // 1024} Ki characters."
        problem = Problem(1, 1, "", what, "Keep data in files of its own.")
        return Reading(Descriptor(), (problem,), Document(None, (problem,)))
    document = read_yaml(text)
    fields = Fields()
    root = document.root
    descriptor = Descriptor()
    if isinstance(root, Pairs):
        descriptor = _descriptor(fields, root)
    elif root is not None and not (isinstance(root, Scalar) and root.missing):
        fields.error(root, "", "The descriptor does not hold names with values.", "Write lines like 'title: My twin'.")
    problems = sorted((*document.problems, *fields.problems), key=lambda problem: (problem.line, problem.column))
    return Reading(descriptor, tuple(problems), document)


def _descriptor(fields: Fields, root: Pairs) -> Descriptor:
    fields.known(root, KEYS, "")
    found = root.nodes.get
    return Descriptor(
        title=fields.words(found("title"), "title", LONGEST_TITLE) or "",
        description=fields.words(found("description"), "description", LONGEST_DESCRIPTION) or "",
        picture=_file(fields, found("picture"), "picture"),
        uses=tuple(_uses(fields, found("uses"))),
        parameters=read_parameters(fields, found("parameters")),
        phases=dict(_phases(fields, found("phases"))),
        services=tuple(_services(fields, found("services"))),
        ports=tuple(_ports(fields, found("ports"))),
        cosimulation=_cosimulation(fields, found("cosimulation")),
        warnings=tuple(problem for problem in fields.problems if problem.level is Level.WARNING),
    )


def _file(fields: Fields, node: Node | None, path: str) -> str | None:
    """Take the path of a file below the twin's folder."""
    words = fields.words(node, path)
    if node is None or words is None:
        return None
    if (fault := path_fault(words)) is not None:
        fields.error(node, path, f"The path {shown(words)} {fault}.", "Name a file below the twin's folder.")
        return None
    return words


def _uses(fields: Fields, node: Node | None) -> Iterator[Use]:
    pairs = fields.pairs(node, "uses", "uses: {models: [water-tank]}")
    if pairs is None:
        return
    fields.known(pairs, CATEGORIES, "uses")
    for category in CATEGORIES:
        path = below("uses", category)
        entries = fields.items(pairs.nodes.get(category), path, f"{category}: [NAME, common/{category}/NAME@1.2]")
        for number, entry in enumerate(entries):
            use = _use(fields, category, entry, below(path, number))
            if use is not None:
                yield use


def _use(fields: Fields, category: str, node: Node, path: str) -> Use | None:
    version_node: Node | None = None
    place: Node | None = node
    if isinstance(node, Pairs):
        fields.known(node, ("path", "version"), path)
        place, version_node = node.nodes.get("path"), node.nodes.get("version")
    written = fields.words(place, path)
    given = fields.words(version_node, below(path, "version"))
    if written is None:
        if place is None or (isinstance(place, Scalar) and place.missing):
            fields.error(node, path, "An asset without a path.", f"Write NAME or common/{category}/NAME@VERSION.")
        return None
    asset, version = split_version(written)
    if version_node is not None and given is not None and (version is not None or not VERSION.fullmatch(given)):
        what = "The version stands in the path already." if version else f"{shown(given)} is no version."
        fields.error(version_node, below(path, "version"), what, "Write it once, such as 1.2.0.")
    if (fault := use_fault(category, asset)) is not None:
        fix = f"Write NAME for your own below {category}/, or common/{category}/NAME@VERSION."
        fields.error(place or node, path, f"The path {shown(written)} {fault}.", fix)
        return None
    return Use(category, asset, version or given)


def _phases(fields: Fields, node: Node | None) -> Iterator[tuple[Phase, PhaseSettings]]:
    example = "phases: {execute: {arguments: [--fast], time_limit: 10 min}}"
    pairs = fields.pairs(node, "phases", example)
    if pairs is None:
        return
    fields.known(pairs, PHASE_NAMES, "phases", level=Level.ERROR)
    for name, inner in pairs.nodes.items():
        phase, path = phase_from_name(name), below("phases", name)
        settings = fields.pairs(inner, path, example)
        if phase is None or settings is None:
            continue
        if name != phase and phase in pairs.nodes:
            fields.error(pairs.keys[name], path, f"'{name}' and '{phase}' are the same phase.", "Keep one of them.")
        fields.known(settings, PHASE_KEYS, path, level=Level.ERROR)
        yield phase, _settings(fields, settings, path)


def _settings(fields: Fields, pairs: Pairs, path: str) -> PhaseSettings:
    where = below(path, "arguments")
    entries = fields.items(pairs.nodes.get("arguments"), where, "arguments: [--fast, input.csv]")
    if len(entries) > MOST_ARGUMENTS:
        fields.error(entries[MOST_ARGUMENTS], where, f"More than {MOST_ARGUMENTS} arguments.", "Use a file for them.")
    arguments = []
    for number, entry in enumerate(entries[:MOST_ARGUMENTS]):
        words = fields.words(entry, below(where, number), LONGEST_ARGUMENT)
        if isinstance(entry, Scalar) and (entry.missing or "\0" in entry.text):
            fields.error(
                entry, below(where, number), "An empty argument, or one with a NUL.", 'Write "" for an empty one.'
            )
        arguments.append(words or "")
    memory = fields.quantity(pairs.nodes.get("memory_limit"), below(path, "memory_limit"), read_memory_bytes)
    return PhaseSettings(
        tuple(arguments),
        fields.quantity(pairs.nodes.get("time_limit"), below(path, "time_limit"), read_time_s),
        None if memory is None else int(memory),
    )


def _services(fields: Fields, node: Node | None) -> Iterator[Service]:
    for name, pairs, path in fields.named(
        node, "services", "services: {broker: {type: amqp, address: 'localhost:5672'}}"
    ):
        fields.known(pairs, ("type", "address", "description"), path)
        kind = fields.words(pairs.nodes.get("type"), below(path, "type"), 60) or "tcp"
        if kind not in DEFAULT_PORTS:
            known = did_you_mean(kind, [*DEFAULT_PORTS])
            fields.warn(
                pairs.nodes["type"], below(path, "type"), f"{shown(kind)} is no kind of service we know.", known
            )
        address = fields.words(pairs.nodes.get("address"), below(path, "address"), 500) or ""
        if "@" in address.partition("?")[0]:
            what = f"The address of '{name}' holds a name or password before '@'."
            fix = "Leave it out here, and let the program read it from a file or the environment."
            fields.error(pairs.nodes["address"], below(path, "address"), what, fix)
        about = fields.words(pairs.nodes.get("description"), below(path, "description"), LONGEST_DESCRIPTION)
        yield Service(name, kind, address, about or "")


def _ports(fields: Fields, node: Node | None) -> Iterator[Port]:
    example = "ports: {dashboard: {port: 8050, protocol: http}}"
    for name, pairs, path in fields.named(node, "ports", example):
        fields.known(pairs, ("port", "protocol", "description"), path)
        protocol = fields.words(pairs.nodes.get("protocol"), below(path, "protocol"), 60)
        about = fields.words(pairs.nodes.get("description"), below(path, "description"), LONGEST_DESCRIPTION)
        given = pairs.nodes.get("port")
        number = _port_number(given)
        if number is None:
            what = f"'{name}' has no port between 1 and 65535."
            fields.error(given or pairs, below(path, "port"), what, f"Write it like {example}.")
        else:
            yield Port(name, number, protocol or "tcp", about or "")


def _port_number(node: Node | None) -> int | None:
    number = node.value if isinstance(node, Scalar) else None
    if isinstance(number, bool) or not isinstance(number, int | float) or number % 1:
        return None
    return int(number) if 1 <= number <= 65535 else None


def _cosimulation(fields: Fields, node: Node | None) -> Cosimulation | None:
    pairs = fields.pairs(node, "cosimulation", "cosimulation: {model: cosim.json, time: time.json}")
    if pairs is None:
        return None
    fields.known(pairs, ("model", "time"), "cosimulation")
    model = _file(fields, pairs.nodes.get("model"), "cosimulation.model")
    return Cosimulation(model or "cosim.json", _file(fields, pairs.nodes.get("time"), "cosimulation.time"))
