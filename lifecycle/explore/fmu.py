"""What an FMU says about itself: read, and never executed.

An FMU is a zip that a stranger packed. Nothing is unpacked to disk, no size in
it is believed, and its XML may neither declare entities nor be without end.
"""

from __future__ import annotations

import io
import math
import platform
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

DESCRIPTION: Final = "modelDescription.xml"
LARGEST_DESCRIPTION_BYTES: Final = 20 * 1024 * 1024
LARGEST_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
MOST_VARIABLES: Final = 10_000
DEEPEST: Final = 64

_PIECE: Final = 256 * 1024
_LARGEST_TAG_PIECES: Final = 4
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, IndexError, KeyError,
)  # fmt: skip
"""What `zipfile` raises for archives that are damaged or made to hurt."""
_KINDS: Final = ("CoSimulation", "ModelExchange", "ScheduledExecution")
_PLATFORMS: Final = {
    "x86_64": ("linux64", "x86_64-linux"),
    "aarch64": ("aarch64-linux",),
    "i686": ("linux32", "x86-linux"),
}
"""What FMI 2 and FMI 3 call this machine."""


class FmuUnreadable(Exception):
    """The file is no FMU that can be used; `what` and `fix` say why."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a model."""

    name: str
    causality: str
    type: str
    """Real, Integer, Boolean, String, Enumeration; in FMI 3 Float64, Int32 …"""
    unit: str = ""
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """What the model's author suggests, in seconds."""

    stop: float | None = None
    step: float | None = None


@dataclass(frozen=True, slots=True)
class Fmu:
    """What a model description says, and which binaries there are."""

    file: Path
    version: str
    kinds: dict[str, str]
    """CoSimulation, ModelExchange, ScheduledExecution, each with its model identifier."""
    variables: tuple[Variable, ...]
    experiment: Experiment
    binaries: frozenset[str]
    """Paths below binaries/, such as linux64/tank.so."""
    has_sources: bool

    def names(self, causality: str) -> dict[str, Variable]:
        """Give the variables of one causality by name."""
        return {variable.name: variable for variable in self.variables if variable.causality == causality}

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that it has binaries for."""
        return tuple(sorted({name.partition("/")[0] for name in self.binaries}))

    @property
    def binary(self) -> str | None:
        """This machine's binary; one named after the file, or the only one there, is taken too."""
        here = [
            name
            for name in sorted(self.binaries)
            if name.partition("/")[0] in _PLATFORMS.get(platform.machine(), ()) and name.endswith(".so")
        ]
        wanted = (f"{self.kinds.get('CoSimulation', '')}.so", f"{self.file.stem}.so")
        named = [name for name in here if name.partition("/")[2] in wanted]
        if named:
            return named[0]
        return here[0] if len(here) == 1 else None


def read_fmu(file: Path) -> Fmu:
    """Read an FMU of any version; raises FmuUnreadable."""
    try:
        with _Bounded(file) as stream, zipfile.ZipFile(stream) as archive:
            names = [name.replace("\\", "/").removeprefix("./") for name in archive.namelist()]
            model = _parse(_read_description(archive))
    except OSError as error:
        raise FmuUnreadable(f"It cannot be read: {error.strerror or error}.", "Export it again.") from error
    except _DAMAGED as error:
        raise FmuUnreadable("It is no sound zip archive.", "Export or upload it again.") from error
    files = [name for name in names if not name.endswith("/")]
    return Fmu(
        file,
        model.version,
        model.kinds,
        tuple(model.variables),
        model.experiment,
        frozenset(name.removeprefix("binaries/") for name in files if name.startswith("binaries/")),
        any(name.startswith("sources/") for name in files),
    )


class _Bounded(io.FileIO):
    """A file whose single reads are bounded: `zipfile` reads the list of all entries at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        most = LARGEST_DIRECTORY_BYTES + 1
        data = super().read(most if size is None or size < 0 else min(size, most)) or b""
        if len(data) == most:
            raise FmuUnreadable("It lists too many files.", "Keep data outside of the FMU.")
        return data


def _read_description(archive: zipfile.ZipFile) -> bytes:
    entries = [entry for entry in archive.infolist() if entry.filename.removeprefix("./") == DESCRIPTION]
    if len(entries) != 1:
        words = "no" if not entries else "more than one"
        raise FmuUnreadable(f"It holds {words} {DESCRIPTION}.", "Export it again.")
    if entries[0].flag_bits & _ENCRYPTED or entries[0].compress_type not in _METHODS:
        raise FmuUnreadable(f"{DESCRIPTION} is packed in an unusual way.", "Pack it with 'deflate', as zip does.")
    with archive.open(entries[0]) as source:
        data = source.read(LARGEST_DESCRIPTION_BYTES + 1)
    if len(data) > LARGEST_DESCRIPTION_BYTES:
        megabytes = LARGEST_DESCRIPTION_BYTES // 1024**2
        raise FmuUnreadable(f"{DESCRIPTION} is larger than {megabytes} MB.", "Describe fewer variables.")
    return data


def _parse(xml: bytes) -> _Model:
    """Feed the description to a reader in pieces, so that a tag without end is seen before it costs much."""
    model = _Model()
    parser = DefusedXMLParser(target=model, forbid_dtd=True)
    idle = 0
    try:
        for start in range(0, len(xml), _PIECE):
            seen = model.events
            parser.feed(xml[start : start + _PIECE])
            idle = idle + 1 if model.events == seen else 0
            if idle > _LARGEST_TAG_PIECES:
                raise FmuUnreadable(f"{DESCRIPTION} holds a tag of more than 1 MB.", "Export it again.")
        parser.close()
    except DefusedXmlException as error:
        raise FmuUnreadable(f"{DESCRIPTION} declares a document type or entities.", "Take them out.") from error
    except ParseError as error:
        line, _ = error.position
        raise FmuUnreadable(f"{DESCRIPTION} is no well-formed XML at line {line}.", "Export it again.") from error
    except (ValueError, LookupError) as error:  # encodings that Python does not know or expat cannot use
        raise FmuUnreadable(f"{DESCRIPTION} has an unknown encoding.", "Write it as UTF-8.") from error
    return model


@dataclass
class _Model:
    """Receives a parser's events and keeps what is asked for, and no tree."""

    version: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    experiment: Experiment = Experiment()
    events: int = 0
    _path: list[str] = field(default_factory=list)
    _scalar: dict[str, str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an element's beginning."""
        self.events += 1
        if len(self._path) >= DEEPEST:
            raise FmuUnreadable(f"{DESCRIPTION} is nested too deeply.", "Export it again.")
        if not self._path:
            self._take_root(tag, attributes)
        elif len(self._path) == 1 and tag in _KINDS:
            self.kinds[tag] = attributes.get("modelIdentifier", "")[:200]
        elif len(self._path) == 1 and tag == "DefaultExperiment":
            self.experiment = Experiment(_seconds(attributes.get("stopTime")), _seconds(attributes.get("stepSize")))
        elif self._path[1:2] == ["ModelVariables"]:
            self._take_variable(tag, attributes)
        self._path.append(tag)

    def end(self, _tag: str) -> None:
        """Take an element's end."""
        self.events += 1
        self._path.pop()

    def data(self, _text: str) -> None:
        """Let text pass: a description says everything in attributes."""
        self.events += 1

    def close(self) -> None:
        """Take the document's end."""

    def _take_root(self, tag: str, attributes: dict[str, str]) -> None:
        self.version = attributes.get("fmiVersion", "")[:20]
        if tag != "fmiModelDescription" or not self.version.startswith(("1.", "2.", "3.")):
            raise FmuUnreadable(f"{DESCRIPTION} is not of FMI 1, 2 or 3.", "Export it as FMI 2.0 or 3.0.")
        if self.version.startswith("1."):
            self.kinds["CoSimulation"] = attributes.get("modelIdentifier", "")[:200]

    def _take_variable(self, tag: str, attributes: dict[str, str]) -> None:
        """Note a variable: in FMI 3 its element is the type, before that the type is an element inside."""
        if len(self._path) == 2:
            self._scalar = attributes if tag == "ScalarVariable" else None
            if self._scalar is None:
                self._add(attributes, tag, attributes)
        elif len(self._path) == 3 and self._scalar is not None:
            scalar, self._scalar = self._scalar, None
            self._add(scalar, tag, attributes)

    def _add(self, variable: dict[str, str], kind: str, details: dict[str, str]) -> None:
        if len(self.variables) < MOST_VARIABLES and variable.get("name"):
            causality, start = variable.get("causality", "local"), details.get("start")
            unit = details.get("unit", "")[:60]
            self.variables.append(
                Variable(
                    variable["name"][:500], causality[:40], kind[:40], unit, start if start is None else start[:200]
                )
            )


def _seconds(text: str | None) -> float | None:
    """Read a positive number that somebody wrote."""
    try:
        seconds = float(text) if text is not None and len(text) <= 60 else 0.0
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None
