"""What a map shows: positions and their name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Positions


@dataclass(frozen=True, eq=False)
class Map:
    """Positions under a name.

    Parameters
    ----------
    positions : (n, 2) float32
        NaN for micrographs that have none yet.
    title : str
        "UMAP", "PCA", "Preview (PCA)".
    preview : bool
        Whether a better one is still to come.
    """

    positions: Positions
    title: str
    preview: bool = False

    def renumbered(self, where: NDArray[np.intp], n: int, placed: Positions | None = None) -> Map:
        """Return the same map of n micrographs, of which each old one stands at ``where``, −1 for gone.

        ``placed``, (n, 2), says where the others lie.
        """
        positions = np.full((n, 2), np.nan, np.float32) if placed is None else np.array(placed, np.float32)
        positions[where[where >= 0]] = self.positions[where >= 0]
        return replace(self, positions=positions)

    def moves(self, other: Map) -> bool:
        """Say whether a dot that the other map shows lies elsewhere here."""
        seen = np.isfinite(other.positions).all(axis=1)
        return not np.array_equal(self.positions[seen], other.positions[seen])
