"""What an FMU says about itself: its modelDescription.xml, read and never executed."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from itertools import islice
from typing import Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from libms.descriptions.archive import open_archive, read_entry
from libms.descriptions.fmi import ModelReader
from libms.descriptions.fmi_values import Experiment, FmuVariable
from libms.descriptions.values import DescriptionUnreadable, one_line

MODEL_DESCRIPTION: Final = "modelDescription.xml"
LARGEST_DESCRIPTION_BYTES: Final = 20 * 1024 * 1024
MOST_PLATFORMS: Final = 64

_PIECE: Final = 256 * 1024
_LARGEST_TAG_PIECES: Final = 4
_BINARIES: Final = "binaries/"
_SOURCES: Final = "sources/"


@dataclass(frozen=True, slots=True)
class Fmu:
    """A model as its description has it; texts are bounded, and missing ones are None."""

    fmi_version: str
    model_name: str | None
    kinds: tuple[str, ...]
    """Of CoSimulation, ModelExchange, ScheduledExecution."""
    description: str | None
    author: str | None
    generation_tool: str | None
    generation_date: str | None
    token: str | None
    """`guid` of FMI 1 and 2, `instantiationToken` of FMI 3."""
    default_experiment: Experiment
    platforms: tuple[str, ...]
    """The folders below `binaries/`, such as linux64 or x86_64-linux."""
    has_sources: bool
    variables: tuple[FmuVariable, ...]
    variable_count: int
    """All of them, also those that are not among `variables`."""
    truncated: bool
    """Whether there are more variables than are given."""


def read_fmu(descriptor: int) -> Fmu:
    """Read an FMU of FMI 1.0, 2.0 or 3.0 from an open file; raises DescriptionUnreadable.

    The descriptor stays open, and its position where it is.
    """
    with open_archive(descriptor) as archive:
        platforms, has_sources = _contents(archive)
        xml = read_entry(archive, MODEL_DESCRIPTION, LARGEST_DESCRIPTION_BYTES)
    reader = _parse(xml)
    root = reader.root
    variables, count = reader.variables()
    return Fmu(
        fmi_version=reader.version,
        model_name=_text(root, "modelName", 300),
        kinds=reader.kinds(),
        description=_text(root, "description", 2_000),
        author=_text(root, "author", 300),
        generation_tool=_text(root, "generationTool", 300),
        generation_date=_text(root, "generationDateAndTime", 40),
        token=_text(root, "instantiationToken", 200) or _text(root, "guid", 200),
        default_experiment=reader.experiment,
        platforms=platforms,
        has_sources=has_sources,
        variables=variables,
        variable_count=count,
        truncated=count > len(variables),
    )


def _text(attributes: dict[str, str], name: str, longest: int) -> str | None:
    return one_line(attributes.get(name, ""), longest) or None


def _contents(archive: zipfile.ZipFile) -> tuple[tuple[str, ...], bool]:
    """Name the platforms and say whether there are sources (FMI 3.0, 2.5.1; the same in 1.0 and 2.0)."""
    names = [name.removeprefix("./") for name in archive.namelist()]
    folders = (name[len(_BINARIES) :].partition("/") for name in names if name.startswith(_BINARIES))
    platforms = dict.fromkeys(one_line(folder, 100) for folder, slash, _ in folders if slash)
    has_sources = any(name.startswith(_SOURCES) and not name.endswith("/") for name in names)
    return tuple(islice((platform for platform in platforms if platform), MOST_PLATFORMS)), has_sources


def _parse(xml: bytes) -> ModelReader:
    """Feed the description to a reader in pieces; document types and all entities are refused.

    Pieces are large and a tag may span only few of them, because expat looks
    at an unfinished tag from its beginning for every further piece.
    """
    reader = ModelReader()
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        seen, idle = 0, 0
        for start in range(0, len(xml), _PIECE):
            parser.feed(xml[start : start + _PIECE])
            seen, idle = reader.events, (idle + 1 if reader.events == seen else 0)
            if idle > _LARGEST_TAG_PIECES:
                raise DescriptionUnreadable(f"{MODEL_DESCRIPTION} holds a tag of more than 1 MB.", "Export it again.")
        parser.close()
    except DefusedXmlException as error:
        raise DescriptionUnreadable(
            f"{MODEL_DESCRIPTION} declares a document type or entities.", "Remove the DOCTYPE; FMI needs none."
        ) from error
    except ParseError as error:
        line, _ = error.position
        raise DescriptionUnreadable(
            f"{MODEL_DESCRIPTION} is not well-formed XML at line {line}.", "Export it again."
        ) from error
    except (ValueError, LookupError) as error:  # encodings that Python does not know or expat cannot use
        raise DescriptionUnreadable(f"{MODEL_DESCRIPTION} has an unknown encoding.", "Write it as UTF-8.") from error
    return reader
