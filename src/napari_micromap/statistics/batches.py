"""Whether a finding carries over to a batch that was not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.evidence import design_of
from napari_micromap.statistics.nuisance import nuisance_of
from napari_micromap.statistics.units import Units

FEWEST_BATCHES = 8


@dataclass(frozen=True)
class NewBatch:
    """Predictions for batches that were left out.

    ``q2`` is 1 − squared error over that of guessing the other batches' mean; ``p`` is None with fewer than eight
    batches.
    """

    batches: int
    q2: float | None
    p: float | None


def to_new_batch(
    embeddings: NDArray[Any], units: Units, batch_of: NDArray[np.intp], permutations: int = 999, seed: int = 0
) -> NewBatch:
    """Predict each batch from the others.

    The null exchanges whole batches' means and reshuffles samples within batches, so that what belongs to a batch
    stays together.

    Parameters
    ----------
    embeddings : (n, d)
        Of ``units.rows``.
    batch_of : (S,) int
        Batch of each sample.
    """
    found = np.unique(batch_of)
    if len(found) < 2:
        return NewBatch(len(found), None, None)
    kernel = design_of(embeddings, units, nuisance_of(units)).kernel
    predict, guess = _leave_batches_out(kernel, batch_of)
    rng = np.random.default_rng(seed)
    ways = permutations if len(found) >= FEWEST_BATCHES else 0
    values = np.stack([units.values, *(_exchanged(units.values, batch_of, rng) for _ in range(ways))], axis=1)
    flat = values.reshape(len(units), -1)
    errors = ((flat - predict @ flat) ** 2).sum(axis=0).reshape(values.shape[1:]).sum(axis=1)
    guesses = ((flat - guess @ flat) ** 2).sum(axis=0).reshape(values.shape[1:]).sum(axis=1)
    q2 = 1.0 - errors / np.maximum(guesses, 1e-300)
    return NewBatch(len(found), float(q2[0]), float(np.mean(q2 >= q2[0] - 1e-9)) if ways else None)


def _leave_batches_out(
    kernel: NDArray[np.float64], batch_of: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (S, S) matrices that predict each sample, by ridge and by the mean, from the other batches."""
    samples = len(kernel)
    predict, guess = np.zeros((samples, samples)), np.zeros((samples, samples))
    for batch in np.unique(batch_of):
        out, kept = np.flatnonzero(batch_of == batch), np.flatnonzero(batch_of != batch)
        guess[np.ix_(out, kept)] = 1.0 / len(kept)
        inner = kernel[np.ix_(kept, kept)]
        row_mean = inner.mean(axis=0)
        centered = inner - row_mean - row_mean[:, None] + inner.mean()
        penalty = max(float(np.trace(centered)) / len(kept), 1e-12)
        across = kernel[np.ix_(out, kept)]
        across = across - across.mean(axis=1, keepdims=True) - row_mean + inner.mean()
        centering = np.eye(len(kept)) - 1.0 / len(kept)
        slopes = np.linalg.solve(centered + penalty * np.eye(len(kept)), centering)
        predict[np.ix_(out, kept)] = 1.0 / len(kept) + across @ slopes
    return predict, guess


def _exchanged(
    values: NDArray[np.float64], batch_of: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.float64]:
    found = np.unique(batch_of)
    means = np.array([values[batch_of == batch].mean(axis=0) for batch in found])
    swapped = rng.permutation(len(found))
    new = np.empty_like(values)
    for i, batch in enumerate(found):
        members = np.flatnonzero(batch_of == batch)
        new[members] = values[rng.permutation(members)] - means[i] + means[swapped[i]]
    return new
