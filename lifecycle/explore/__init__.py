"""Look whether all that a twin needs is there; nothing of the twin is run or changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from shlex import quote

from lifecycle.descriptor import DESCRIPTOR, Descriptor, DescriptorInvalid, Level, Problem, Use, check_text, load_text
from lifecycle.descriptor.reading import read_text
from lifecycle.explore.assets import explore_use
from lifecycle.explore.models import explore_cosimulation, explore_fmus
from lifecycle.explore.network import explore_ports, explore_services
from lifecycle.explore.programs import explore_programs, explore_tool
from lifecycle.explore.report import Finding, Found, Report, missing, ok, warning
from lifecycle.models import Twin
from lifecycle.places import Places
from lifecycle.runs import Runs
from lifecycle.twins import find_twin

__all__ = ["Finding", "Found", "Report", "explore_twin"]


def explore_twin(places: Places, name: str) -> Report:
    """Look at a twin's descriptor, programs, assets, FMUs, connections, services, tools and ports.

    Takes seconds where services do not answer or FMUs are many. Raises TwinNotFound.
    """
    twin = find_twin(places, name)
    return Report(twin.name, tuple(_findings(places, twin)))


def _findings(places: Places, twin: Twin) -> Iterator[Finding]:
    descriptor, findings = _explore_descriptor(twin)
    yield from findings
    yield from explore_programs(twin)
    for use in descriptor.uses:
        yield from _explore_asset(places, use)
    yield from explore_fmus(places, descriptor)
    yield from explore_cosimulation(twin, descriptor)
    yield from explore_services(descriptor.services)
    if descriptor.ports:
        yield from explore_ports(descriptor.ports, running=bool(Runs(places).running(twin.name)))
    if descriptor.picture and not (twin.path / descriptor.picture).is_file():
        yield warning("picture", f"{twin.path / descriptor.picture} is not there.", "Add it, or correct its name.")


def _explore_asset(places: Places, use: Use) -> Iterator[Finding]:
    place = use.place(places)
    subject = place.relative_to(places.workspace).as_posix()
    try:
        yield from explore_use(places, use)
        if use.category == "tools" and place.exists():
            yield explore_tool(place, subject)
    except OSError as error:
        what = f"{error.filename or place} cannot be read: {error.strerror}."
        yield missing(subject, what, f"In a terminal: chmod -R u+rX {quote(str(place.parent))}")


def _explore_descriptor(twin: Twin) -> tuple[Descriptor, list[Finding]]:
    """Give what can be read, and what is wrong with it."""
    file = twin.path / DESCRIPTOR
    if not os.path.lexists(file):
        return Descriptor(), [ok(DESCRIPTOR, "There is none, so only the programs are looked at.")]
    try:
        text = load_text(file)
    except DescriptorInvalid as error:
        return Descriptor(), [_as_finding(problem) for problem in error.problems]
    problems = check_text(text)
    good = [] if problems else [ok(DESCRIPTOR, "It says everything as it should be said.")]
    return read_text(text).descriptor, [*good, *(_as_finding(problem) for problem in problems)]


def _as_finding(problem: Problem) -> Finding:
    subject = f"{DESCRIPTOR}:{problem.line}:{problem.column}"
    make = missing if problem.level is Level.ERROR else warning
    return make(subject, problem.what, problem.fix)
