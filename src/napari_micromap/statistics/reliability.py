"""Where a map can be read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.evidence import standardized


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
    k = min(k, neighbors.shape[1])
    if k < 1:
        return np.ones(len(positions))
    near = _near(positions, k)
    hits = (near[:, :, None] == neighbors[:, None, :k]).any(axis=2).sum(axis=1)
    return np.asarray(hits / k, np.float64)


def agreement(positions: NDArray[Any], other: NDArray[Any], k: int = 10) -> float:
    """Return which share of the ``k`` nearest on one map, (n, 2), are among the ``k`` nearest on another one."""
    k = min(k, len(positions) - 1)
    if k < 1:
        return 1.0
    one, two = _near(positions, k), _near(other, k)
    return float(((one[:, :, None] == two[:, None]) & (one >= 0)[:, :, None]).any(axis=2).sum() / (k * len(one)))


def _near(positions: NDArray[Any], k: int) -> NDArray[np.intp]:
    """Return (n, k + 1) nearest on the map; one of each row, itself, is −1."""
    from scipy.spatial import cKDTree

    _, near = cKDTree(positions).query(positions, k + 1)
    near = np.where(near == np.arange(len(positions))[:, None], -1, near)
    # itself is usually first, but not where others lie at the very same place
    own_missing = ~(near == -1).any(axis=1)
    near[own_missing, -1] = -1
    return np.asarray(near, np.intp)


def copies_as_dense(embeddings: NDArray[Any], k: int = 10, copies: int = 20, seed: int = 0, most: int = 500) -> int:
    """Count the column-shuffled copies whose rows lie as close together as the true ones do.

    A copy keeps each column and breaks what columns have to do with one another. Where one or more of 20 do as well,
    there is no structure beyond single columns, and a map draws groups all the same. Principal components have next to
    nothing to do with one another as it is, so copies are made of what they are taken from.

    Parameters
    ----------
    embeddings : (n, d)
        Standardized here.
    most : int
        Rows that are looked at.
    """
    rng = np.random.default_rng(seed)
    rows = np.asarray(embeddings[np.sort(rng.permutation(len(embeddings))[:most])])
    rows = standardized(rows, np.ones(len(rows)))
    true = _closeness(rows, k)
    shuffled = (np.column_stack([rng.permutation(column) for column in rows.T]) for _ in range(copies))
    return sum(_closeness(copy, k) >= true for copy in shuffled)


def _closeness(rows: NDArray[np.float64], k: int) -> float:
    """Return the mean cosine of each row to its k nearest others."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -2.0)
    k = min(k, len(rows) - 1)
    return float(np.partition(cosine, -k, axis=1)[:, -k:].mean()) if k > 0 else 0.0
