"""A sweep's one table and one plot."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lifecycle.state.plots import Line, Panel, draw

if TYPE_CHECKING:
    from lifecycle.state.sweep_records import Point, Sweep

TABLE: Final = "table.csv"
PLOT: Final = "plot.svg"
MOST_PANELS: Final = 6
MOST_LINES: Final = 8


@dataclass(frozen=True)
class ResultTable:
    """Rows of values under names."""

    columns: list[str]
    rows: list[list[Any]]

    def as_json(self) -> dict[str, Any]:
        """Give what pages and programs see."""
        return asdict(self)

    def as_csv(self) -> str:
        """Give it as CSV, empty cells where there is nothing."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([["" if cell is None else cell for cell in row] for row in self.rows])
        return text.getvalue()


def make_table(sweep: Sweep) -> ResultTable:
    """Give one row for each run: its parameters, how it ended, and each column's last, smallest and largest value."""
    names = [*sweep.plan.points[0]]
    results = result_columns(sweep)
    header = ["run", *names, "state", "duration_s"]
    header += [f"{name} {what}" for name in results for what in ("last", "min", "max")]
    return ResultTable(header, [_row(point, names, results) for point in sweep.points])


def result_columns(sweep: Sweep) -> list[str]:
    """Give the columns of numbers that any run wrote, or those of them that were asked for."""
    found = list(dict.fromkeys(name for point in sweep.points for name in point.columns))
    return [name for name in sweep.plan.columns if name in found] if sweep.plan.columns else found


def write_results(sweep: Sweep) -> tuple[Path, Path]:
    """Write the table and the plot beside the runs' results."""
    outputs = sweep.plan.outputs
    outputs.mkdir(parents=True, exist_ok=True)
    (outputs / TABLE).write_text(make_table(sweep).as_csv(), encoding="utf-8", errors="replace")
    (outputs / PLOT).write_text(make_plot(sweep), encoding="utf-8", errors="replace")
    return outputs / TABLE, outputs / PLOT


def make_plot(sweep: Sweep) -> str:
    """Draw the last values of the columns that vary over the first parameter, a line for each choice of the others."""
    axis, *others = [
        name for name in sweep.plan.points[0] if len({point[name] for point in sweep.plan.points}) > 1
    ] or [*sweep.plan.points[0]]
    names = [name for name in result_columns(sweep) if _varies(sweep, name)] or result_columns(sweep)
    panels = [Panel(name, _lines(sweep, name, axis, others)) for name in names[:MOST_PANELS]]
    more = f", and {len(names) - MOST_PANELS} more columns in {TABLE}" if len(names) > MOST_PANELS else ""
    title = f"{sweep.plan.twin}: last values over {axis}{more}"
    return draw(title, axis, panels)


def _row(point: Point, names: list[str], results: list[str]) -> list[Any]:
    cells: list[Any] = [point.number, *(point.parameters[name] for name in names), str(point.state), point.duration_s]
    for name in results:
        summary = point.columns.get(name)
        cells += [None, None, None] if summary is None else [summary.last, summary.smallest, summary.largest]
    return cells


def _varies(sweep: Sweep, name: str) -> bool:
    return len({point.columns[name].last for point in sweep.points if name in point.columns}) > 1


def _lines(sweep: Sweep, name: str, axis: str, others: list[str]) -> list[Line]:
    lines: dict[str, list[tuple[Any, float]]] = {}
    for point in sweep.points:
        if name in point.columns:
            label = ", ".join(f"{other} = {point.parameters[other]}" for other in others)
            last = point.columns[name].last
            lines.setdefault(label, []).append((point.parameters[axis], math.nan if last is None else last))
    return [Line(label, points) for label, points in list(lines.items())[:MOST_LINES]]
