"""Pictures around a map, each tied to its dot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Positions, Rows
from napari_micromap.colors import Coloring
from napari_micromap.figures.paper import INK, LINE_MM, field, fitted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP_MM = 2.0
_HALO: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": INK, "markeredgewidth": 0.7, "clip_on": False}


@dataclass(frozen=True, eq=False)
class Exemplar:
    """A picture that stands beside the map.

    Parameters
    ----------
    row : int
        The micrograph it shows.
    picture : (h, w) or (h, w, 3)
        Gray values of any range, or RGB as uint8.
    label : str
        Stands below it.
    """

    row: int
    picture: NDArray[Any]
    label: str = ""


def typical_rows(positions: Positions, count: int, samples: pd.Series[Any] | None = None) -> Rows:
    """Return rows that stand for all parts of a map: those nearest to the middles of ``count`` groups.

    Parameters
    ----------
    samples : Series, optional
        Sample of each row: none is shown twice where a group has others.
    """
    placed = np.flatnonzero(np.isfinite(positions).all(axis=1))
    if len(placed) <= count:
        return placed
    points = positions[placed].astype(np.float64)
    middles, group = _groups(points, count)
    names = np.arange(len(positions)).astype(object) if samples is None else samples.to_numpy(object)
    rows: list[int] = []
    for index in np.unique(group):
        members = np.flatnonzero(group == index)
        away = np.square(points[members] - middles[index]).sum(axis=1)
        shown = {names[row] for row in rows}
        again = np.array([names[placed[member]] in shown for member in members])
        rows.append(int(placed[members[np.lexsort((away, again))[0]]]))
    return np.unique(np.array(rows, np.intp))


def _groups(points: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Part points into groups by k-means, begun from points far from one another; return middles and groups."""
    from scipy.spatial import cKDTree

    first = int(np.argmin(np.square(points - np.median(points, axis=0)).sum(axis=1)))
    chosen, away = [first], np.full(len(points), np.inf)
    while len(chosen) < count:
        away = np.minimum(away, np.square(points - points[chosen[-1]]).sum(axis=1))
        chosen.append(int(np.argmax(away)))
    middles = points[chosen]
    group = np.zeros(len(points), np.intp)
    for _ in range(12):
        group = np.asarray(cKDTree(middles).query(points)[1], np.intp)
        sizes = np.maximum(np.bincount(group, minlength=count), 1)[:, None]
        sums = np.stack([np.bincount(group, points[:, axis], minlength=count) for axis in (0, 1)], axis=1)
        middles = np.where(np.isin(np.arange(count), group)[:, None], sums / sizes, middles)
    return middles, group


@dataclass(frozen=True)
class Ring:
    """Where pictures stand around a map: columns at both sides, rows above and below.

    Parameters
    ----------
    sheet_mm : float
        Width of the sheet.
    margin : float
        Around all, in millimeters.
    count : int
        How many pictures.
    label : bool
        Whether a line of type stands below each.
    aspect : float
        Height of a picture by its width.
    """

    sheet_mm: float
    margin: float
    count: int
    label: bool
    aspect: float

    @property
    def across(self) -> int:
        """Pictures in the row above, and in that below."""
        return 0 if self.count <= 6 else 4 if self.sheet_mm < 120 else 6

    @property
    def down(self) -> int:
        """Pictures at each side, between the rows."""
        return max(0, -(-(self.count - 2 * self.across) // 2))

    @property
    def width(self) -> float:
        """Of a picture, in millimeters."""
        in_a_row = self.across or (4.5 if self.sheet_mm < 120 else 6)
        return (self.sheet_mm - 2 * self.margin - GAP_MM * (in_a_row - 1)) / in_a_row

    @property
    def height(self) -> float:
        """Of a picture with its label, in millimeters."""
        return self.width * self.aspect + (LINE_MM if self.label else 0.0)

    @property
    def inner_height(self) -> float:
        """Room that the columns at the sides need."""
        return self.down * self.height + max(0, self.down - 1) * GAP_MM

    def anchors(self, slots: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (count, 2) where the line of each slot ends: on the edge that faces the map, within its width."""
        anchors = slots + np.array([self.width, self.height]) / 2
        sides = 2 * self.down
        anchors[0:sides:2, 0] = slots[0:sides:2, 0] + self.width
        anchors[1:sides:2, 0] = slots[1:sides:2, 0]
        anchors[sides::2, 1] = slots[sides::2, 1]
        anchors[sides + 1 :: 2, 1] = slots[sides + 1 :: 2, 1] + self.height
        if self.down:  # else lines from the corners would run behind the pictures at the sides
            inner = self.margin + self.width
            anchors[sides:, 0] = np.clip(anchors[sides:, 0], inner, self.sheet_mm - inner)
        return anchors

    def slots(self, bottom: float, top: float) -> NDArray[np.float64]:
        """Return (count, 2) lower left corners, for a map whose own field reaches from bottom to top."""
        left, right = self.margin, self.sheet_mm - self.margin - self.width
        free = (top - bottom - self.down * self.height) / max(1, self.down)
        ys = [bottom + free / 2 + index * (self.height + free) for index in range(self.down)]
        places = [(x, y) for y in ys for x in (left, right)]
        xs = np.linspace(left, right, self.across)
        places += [(x, y) for x in xs for y in (top + GAP_MM, bottom - GAP_MM - self.height)]
        return np.array(places, float).reshape(-1, 2)


def matched(dots: NDArray[np.float64], anchors: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return which dot is tied to which anchor, so that all lines together are shortest: then no two cross.

    Two that cross are the diagonals of a quadrangle; its sides would be shorter.
    """
    from scipy.optimize import linear_sum_assignment

    away = np.linalg.norm(dots[:, None] - anchors[None], axis=2)
    return [(int(dot), int(anchor)) for dot, anchor in zip(*linear_sum_assignment(away))]


def draw_exemplars(
    figure: Figure, ring: Ring, slots: NDArray[np.float64], exemplars: Sequence[Exemplar], dots: NDArray[np.float64],
    coloring: Coloring, dot_pt: float,
) -> None:  # fmt: skip
    """Draw pictures at slots, tied to their dots by lines that do not cross; ``dots`` (k, 2) are in millimeters."""
    sheet, marks = _whole_sheet(figure, -1), _whole_sheet(figure, 1)  # lines run below the dots, rings above them
    anchors = ring.anchors(slots)
    for index, slot in matched(dots, anchors):
        exemplar, ends = exemplars[index], np.stack([anchors[slot], dots[index]])
        color = coloring.rgb[exemplar.row] / 255
        _draw_picture(figure, ring, exemplar, slots[slot], color)
        sheet.plot(*ends.T, color=color, linewidth=0.7, alpha=0.9, solid_capstyle="round", gid="leader")
        marks.plot(*dots[index], marker="o", markersize=dot_pt + 2.4, **_HALO)


def _whole_sheet(figure: Figure, order: int) -> Axes:
    wide, high = figure.get_size_inches() * 25.4
    sheet = field(figure, 0, 0, wide, high)
    sheet.set_zorder(order)
    return sheet


def _draw_picture(figure: Figure, ring: Ring, exemplar: Exemplar, corner: NDArray[Any], color: NDArray[Any]) -> None:
    below = LINE_MM if ring.label else 0.0
    width, height = ring.width, ring.height - below
    axes = field(figure, corner[0], corner[1] + below, width, height)
    shown = eight_bit_cut(exemplar.picture, height / width)
    axes.imshow(shown, cmap="gray", extent=(0, width, 0, height), aspect="auto", interpolation="antialiased")
    frame = axes.plot([0, width, width, 0, 0], [0, 0, height, height, 0], color=color, linewidth=1.6, clip_on=False)
    frame[0].set_solid_joinstyle("miter")
    if exemplar.label:
        text = fitted(figure, exemplar.label, width)
        axes.text(width / 2, -0.9, text, ha="center", va="top", fontsize=6.5)


def eight_bit_cut(picture: NDArray[Any], aspect: float) -> NDArray[Any]:
    """Cut the middle of a picture out in an aspect ratio; gray values from their 0.5 to their 99.5 percentile."""
    height, width = picture.shape[:2]
    rows, columns = min(height, round(width * aspect)), min(width, round(height / aspect))
    top, left = (height - rows) // 2, (width - columns) // 2
    cut = picture[top : top + rows, left : left + columns]
    if cut.ndim == 3:
        return cut
    low, high = np.percentile(cut, (0.5, 99.5))
    gray = np.clip((cut.astype(np.float32) - low) / max(float(high - low), 1e-9), 0, 1)
    return np.repeat(np.rint(gray * 255).astype(np.uint8)[..., None], 3, axis=2)
