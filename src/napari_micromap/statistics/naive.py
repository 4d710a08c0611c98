"""The usual tests that treat images as samples, to be named as what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.evidence import StructureTest, standardized
from napari_micromap.statistics.nuisance import nuisance_of
from napari_micromap.statistics.units import Units

MOST = 1_500  # images; more would cost more than a warning is worth


@dataclass(frozen=True)
class Naive:
    """What one gets by mistaking images for samples.

    Parameters
    ----------
    p : float or None
        Of permuting images.
    random_split : float
        R² of predicting held-out images while others of their sample are in the training set (five random folds).
    """

    p: float | None
    random_split: float


def naive_of(embeddings: NDArray[Any], units: Units, permutations: int = 999, seed: int = 0) -> Naive:
    """Do the wrong thing on purpose: every image its own sample.

    Parameters
    ----------
    embeddings : (n, d)
        Of ``units.rows``.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(units.rows))[:MOST])
    values = units.values[units.sample_of[chosen]]
    each = Units(
        np.arange(len(chosen), dtype=np.intp), np.arange(len(chosen), dtype=np.intp),
        tuple(map(str, chosen)), values, units.categories,
    )  # fmt: skip
    shown = embeddings[chosen]
    found = StructureTest(permutations, seed, influence=False).only_p(shown, each, nuisance_of(each))
    return Naive(found.p, _random_split(standardized(shown, each.weights), values, rng))


def _random_split(left: NDArray[np.float64], values: NDArray[np.float64], rng: np.random.Generator) -> float:
    n = len(left)
    fold = rng.permutation(n) % 5
    kernel = left @ left.T
    error = guess = 0.0
    for held in range(5):
        out, kept = np.flatnonzero(fold == held), np.flatnonzero(fold != held)
        if not len(out) or len(kept) < 2:
            continue
        inner = kernel[np.ix_(kept, kept)]
        mean = values[kept].mean(axis=0)
        penalty = max(float(np.trace(inner)) / len(kept), 1e-12)
        predicted = mean + kernel[np.ix_(out, kept)] @ np.linalg.solve(
            inner + penalty * np.eye(len(kept)), values[kept] - mean
        )
        error += float(((values[out] - predicted) ** 2).sum())
        guess += float(((values[out] - mean) ** 2).sum())
    return 1.0 - error / guess if guess > 0 else float("nan")
