"""Micrographs side by side for paper, each with its scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.colors import MISSING, Color, Coloring
from napari_micromap.figures.exemplars import eight_bit_cut
from napari_micromap.figures.legends import columns_within, draw_legend, height_of
from napari_micromap.figures.paper import FAINT, LINE_MM, blank, field, fitted, paper_style, save_figure, width_of
from napari_micromap.labels import length_label, round_length
from napari_micromap.problems import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN_MM, GAP_MM = 2.0, 2.4
FRAME_PT = 1.8
BAR_MM, BAR_TYPE_PT = 0.7, 5.5
_LONGEST_BAR = 0.45  # of a picture's width


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a gallery.

    Parameters
    ----------
    picture : (h, w) or (h, w, 3)
        Gray values of any range, or RGB as uint8; without its data bar.
    color : three numbers
        Of its frame.
    lines : tuple of str
        Stand below it.
    um_per_px : float or None
        Of the picture as it is handed in; None where the scale is not known.
    """

    picture: NDArray[Any]
    color: Color = MISSING
    lines: tuple[str, ...] = ()
    um_per_px: float | None = None


@dataclass(frozen=True, eq=False)
class GalleryToDraw:
    """What stands in a gallery for paper.

    Parameters
    ----------
    tiles : sequence of Tile
    coloring : Coloring
        What the frames' colors mean.
    counts : str
        Foot of the sheet: how many images of how many samples.
    synthetic : bool
        Whether the quantity is made up; the figure says so.
    """

    tiles: Sequence[Tile]
    coloring: Coloring
    counts: str = ""
    synthetic: bool = False


def gallery_figure(drawn: GalleryToDraw, width_mm: float = 170.0) -> Figure:
    """Draw pictures in a grid on a white sheet, in frames colored as the map is, each with its own scale bar."""
    if not drawn.tiles:
        raise Problem("Select some images first; then a figure can show them.")
    with paper_style():
        columns = _columns(len(drawn.tiles), width_mm)
        wide = (width_mm - 2 * MARGIN_MM - GAP_MM * (columns - 1)) / columns
        shapes = [tile.picture.shape for tile in drawn.tiles]
        high = wide * float(np.clip(np.median([shape[0] / shape[1] for shape in shapes]), 0.5, 1.3))
        below = LINE_MM * max(len(tile.lines) for tile in drawn.tiles)
        rows = -(-len(drawn.tiles) // columns)
        inner = width_mm - 2 * MARGIN_MM
        in_legend = columns_within(blank(width_mm, width_mm), drawn.coloring, inner)
        legend = height_of(drawn.coloring, in_legend)
        foot = MARGIN_MM + (LINE_MM + 0.8 if drawn.counts else 0.0) + legend + 1.6
        figure = blank(width_mm, foot + rows * (high + below + GAP_MM) + MARGIN_MM)
        for index, tile in enumerate(drawn.tiles):
            left = MARGIN_MM + (index % columns) * (wide + GAP_MM)
            bottom = foot + (rows - 1 - index // columns) * (high + below + GAP_MM) + GAP_MM
            _draw_tile(figure, tile, left, bottom, wide, high, below)
        draw_legend(figure, drawn.coloring, MARGIN_MM, foot - 0.6, inner, in_legend, drawn.synthetic)
        strip = field(figure, MARGIN_MM, MARGIN_MM, inner, LINE_MM)
        strip.text(0, 0.4 * LINE_MM, drawn.counts, va="center", color=FAINT)
    return figure


def save_gallery(path: Path | str, drawn: GalleryToDraw, width_mm: float = 170.0, dpi: int = 600) -> Path:
    """Save a gallery as PNG, SVG or PDF, by the ending of the name."""
    return save_figure(gallery_figure(drawn, width_mm), Path(path), dpi)


def pixels_wanted(count: int, width_mm: float, dpi: int = 600) -> int:
    """Return how many pixels across a picture needs in a gallery of so many."""
    return round(width_mm / _columns(count, width_mm) / 25.4 * dpi)


def _columns(count: int, width_mm: float) -> int:
    most = 3 if width_mm < 120 else 5
    return max(1, min(count, most if count > 4 else 2 if count == 4 and width_mm < 120 else most))


def _draw_tile(figure: Figure, tile: Tile, left: float, bottom: float, wide: float, high: float, below: float) -> None:
    axes = field(figure, left, bottom + below, wide, high)
    shown = eight_bit_cut(tile.picture, high / wide)
    axes.imshow(shown, extent=(0, wide, 0, high), aspect="auto", interpolation="antialiased")
    color = np.array(tile.color) / 255
    frame = axes.plot([0, wide, wide, 0, 0], [0, 0, high, high, 0], color=color, linewidth=FRAME_PT, clip_on=False)
    frame[0].set_solid_joinstyle("miter")
    _draw_scale(figure, axes, None if tile.um_per_px is None else tile.um_per_px * shown.shape[1] / wide, wide)
    for index, line in enumerate(tile.lines):
        axes.text(0, -0.9 - index * LINE_MM, fitted(figure, line, wide), ha="left", va="top")


def _draw_scale(figure: Figure, axes: Axes, um_per_mm: float | None, wide: float) -> None:
    """Draw a scale bar whose length on paper is true, on a dark ground so that it is seen on any picture."""
    from matplotlib.patches import Rectangle

    length = None if um_per_mm is None else round_length(um_per_mm * wide * _LONGEST_BAR)
    label = "no scale" if length is None else length_label(length)
    across = 0.0 if length is None or um_per_mm is None else length / um_per_mm
    room = max(across, width_of(figure, label, BAR_TYPE_PT)) + 1.4
    up = 2.4 if length is None else 2.4 + BAR_MM + 0.6
    axes.add_patch(Rectangle((0.5, 0.5), room, up, color="black", alpha=0.6, linewidth=0))
    if length is not None:
        axes.add_patch(Rectangle((1.2, 1.0), across, BAR_MM, color="white", linewidth=0, gid="scale bar"))
    axes.text(1.2, 0.5 + up - 1.2, label, color="white", fontsize=BAR_TYPE_PT, va="center", ha="left")
