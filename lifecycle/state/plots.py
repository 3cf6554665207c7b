"""Small plots as SVG: lines with points over one axis, panels below each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

WIDTH: Final = 720
PANEL_HEIGHT: Final = 220
LEFT: Final = 84
RIGHT: Final = 16
TOP: Final = 34
BETWEEN: Final = 46
LEGEND_HEIGHT: Final = 16
TICKS: Final = 5
COLOURS: Final = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#0a7b83", "#57606a")


@dataclass(frozen=True)
class Line:
    """Points that belong together."""

    label: str
    points: list[tuple[Any, float]]
    """The first of each may be a word or a truth value; then all are drawn at equal distances."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    label: str
    lines: list[Line]


@dataclass(frozen=True)
class Scale:
    """From values to places along an axis."""

    low: float
    high: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        """Give the place of a value."""
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)


def draw(title: str, axis: str, panels: list[Panel]) -> str:
    """Give an SVG picture; panels without points say so."""
    labels = list(dict.fromkeys(line.label for panel in panels for line in panel.lines if line.label))
    top = TOP + LEGEND_HEIGHT * len(labels)
    height = top + max(1, len(panels)) * (PANEL_HEIGHT + BETWEEN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{_text(title)}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="bold">{_text(title)}</text>',
    ]
    if not panels:
        parts.append(f'<text x="{LEFT}" y="{top + 40}">There are no numbers to draw.</text>')
    parts += [_legend(label, count) for count, label in enumerate(labels)]
    for count, panel in enumerate(panels):
        parts += _panel(panel, axis, top + count * (PANEL_HEIGHT + BETWEEN))
    return "\n".join([*parts, "</svg>"]) + "\n"


def ticks(low: float, high: float) -> list[float]:
    """Give round values within a range."""
    rough = (high - low) / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next((size * factor for factor in (1, 2, 5) if size * factor >= rough), size * 10)
    first = math.ceil(low / step - 1e-9)
    return [count * step for count in range(first, math.floor(high / step + 1e-9) + 1)]


def _panel(panel: Panel, axis: str, top: float) -> list[str]:
    words = _words(panel)
    lines = [[(_number(x, words), y) for x, y in line.points if math.isfinite(y)] for line in panel.lines]
    points = [point for line in lines for point in line]
    if not points:
        return [f'<text x="{LEFT}" y="{top + 40}">{_text(panel.label)}: no numbers</text>']
    across = Scale(*_limits([x for x, _ in points]), LEFT, WIDTH - RIGHT)
    up = Scale(*_limits([y for _, y in points]), top + PANEL_HEIGHT, top + 20)
    parts = _frame(panel.label, axis, across, up)
    parts += _ticks_across(across, words, top) + _ticks_up(up)
    for count, line in enumerate(lines):
        parts += _line(line, panel.lines[count].label, COLOURS[count % len(COLOURS)], across, up)
    return parts


def _words(panel: Panel) -> list[str] | None:
    """Give what stands along the axis where it is not numbers."""
    values = [x for line in panel.lines for x, _ in line.points]
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)
    return None if numbers else list(dict.fromkeys(str(x) for x in values))


def _number(value: Any, words: list[str] | None) -> float:
    return float(value) if words is None else float(words.index(str(value)))


def _limits(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.04 * (high - low)
    if not margin > 0 or not math.isfinite(margin) or low - margin == low:
        margin = max(0.5, abs(low) * 0.05)
    return low - margin, high + margin


def _frame(label: str, axis: str, across: Scale, up: Scale) -> list[str]:
    middle = (across.begin + across.end) / 2
    return [
        f'<rect x="{across.begin}" y="{up.end}" width="{across.end - across.begin}" '
        f'height="{up.begin - up.end}" fill="none" stroke="#8c959f"/>',
        f'<text x="{across.begin}" y="{up.end - 6}" font-weight="bold">{_text(label)}</text>',
        f'<text x="{middle}" y="{up.begin + 34}" text-anchor="middle">{_text(axis)}</text>',
    ]


def _ticks_across(across: Scale, words: list[str] | None, top: float) -> list[str]:
    bottom = top + PANEL_HEIGHT
    if words is None:
        marks = [(value, f"{value:.6g}") for value in ticks(across.low, across.high)]
    else:
        every = max(1, len(words) // 10)
        marks = [(float(count), word) for count, word in enumerate(words)][::every]
    return [
        f'<path d="M{across.place(value):.1f} {bottom}v-4" stroke="#8c959f"/>'
        f'<text x="{across.place(value):.1f}" y="{bottom + 16}" text-anchor="middle">{_text(word)}</text>'
        for value, word in marks
    ]


def _ticks_up(up: Scale) -> list[str]:
    return [
        f'<path d="M{LEFT} {up.place(value):.1f}H{WIDTH - RIGHT}" stroke="#eaeef2"/>'
        f'<text x="{LEFT - 6}" y="{up.place(value) + 4:.1f}" text-anchor="end">{value:.6g}</text>'
        for value in ticks(up.low, up.high)
    ]


def _line(points: list[tuple[float, float]], label: str, colour: str, across: Scale, up: Scale) -> list[str]:
    places = [(across.place(x), up.place(y)) for x, y in sorted(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in places)
    named = f"<title>{_text(label)}</title>" if label else ""
    return [f'<g>{named}<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>{dots}</g>']


def _legend(label: str, count: int) -> str:
    y, colour = TOP + LEGEND_HEIGHT * (count + 0.5), COLOURS[count % len(COLOURS)]
    return f'<text x="{LEFT}" y="{y}" fill="{colour}">\u25cf {_text(label)}</text>'


def _text(words: str) -> str:
    """Give words as XML may hold them: no control characters, no markup, not without end."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in words)
    return escape(plain if len(plain) <= 80 else plain[:79] + "…", {'"': "&quot;"})
