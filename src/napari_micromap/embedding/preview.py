"""A first map while the embedding runs: dots appear, none moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Positions
from napari_micromap.space import moments, principal_axes

FIRST = 32  # micrographs that the axes are fitted to, drawn from all over the collection
PAUSE = 0.35  # seconds between two pictures of the preview


@dataclass(frozen=True, eq=False)
class Preview:
    """A first map by PCA of one-view embeddings, (n, 2); NaN for micrographs that are not embedded yet."""

    positions: Positions


class GrowingMap:
    """Positions by principal components of the first vectors; those stay, whatever comes.

    Parameters
    ----------
    n : int
        Micrographs in the collection.
    expected : int
        How many of them will come.
    """

    def __init__(self, n: int, expected: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._positions = np.full((n, 2), np.nan, np.float32)
        self._needed = min(FIRST, expected)
        self._waiting: list[tuple[int, NDArray[np.float32]]] = []
        self._axes: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None = None
        self._clock = clock
        self._shown_at = -np.inf
        self._unseen = False

    def add(self, rows: Sequence[int], vectors: Sequence[NDArray[np.float32]]) -> None:
        """Place rows by their (d,) vectors, as soon as there are enough of them."""
        self._waiting.extend(zip(rows, vectors))
        if self._axes is not None or len(self._waiting) >= self._needed:
            self._place()

    def look(self, last: bool = False) -> Preview | None:
        """Return the map if there is something new on it and it was not shown just now; ``last`` shows all there is."""
        if last:
            self._place()
        if not self._unseen or (not last and self._clock() - self._shown_at < PAUSE):
            return None
        self._unseen, self._shown_at = False, self._clock()
        return Preview(self._positions.copy())

    def _place(self) -> None:
        if not self._waiting:
            return
        rows = [row for row, _ in self._waiting]
        vectors = np.stack([vector for _, vector in self._waiting])
        self._waiting.clear()
        if self._axes is None:
            self._axes = _fitted(vectors)
        mean, sd, axes = self._axes
        self._positions[rows] = ((vectors - mean) / sd @ axes.T).astype(np.float32)
        self._unseen = True


def _fitted(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    mean, sd = moments(vectors)
    variances, axes = principal_axes(vectors, mean, sd, 2)
    # About one unit wide in the wider direction, both drawn to the same scale.
    return mean, sd, axes / (np.sqrt(variances[0]) if variances[0] > 0 else 1.0)
