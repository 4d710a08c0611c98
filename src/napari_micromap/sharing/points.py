"""The dots of a map as points of an image viewer, with all that is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Positions
from napari_micromap.colors import Coloring

SPAN = 1000.0  # of the longer side of the map, in units of the viewer
DOT = 8.0


@dataclass(frozen=True, eq=False)
class DotTable:
    """What a Points layer takes: one row a micrograph that lies on the map.

    Parameters
    ----------
    data : (m, 2) float32
        Row and column, so that the map lies as in the dock: its second axis points up.
    features : DataFrame, m rows
        ``row`` and ``id`` of the micrograph, ``path``, and all columns.
    colors : (m, 3) float32
        0 to 1, as the map shows them.
    """

    data: NDArray[np.float32]
    features: pd.DataFrame
    colors: NDArray[np.float32]


def dots_of(atlas: Atlas, positions: Positions, coloring: Coloring) -> DotTable:
    """Return the dots of a map, its longer side :data:`SPAN` units long."""
    rows = np.flatnonzero(np.isfinite(positions).all(axis=1))
    placed = positions[rows].astype(np.float64)
    low, high = (placed.min(axis=0), placed.max(axis=0)) if len(rows) else (np.zeros(2), np.ones(2))
    scaled = (placed - low) * (SPAN / max(float((high - low).max()), 1e-12))
    data = np.column_stack([scaled[:, 1].max(initial=0) - scaled[:, 1], scaled[:, 0]]).astype(np.float32)
    features = atlas.columns.iloc[rows].reset_index(drop=True)
    for place, (name, values) in enumerate({"row": rows, "id": atlas.ids[rows], "path": atlas.paths[rows]}.items()):
        if name not in features:
            features.insert(place, name, values)
    return DotTable(data, features, np.divide(coloring.rgb[rows], 255, dtype=np.float32))
