"""Turning a new map the way the old one lay."""

from __future__ import annotations

import numpy as np

from napari_micromap.atlas import Positions


def turned_like(new: Positions, old: Positions) -> Positions:
    """Turn, mirror and shift a new map so that it lies as close to an old one as it can; distances stay.

    Orthogonal Procrustes (Schönemann 1966, https://doi.org/10.1007/BF02289451) over the rows that both have.

    Parameters
    ----------
    new, old : (n, 2)
        Rows that one of them lacks are NaN.
    """
    both = np.isfinite(new).all(axis=1) & np.isfinite(old).all(axis=1)
    if both.sum() < 2:
        return new
    a, b = new[both].astype(np.float64), old[both].astype(np.float64)
    u, _, vt = np.linalg.svd((a - a.mean(axis=0)).T @ (b - b.mean(axis=0)))
    turned: Positions = ((new - a.mean(axis=0)) @ (u @ vt) + b.mean(axis=0)).astype(np.float32)
    return turned
