"""What is in an asset, as GraphQL types: cards, tables, models, twins."""

from __future__ import annotations

from typing import Final

import strawberry

from libms.descriptions import card as cards
from libms.descriptions import fmu as fmus
from libms.descriptions import tables, twin
from libms.descriptions.fmi_values import FmuVariable as ModelVariable
from libms.errors import BadRequest
from libms.graphql.connections import PageInfo, page_of

MOST_ROWS: Final = 200
MOST_VARIABLES: Final = 500


@strawberry.type(description="An input or output that a card names.")
class CardPort:
    name: str
    type: str | None
    unit: str | None
    description: str | None


@strawberry.type(description="What an asset says of itself, in asset.yaml or in the front matter of README.md.")
class Card:
    title: str | None
    description: str | None
    licence: str | None
    tags: list[str]
    inputs: list[CardPort]
    outputs: list[CardPort]
    source: str | None = strawberry.field(description="The file that says it; null where there is none.")
    problems: list[str] = strawberry.field(description="What in that file could not be understood.")


def make_card(card: cards.Card) -> Card:
    """Give a card as GraphQL has it."""
    return Card(
        title=card.title or None,
        description=card.description or None,
        licence=card.licence or None,
        tags=list(card.tags),
        inputs=[_port(port) for port in card.inputs],
        outputs=[_port(port) for port in card.outputs],
        source=card.source,
        problems=list(card.problems),
    )


def _port(port: cards.CardPort) -> CardPort:
    return CardPort(
        name=port.name, type=port.type or None, unit=port.unit or None, description=port.description or None
    )


@strawberry.type(description="The beginning of a text.")
class TextPreview:
    text: str
    truncated: bool
    editable: bool = strawberry.field(description="Whether this is the whole text and UTF-8, so that it can be edited.")


@strawberry.type(description="A column of a table.")
class Column:
    name: str
    type: str = strawberry.field(description="number, integer, text, time or empty.")


@strawberry.type(description="A table of comma- or otherwise separated values.")
class Table:
    delimiter: str
    columns: list[Column]
    rows: list[list[str]] = strawberry.field(description="The first rows.")
    row_count: int | None = strawberry.field(description="Rows in all; null where nobody can tell.")
    estimated: bool = strawberry.field(description="Whether rowCount is projected from the beginning of a large file.")
    truncated: bool


def make_table(table: tables.Table) -> Table:
    """Give a table as GraphQL has it."""
    return Table(
        delimiter=table.delimiter,
        columns=[Column(name=column.name, type=str(column.type)) for column in table.columns],
        rows=[list(row) for row in table.rows],
        row_count=table.row_count,
        estimated=table.estimated,
        truncated=table.truncated,
    )


@strawberry.type(description="A variable of a functional mock-up unit, in the words of the FMI standard.")
class FmuVariable:
    name: str
    causality: str
    variability: str
    type: str
    unit: str | None
    start: str | None
    description: str | None


@strawberry.type
class FmuVariableEdge:
    cursor: str
    node: FmuVariable


@strawberry.type
class FmuVariableConnection:
    edges: list[FmuVariableEdge]
    nodes: list[FmuVariable]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="What a functional mock-up unit's modelDescription.xml says. It is read, never run.")
class Fmu:
    fmi_version: str
    model_name: str
    kinds: list[str] = strawberry.field(description="CoSimulation, ModelExchange, ScheduledExecution.")
    description: str | None
    author: str | None
    generation_tool: str | None
    generation_date: str | None
    default_start: float | None = strawberry.field(description="Start time of the default experiment, in s.")
    default_stop: float | None = strawberry.field(description="Stop time of the default experiment, in s.")
    default_step: float | None = strawberry.field(description="Step size of the default experiment, in s.")
    default_tolerance: float | None
    platforms: list[str]
    variable_count: int
    content: strawberry.Private[fmus.Fmu]

    @strawberry.field(description="Its variables, by causality or by a part of their name.")
    def variables(
        self, causality: str | None = None, text: str | None = None, first: int = 100, after: str | None = None
    ) -> FmuVariableConnection:
        if not 0 < first <= MOST_VARIABLES:
            raise BadRequest(f"'first' is {first}.", f"Ask for 1 to {MOST_VARIABLES}.")
        wanted = (text or "").casefold()
        found = [
            one
            for one in self.content.variables
            if (causality is None or one.causality == causality) and wanted in one.name.casefold()
        ]
        page, info, cursor = page_of(found, first, after)
        nodes = [_variable(one) for one in page]
        edges = [FmuVariableEdge(cursor=cursor(index), node=node) for index, node in enumerate(nodes)]
        return FmuVariableConnection(edges=edges, nodes=nodes, page_info=info, total_count=len(found))


def _variable(one: ModelVariable) -> FmuVariable:
    return FmuVariable(
        name=one.name,
        causality=str(one.causality),
        variability=str(one.variability),
        type=one.type,
        unit=one.unit or None,
        start=one.start,
        description=one.description or None,
    )


def make_fmu(fmu: fmus.Fmu) -> Fmu:
    """Give a model as GraphQL has it."""
    return Fmu(
        fmi_version=fmu.fmi_version,
        model_name=fmu.model_name or "",
        kinds=[str(kind) for kind in fmu.kinds],
        description=fmu.description or None,
        author=fmu.author or None,
        generation_tool=fmu.generation_tool or None,
        generation_date=fmu.generation_date or None,
        default_start=fmu.default_experiment.start,
        default_stop=fmu.default_experiment.stop,
        default_step=fmu.default_experiment.step,
        default_tolerance=fmu.default_experiment.tolerance,
        platforms=list(fmu.platforms),
        variable_count=fmu.variable_count,
        content=fmu,
    )


@strawberry.type(description="An asset that a twin's descriptor names.")
class TwinUse:
    category: str
    path: str
    version: str | None


@strawberry.type(description="A twin's descriptor and the phases that it has programs for.")
class TwinDescription:
    title: str | None
    description: str | None
    phases: list[str]
    uses: list[TwinUse]
    problems: list[str]


def make_twin(found: twin.TwinDescription) -> TwinDescription:
    """Give a twin as GraphQL has it."""
    return TwinDescription(
        title=found.title or None,
        description=found.description or None,
        phases=list(found.phases),
        uses=[TwinUse(category=one.category, path=one.path, version=one.version) for one in found.uses],
        problems=list(found.problems),
    )
