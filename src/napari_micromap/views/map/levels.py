"""From which zoom on each dot can be a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Positions
from napari_micromap.neighbors import Neighbors
from napari_micromap.views.map.dots import shuffled
from napari_micromap.work import Progress, Work

NEVER = 255  # of dots at the very same place all but one
_A_DOUBLING = 2  # levels to twice the zoom
_LEVELS = 30
_FIRST = 4.0  # boxes of the first level side by side across the map
_MOST_CELLS = 1 << 22  # of a table of all cells; where there are more, those that hold something are searched
_WORTH, _MANY = 0.04, 300  # so many of the dots, or so many, must have room before any becomes a picture
_ROOMY = 0.7  # where so many have, pictures grow as there is room


@dataclass(frozen=True, eq=False, slots=True)
class Levels:
    """For each row the level from which on it is a picture; what is shown at one level overlaps nowhere.

    Who is shown at a level is shown at all higher ones, so nothing flickers while one zooms in.

    Parameters
    ----------
    of_rows : (n,) uint8
        NEVER for rows without a place.
    widest : float
        Width of a picture's box at level 0, in map units.
    aspect : float
        Height over width of the boxes.
    start : int
        Level from which on enough dots have room to be pictures.
    roomy : int
        Level at which most have.
    """

    of_rows: NDArray[np.uint8]
    widest: float
    aspect: float
    start: int
    roomy: int

    @property
    def roomy_width(self) -> float:
        """Width of the boxes, in map units, of which there is room for most."""
        return float(self.widest / 2 ** (self.roomy / _A_DOUBLING))

    def level_at(self, width: float) -> int:
        """Return the highest level whose boxes are so wide, in map units; negative where even the first are not."""
        return min(_LEVELS - 1, int(np.floor(_A_DOUBLING * np.log2(self.widest / width) + 1e-9)))


def typical_order(n: int, neighbors: Neighbors | None) -> NDArray[np.intp]:
    """Order rows by how many others count them among their nearest, most first: such are typical of their kind.

    References
    ----------
    Radovanović, M., Nanopoulos, A., Ivanović, M. (2010). Hubs in Space. JMLR 11, 2487–2531.
    """
    order = shuffled(n)
    if neighbors is None or len(neighbors.rows) != n:
        return order
    counts = np.bincount(neighbors.rows.ravel(), minlength=n)
    typical: NDArray[np.intp] = order[np.argsort(-counts[order], kind="stable")]
    return typical


def find_typical_levels(positions: Positions, neighbors: Neighbors | None, aspect: float) -> Work[Levels]:
    """Find levels, those that are typical of their kind first; see :func:`find_levels`."""
    return (yield from find_levels(positions, typical_order(len(positions), neighbors), aspect))


def find_levels(positions: Positions, order: NDArray[np.intp], aspect: float) -> Work[Levels]:
    """Find for each row from which level on there is room for its picture, those first in ``order`` first.

    Parameters
    ----------
    positions : (n, 2) array
        Map coordinates; NaN for rows that are no picture.
    order : (n,) int
        All rows, the most important first.
    aspect : float
        Height over width of the boxes.
    """
    of_rows = np.full(len(positions), NEVER, np.uint8)
    rows = order[np.isfinite(positions[order]).all(axis=1)]
    crowd = _Crowd(positions[rows].astype(np.float64) / (1.0, aspect))
    counts = []
    for level in range(_LEVELS):
        yield Progress("Placing", level, _LEVELS)
        crowd.fill(level, crowd.widest / 2 ** (level / _A_DOUBLING))
        counts.append(int(np.count_nonzero(crowd.levels != NEVER)))
        if counts[-1] == len(rows):
            break
    of_rows[rows] = crowd.levels
    start, roomy = (
        next((level for level, count in enumerate(counts) if count >= enough), _LEVELS)
        for enough in (min(_WORTH * len(rows), _MANY), _ROOMY * len(rows))
    )
    return Levels(of_rows, crowd.widest, aspect, start, roomy)


class _Crowd:
    """Places in the order of their importance, the more of which are settled the smaller the boxes become."""

    def __init__(self, places: NDArray[np.float64]) -> None:
        self._places = places - places.min(axis=0, initial=np.inf) if len(places) else places
        extent = float(self._places.max(initial=0.0))
        self.widest = (extent or 1.0) / _FIRST
        self.levels = np.full(len(places), NEVER, np.uint8)

    def fill(self, level: int, side: float) -> None:
        """Settle as many as have room beside one another in squares of this side."""
        cells = (self._places / side).astype(np.int64) + 1
        self._side, self._across = side, int(cells[:, 0].max(initial=0)) + 2
        self._keys = cells[:, 1] * self._across + cells[:, 0]
        size = self._across * (int(cells[:, 1].max(initial=0)) + 2)
        self._table = np.full(size, -1, np.int32) if size <= _MOST_CELLS else None
        settled = np.flatnonzero(self.levels != NEVER)
        free = np.flatnonzero(self.levels == NEVER)
        free = free[~self._touching(free, settled)]
        while len(free):
            first = self._first_of_cells(free)
            new = first[~self._touching(first, first, before=True)]
            self.levels[new] = level
            free = free[~self._touching(free, new)]

    def _first_of_cells(self, some: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the most important one of each cell."""
        if self._table is None:
            firsts: NDArray[np.intp] = some[np.unique(self._keys[some], return_index=True)[1]]
            return firsts
        keys = self._keys[some]
        self._table[keys[::-1]] = some[::-1]  # of several the last written stays
        most: NDArray[np.intp] = some[self._table[keys] == some]
        return most

    def _touching(self, some: NDArray[np.intp], others: NDArray[np.intp], before: bool = False) -> NDArray[np.bool_]:
        """Say which have one of the others, of which there is one a cell, or only a more important one, too near."""
        touching = np.zeros(len(some), bool)
        if not len(others):
            return touching
        find = self._finder(others)
        here, places = self._keys[some], self._places
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                other = find(here + (down * self._across + right))
                found = np.flatnonzero(other >= 0)
                one, other = some[found], other[found]
                near = (np.abs(places[one] - places[other]) < self._side).all(axis=1)
                touching[found] |= near & (other < one) if before else near
        return touching

    def _finder(self, others: NDArray[np.intp]) -> Callable[[NDArray[np.int64]], NDArray[np.integer]]:
        """Return what finds the one in each of some cells, −1 for none."""
        keys = self._keys[others]
        if (table := self._table) is not None:
            table.fill(-1)
            table[keys] = others
            return table.__getitem__
        order = np.argsort(keys, kind="stable")
        there, sorted_others = keys[order], others[order]

        def find(wanted: NDArray[np.int64]) -> NDArray[np.integer]:
            at = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
            found: NDArray[np.intp] = np.where(there[at] == wanted, sorted_others[at], -1)
            return found

        return find
