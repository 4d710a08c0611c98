"""The legend of a map: color bar, steps, names, missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_micromap.colors import MISSING, WHITE, Color, Coloring, outline_on
from napari_micromap.figures.paper import LINE_MM, TYPE_PT, field, fitted, width_of, without_unit
from napari_micromap.wording import title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR_MM = 2.6  # thickness of the color bar
DOT_PT = 4.6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a legend: a dot, its text; hollow where a value is missing."""

    text: str
    color: Color
    hollow: bool = False


def heading(coloring: Coloring, synthetic: bool) -> str:
    """Return what the legend is called; a made-up quantity says so."""
    title = title_of(coloring.quantity)
    return f"{title} – synthetic" if synthetic else title


def lines_of(coloring: Coloring) -> list[Line]:
    """Return the lines that stand below the heading, or below the color bar."""
    lines = [Line(f"{entry.label} ({entry.count:,})", entry.color) for entry in coloring.entries]
    if coloring.missing_count:
        missing = f"no {without_unit(title_of(coloring.quantity))}" if coloring.quantity else "no value"
        lines.append(Line(f"{missing} ({coloring.missing_count:,})", MISSING, hollow=True))
    return lines


def counting(coloring: Coloring, counted: NDArray[np.bool_]) -> Coloring:
    """Return the same colors with a legend that counts only some micrographs; entries without any are kept."""
    counts = np.bincount(coloring.codes[counted & (coloring.codes >= 0)], minlength=len(coloring.entries))
    entries = tuple(replace(entry, count=int(count)) for entry, count in zip(coloring.entries, counts))
    return replace(coloring, entries=entries, missing=coloring.missing & counted)


def height_of(coloring: Coloring, columns: int) -> float:
    """Return the height of a legend in millimeters."""
    lines = lines_of(coloring)
    bar = BAR_MM + LINE_MM + 1.2 if coloring.kind == "continuous" else 0.0
    return (LINE_MM + 0.6 if coloring.quantity else 0.0) + bar + LINE_MM * -(-len(lines) // columns)


def columns_within(figure: Figure, coloring: Coloring, width: float) -> int:
    """Return in how many columns the lines of a legend fit beside one another."""
    widest = max((width_of(figure, line.text) for line in lines_of(coloring)), default=0.0)
    return max(1, min(5, int(width / (widest + 7.0))))


def draw_legend(
    figure: Figure, coloring: Coloring, left: float, top: float, width: float, columns: int, synthetic: bool
) -> None:
    """Draw a legend below a place on the sheet, in millimeters from its lower left."""
    y = top
    if coloring.quantity:
        y -= LINE_MM
        strip = field(figure, left, y, width, LINE_MM)
        strip.text(0, LINE_MM / 2, fitted(figure, heading(coloring, synthetic), width), va="center")
        y -= 0.6
    if coloring.kind == "continuous":
        _draw_bar(figure, coloring, left, y - BAR_MM, min(width, 60.0))
        y -= BAR_MM + LINE_MM + 1.2
    lines = lines_of(coloring)
    rows = -(-len(lines) // columns)
    if lines:
        _draw_lines(
            field(figure, left, y - rows * LINE_MM, width, rows * LINE_MM), figure, lines, rows, width / columns
        )


def _draw_bar(figure: Figure, coloring: Coloring, left: float, bottom: float, width: float) -> None:
    assert coloring.ramp is not None
    bar = field(figure, left, bottom, width, BAR_MM)
    bar.imshow(coloring.ramp[None], extent=(0, width, 0, BAR_MM), aspect="auto", interpolation="nearest")
    ticks = field(figure, left, bottom - LINE_MM - 0.6, width, LINE_MM + 0.6)
    free_from = -np.inf
    for place, label in coloring.ticks():
        wide = width_of(figure, label)
        middle = float(np.clip(place * width, wide / 2, max(wide / 2, width - wide / 2)))
        if middle - wide / 2 < free_from:
            continue
        free_from = middle + wide / 2 + 1.0
        ticks.plot([place * width] * 2, [LINE_MM - 0.2, LINE_MM + 0.6], color="#222222", linewidth=0.5, clip_on=False)
        ticks.text(middle, LINE_MM - 0.5, label, ha="center", va="top")


def _draw_lines(axes: Axes, figure: Figure, lines: list[Line], rows: int, pitch: float) -> None:
    edge = np.array(outline_on(WHITE)) / 255
    for index, line in enumerate(lines):
        x, y = (index // rows) * pitch, (rows - index % rows - 0.5) * LINE_MM
        color = np.array(line.color) / 255
        axes.plot(
            x + 1.2, y, marker="o", markersize=DOT_PT, linestyle="none", clip_on=False,
            markerfacecolor="none" if line.hollow else color, markeredgecolor=color if line.hollow else edge,
            markeredgewidth=0.8 if line.hollow else 0.35,
        )  # fmt: skip
        axes.text(x + 3.2, y, fitted(figure, line.text, pitch - 3.6), va="center", fontsize=TYPE_PT)
