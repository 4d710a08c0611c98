"""Where a map can be read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def preserved(positions: NDArray[Any], neighbors: NDArray[np.integer[Any]], k: int = 10) -> NDArray[np.float64]:
    """Return how much of each micrograph's neighborhood the map keeps, (n,), 0 to 1.

    It is the share of its ``k`` nearest in feature space that are among its ``k`` nearest on the map. About .70 is
    usual for a good map in two dimensions; where it is low, what lies close need not be alike.

    Parameters
    ----------
    positions : (n, 2)
    neighbors : (n, ≥ k) int
        Nearest others in feature space, nearest first.
    """
    from scipy.spatial import cKDTree

    k = min(k, neighbors.shape[1])
    if k < 1:
        return np.ones(len(positions))
    _, near = cKDTree(positions).query(positions, k + 1)
    near = np.where(near == np.arange(len(positions))[:, None], -1, near)
    # itself is usually first, but not where others lie at the very same place
    own_missing = ~(near == -1).any(axis=1)
    near[own_missing, -1] = -1
    hits = (near[:, :, None] == neighbors[:, None, :k]).any(axis=2).sum(axis=1)
    return np.asarray(hits / k, np.float64)
