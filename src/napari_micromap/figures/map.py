"""A map for paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Positions, Rows
from napari_micromap.colors import MISSING, WHITE, Coloring, colors_of, outline_on, plain
from napari_micromap.figures.exemplars import GAP_MM, Exemplar, Ring, draw_exemplars
from napari_micromap.figures.legends import columns_within, draw_legend, height_of
from napari_micromap.figures.paper import (
    FAINT,
    LINE_MM,
    MM_PER_PT,
    blank,
    field,
    paper_style,
    save_figure,
    width_of,
)
from napari_micromap.problems import Problem
from napari_micromap.wording import counted, picture_noun, sample_noun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN_MM = 2.0
TALLEST_MM = 120.0  # of a map's field
BESIDE_FROM_MM, BESIDE_MM = 120.0, 38.0  # on wider sheets the legend stands beside the map, so wide
RASTER_ABOVE = 20_000  # dots; more would make files that no program opens
# Diameter in points up to so many dots, on a sheet 85 mm wide.
DIAMETERS = ((200, 5.0), (2_000, 3.4), (20_000, 2.0), (200_000, 1.1))
FINEST_PT = 0.7
KEEPS_DISTANCES = ("PCA",)  # layouts on which gaps mean something


@dataclass(frozen=True, eq=False)
class MapToDraw:
    """What stands on a map for paper.

    Parameters
    ----------
    positions : (n, 2)
        Rows without a position are left out.
    coloring : Coloring
        Colors and legend, one color a row.
    layout : str
        Name of the layout, such as "UMAP".
    samples : int or None
        How many samples the micrographs are of.
    synthetic : bool
        Whether the quantity is made up; the figure says so.
    faded : (k,) int or None
        Rows that are drawn pale, such as those outside a selection.
    excluded : (k,) int or None
        Rows that were left out: small crosses, which the counts do not count.
    exemplars : sequence of Exemplar
        Pictures around the map.
    nouns : (str, str)
        What a dot and a sample are called.
    """

    positions: Positions
    coloring: Coloring
    layout: str = "UMAP"
    samples: int | None = None
    synthetic: bool = False
    faded: Rows | None = None
    excluded: Rows | None = None
    exemplars: Sequence[Exemplar] = ()
    nouns: tuple[str, str] = ("image", "sample")

    @classmethod
    def of(cls, atlas: Atlas, column: str | None, layout: str, exemplars: Sequence[Exemplar] = ()) -> MapToDraw:
        """Take the map of an atlas, colored by a column."""
        if atlas.positions is None:
            raise Problem("Make the map before saving a figure of it.")
        if column is not None and column not in atlas.columns:
            raise Problem(f"There is no column “{column}”; there are: {', '.join(map(str, atlas.columns))}.")
        return cls(
            atlas.positions,
            plain(len(atlas)) if column is None else colors_of(atlas.columns[column]),
            layout=layout,
            samples=None if atlas.samples is None else int(atlas.samples.nunique()),
            synthetic=column in atlas.synthetic,
            exemplars=exemplars,
            nouns=(picture_noun(atlas), sample_noun(atlas)),
        )

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Where there is a position."""
        return np.asarray(np.isfinite(self.positions).all(axis=1))

    @property
    def crossed(self) -> NDArray[np.bool_]:
        """Where there is a cross in place of a dot."""
        crossed = np.zeros(len(self.positions), bool)
        if self.excluded is not None:
            crossed[self.excluded] = True
        return crossed & self.placed

    @property
    def counts(self) -> str:
        """How many images of how many samples are on it."""
        out = int(np.count_nonzero(self.crossed))
        images = int(np.count_nonzero(self.placed)) - out
        said = counted(images, self.nouns[0])
        if self.samples is not None:
            said += f" of {counted(self.samples, self.nouns[1])}"
        return said + (f" · {out:,} excluded (×)" if out else "")

    @property
    def remark(self) -> str:
        """How the map is to be read."""
        return (
            self.layout if self.layout.startswith(KEEPS_DISTANCES) else f"{self.layout} · neighbors count, gaps do not"
        )


def map_figure(drawn: MapToDraw, width_mm: float = 85.0, seed: int = 0) -> Figure:
    """Draw a map on a white sheet, without axes, its legend beside or below it.

    Parameters
    ----------
    drawn : MapToDraw
        What stands on it.
    width_mm : float
        Width of the sheet: 85 for one column of a journal, 170 for two.
    seed : int
        Of the order in which dots are drawn, so that no value always lies on top.

    Raises
    ------
    Problem
        If no micrograph has a position.
    """
    if len(drawn.positions) != len(drawn.coloring):
        raise ValueError(f"{len(drawn.positions)} positions, {len(drawn.coloring)} colors")
    if not drawn.placed.any():
        raise Problem("Make the map before saving a figure of it.")
    with paper_style():
        sheet = _Sheet.planned(drawn, width_mm)
        _draw_dots(sheet, drawn, width_mm, seed)
        draw_legend(sheet.figure, drawn.coloring, *sheet.legend, sheet.columns, drawn.synthetic)
        _draw_foot(sheet, width_mm)
        if sheet.ring is not None:
            size = _diameter(int(drawn.placed.sum()), width_mm)
            rows = [exemplar.row for exemplar in drawn.exemplars]
            dots = sheet.on_sheet(drawn.positions[rows])
            slots = sheet.ring.slots(sheet.map[1], sheet.map[1] + sheet.map[3])
            draw_exemplars(sheet.figure, sheet.ring, slots, drawn.exemplars, dots, drawn.coloring, size)
    return sheet.figure


def save_map(path: Path | str, drawn: MapToDraw, width_mm: float = 85.0, seed: int = 0, dpi: int = 600) -> Path:
    """Save a map as PNG, SVG or PDF, by the ending of the name."""
    return save_figure(map_figure(drawn, width_mm, seed), Path(path), dpi)


# ---------------------------------------------------------------------------- within


@dataclass(frozen=True, eq=False)
class _Sheet:
    """Where things stand, in millimeters from the lower left."""

    figure: Figure
    map: tuple[float, float, float, float]  # left, bottom, width, height
    legend: tuple[float, float, float]  # left, top, width
    columns: int  # of the legend
    foot: tuple[str, ...]
    middle: NDArray[np.float64]  # of the positions
    mm_per_unit: float
    ring: Ring | None

    @classmethod
    def planned(cls, drawn: MapToDraw, width: float) -> _Sheet:
        """Plan the sheet: legend and foot below the map, pictures around it."""
        draft = blank(width, width)
        inner = width - 2 * MARGIN_MM
        foot = _foot(draft, drawn, inner)
        ring = _ring(drawn, width)
        below = MARGIN_MM + len(foot) * LINE_MM + 1.0
        if ring is None and width >= BESIDE_FROM_MM:
            columns, across = 1, inner - BESIDE_MM - 3.0
            left, bottom, rows = MARGIN_MM, below + 1.0, 0.0
        else:
            columns = columns_within(draft, drawn.coloring, inner)
            rows = ring.height + GAP_MM if ring and ring.across else 0.0
            left = MARGIN_MM + (ring.width + GAP_MM if ring and ring.down else 0.0)
            bottom, across = below + height_of(drawn.coloring, columns) + 1.5 + rows, width - 2 * left
        up = _height(drawn, across, ring, height_of(drawn.coloring, 1) if columns == 1 else 0.0)
        figure = blank(width, bottom + up + MARGIN_MM + rows)
        beside = (left + across + 3.0, bottom + up, BESIDE_MM)
        legend = beside if ring is None and width >= BESIDE_FROM_MM else (MARGIN_MM, bottom - rows - 1.5, inner)
        return cls(figure, (left, bottom, across, up), legend, columns, foot, *_fit(drawn, across, up, width), ring)

    def on_map(self, positions: NDArray[Any]) -> NDArray[np.float64]:
        """Return positions in millimeters from the lower left of the map's field."""
        centered: NDArray[np.float64] = (positions - self.middle) * self.mm_per_unit
        return centered + np.array(self.map[2:]) / 2

    def on_sheet(self, positions: NDArray[Any]) -> NDArray[np.float64]:
        """Return positions in millimeters from the lower left of the sheet."""
        return self.on_map(positions) + self.map[:2]


def _ring(drawn: MapToDraw, width: float) -> Ring | None:
    if not drawn.exemplars:
        return None
    shapes = [exemplar.picture.shape for exemplar in drawn.exemplars]
    aspect = float(np.clip(np.median([shape[0] / shape[1] for shape in shapes]), 0.6, 1.0))
    label = any(exemplar.label for exemplar in drawn.exemplars)
    return Ring(width, MARGIN_MM, len(drawn.exemplars), label, aspect)


def _height(drawn: MapToDraw, across: float, ring: Ring | None, legend: float) -> float:
    """Return the height of a map's field: as its positions are, but neither flat nor taller than a page."""
    spans = np.ptp(drawn.positions[drawn.placed].astype(np.float64), axis=0)
    lowest, tallest = (0.55, 1.0) if ring is None else (0.6, 0.85)
    up = across * float(np.clip(spans[1] / spans[0] if spans[0] > 0 else 1.0, lowest, tallest))
    return max(min(up, TALLEST_MM), ring.inner_height if ring else 0.0, legend if across > BESIDE_MM else 0.0)


def _fit(drawn: MapToDraw, across: float, up: float, width: float) -> tuple[NDArray[np.float64], float]:
    """Return the middle of the positions, and the scale at which all dots fit whole into a field."""
    points = drawn.positions[drawn.placed].astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([across, up]) - 2 * (_diameter(len(points), width) * MM_PER_PT + 0.6)
    spans = high - low
    scale = min((side / span for side, span in zip(room, spans) if span > 0), default=1.0)
    return (low + high) / 2, float(scale)


def _diameter(count: int, width_mm: float) -> float:
    on_one_column = next((size for most, size in DIAMETERS if count < most), FINEST_PT)
    return on_one_column * (1.3 if width_mm > 120 else 1.0)


def _draw_dots(sheet: _Sheet, drawn: MapToDraw, width_mm: float, seed: int) -> None:
    axes = field(sheet.figure, *sheet.map)
    placed = np.flatnonzero(drawn.placed)
    order = np.random.default_rng(seed).permutation(placed)
    faded = np.zeros(len(drawn.positions), bool)
    if drawn.faded is not None:
        faded[drawn.faded] = True
    hollow = drawn.coloring.missing
    size = _diameter(len(placed), width_mm)
    _draw_crosses(axes, sheet, drawn, order[drawn.crossed[order]], size)
    order = order[~drawn.crossed[order]]
    # What is missing lies lowest, then what is faded.
    for pale in (True, False):
        _draw_rings(axes, sheet, drawn, order[hollow[order] & (faded[order] == pale)], size, pale)
    for pale in (True, False):
        _draw_disks(axes, sheet, drawn, order[~hollow[order] & (faded[order] == pale)], size, pale)


def _draw_rings(axes: Axes, sheet: _Sheet, drawn: MapToDraw, rows: NDArray[Any], size: float, pale: bool) -> None:
    if not len(rows):
        return
    points, line = sheet.on_map(drawn.positions[rows]), min(0.8, 0.22 * size)
    axes.scatter(
        points[:, 0], points[:, 1], s=(size - line) ** 2, linewidths=line, facecolors="none",
        edgecolors=[np.array(MISSING) / 255], alpha=0.25 if pale else None, clip_on=False,
        rasterized=len(drawn.positions) > RASTER_ABOVE, gid="missing",
    )  # fmt: skip


def _draw_crosses(axes: Axes, sheet: _Sheet, drawn: MapToDraw, rows: NDArray[Any], size: float) -> None:
    if not len(rows):
        return
    points = sheet.on_map(drawn.positions[rows])
    axes.scatter(
        points[:, 0], points[:, 1], s=(0.8 * size) ** 2, marker="x", linewidths=min(0.8, 0.22 * size),
        color=[np.array(MISSING) / 255], clip_on=False, rasterized=len(drawn.positions) > RASTER_ABOVE, gid="excluded",
    )  # fmt: skip


def _draw_disks(axes: Axes, sheet: _Sheet, drawn: MapToDraw, rows: NDArray[Any], size: float, pale: bool) -> None:
    if not len(rows):
        return
    points, outlined = sheet.on_map(drawn.positions[rows]), size > 1.5
    axes.scatter(
        points[:, 0], points[:, 1], s=size**2, c=drawn.coloring.rgb[rows] / 255, linewidths=0.35 if outlined else 0,
        edgecolors=[np.array(outline_on(WHITE)) / 255] if outlined else "none", alpha=0.25 if pale else None,
        clip_on=False, rasterized=len(drawn.positions) > RASTER_ABOVE, gid="dots",
    )  # fmt: skip


def _foot(figure: Figure, drawn: MapToDraw, width: float) -> tuple[str, ...]:
    """Return the foot of the sheet: counts and remark, on one line where there is room."""
    both = (drawn.counts, drawn.remark)
    return both if width_of(figure, "   ".join(both)) > width else ("\t".join(both),)


def _draw_foot(sheet: _Sheet, width_mm: float) -> None:
    strip = field(sheet.figure, MARGIN_MM, MARGIN_MM, width_mm - 2 * MARGIN_MM, len(sheet.foot) * LINE_MM)
    for index, line in enumerate(reversed(sheet.foot)):
        y = (index + 0.4) * LINE_MM
        left, _, right = line.partition("\t")
        strip.text(0, y, left, va="center", color=FAINT)
        if right:
            strip.text(width_mm - 2 * MARGIN_MM, y, right, va="center", ha="right", color=FAINT)
