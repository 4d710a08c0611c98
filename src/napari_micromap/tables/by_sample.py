"""One row a sample: means of numbers, and what its micrographs share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.tables.several import is_number

IMAGES = "images"
_PER_FILE = {"file", "width", "height", "dtype", "bar_rows", "bar_side", "bar_from", "annotation"}


def one_row_a_sample(atlas: Atlas, rows: Rows) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Average micrographs by sample.

    Parameters
    ----------
    atlas : Atlas
        With a sample column.
    rows : (k,) int
        Which take part.

    Returns
    -------
    DataFrame
        One row a sample in order of their names: the sample, how many images, means of numbers, and texts that all
        its images share; "3 different" where they do not.
    numbers : (n,) int
        Row of that table for each micrograph, −1 for none.
    """
    samples = atlas.samples
    assert samples is not None
    chosen = samples.iloc[rows]
    codes, names = pd.factorize(chosen.astype(object), sort=False)
    order = np.argsort([str(name) for name in names], kind="stable")
    rank = np.empty(len(order) + 1, np.intp)
    rank[order], rank[-1] = np.arange(len(order)), -1
    numbers = np.full(len(atlas), -1, np.intp)
    numbers[rows] = rank[codes]
    known, inside = numbers[rows] >= 0, numbers[rows]
    groups = inside[known]
    columns: dict[str, Any] = {
        str(atlas.sample_column): np.asarray(names, object)[order],
        IMAGES: np.bincount(groups, minlength=len(order)),
    }
    for name in map(str, atlas.columns):
        if name in _PER_FILE or name in columns:
            continue
        values = atlas.columns[name].iloc[rows][known]
        columns[name] = _means(values, groups) if is_number(values) else _shared(values, groups, len(order))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(order))), numbers


def _means(values: pd.Series[Any], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(values.astype(float).groupby(groups).mean(), np.float64)


def _shared(values: pd.Series[Any], groups: NDArray[np.intp], count: int) -> NDArray[np.object_]:
    grouped = values.astype(object).groupby(groups)
    first, different = grouped.first().to_numpy(object), grouped.nunique().to_numpy()
    said = np.full(count, None, object)
    for k in range(count):
        said[k] = first[k] if different[k] == 1 else (f"{different[k]} different" if different[k] else None)
    return said
