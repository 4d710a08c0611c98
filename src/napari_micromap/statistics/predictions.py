"""What the structure predicts for each micrograph, its own sample left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.evidence import ridge_precision, standardized
from napari_micromap.statistics.units import Units


def predicted_by_others(embeddings: NDArray[Any], units: Units) -> NDArray[np.float64]:
    """Predict a number for each micrograph by the ridge regression of the primary test, its sample left out.

    The mean over a sample's micrographs is the sample's own leave-one-out prediction.

    Parameters
    ----------
    embeddings : (n, d)
        Of ``units.rows``.

    Returns
    -------
    (n,) in units of the property
    """
    if len(units) < 3:
        return np.full(len(units.rows), np.nan)
    left = standardized(embeddings, units.weights)
    means = units.means(left)
    center = means.mean(axis=0)
    means = means - center
    kernel = means @ means.T
    values = units.values[:, 0]
    precision = ridge_precision(kernel)
    if precision is None:
        others = (values.sum() - values) / (len(values) - 1)
        return np.asarray(others[units.sample_of], np.float64)
    fit = precision @ values
    own = np.diag(precision)
    weights = fit[:, None] - precision * (fit / own)[None, :]  # column s: dual weights without sample s, own one 0
    penalty = float(np.trace(kernel)) / len(values)
    gaps = values[:, None] - kernel @ weights - penalty * weights  # the intercept, where the sample takes part
    np.fill_diagonal(gaps, 0.0)
    base = gaps.sum(axis=0) / (len(values) - 1)
    across = (left - center) @ means.T  # (n, S)
    return np.asarray(np.einsum("ns,sn->n", across, weights[:, units.sample_of]) + base[units.sample_of], np.float64)
