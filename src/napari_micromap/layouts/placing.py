"""New micrographs on a map that stays as it is."""

from __future__ import annotations

import numpy as np

from napari_micromap.atlas import Features, Positions
from napari_micromap.neighbors import nearest_among

_NEIGHBORS = 5
_SMALLEST = 1e-6  # cosine distance below which two pictures count as the same


def among_nearest(new: Features, features: Features, positions: Positions) -> Positions:
    """Place each new row at the mean of its nearest rows' positions, the nearer the heavier.

    A duplicate lands on its original. Rows without a position (NaN) are passed over; where there is none that has one,
    the new rows have none either.

    Parameters
    ----------
    new : (m, p)
        Features of the new micrographs.
    features, positions : (n, p), (n, 2)
        Those that are on the map.
    """
    on_map = np.isfinite(positions).all(axis=1)
    if not on_map.any():
        return np.full((len(new), 2), np.nan, np.float32)
    near = nearest_among(new, features[on_map], _NEIGHBORS)
    weights = 1.0 / np.maximum(near.distances.astype(np.float64), _SMALLEST) ** 2
    weights /= weights.sum(axis=1, keepdims=True)
    mean: Positions = np.einsum("mk,mkd->md", weights, positions[on_map][near.rows]).astype(np.float32)
    return mean
