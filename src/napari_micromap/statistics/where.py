"""Where in a micrograph a prediction comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.nuisance import Nuisance, nuisance_of
from napari_micromap.statistics.units import Units

RAREST = 1e-3  # of the middle spread of dimensions: those that vary less count less, not alike


@dataclass(frozen=True, eq=False)
class Readout:
    """Straight-line predictions from embeddings: base + (embedding − mean) · slopes.

    Parameters
    ----------
    slopes : (r, d) float
        The fit to all samples first, then those to resampled samples; spreads of the dimensions are in it.
    mean : (d,) float
        The collection's mean embedding, at which the prediction is ``base``.
    base : float
        In units of the property.
    """

    slopes: NDArray[np.float64]
    mean: NDArray[np.float64]
    base: float

    def predict(self, embeddings: NDArray[Any]) -> NDArray[np.float64]:
        """Return (n,) predictions of (n, d) embeddings."""
        return np.asarray(self.base + (embeddings - self.mean) @ self.slopes[0], np.float64)


@dataclass(frozen=True, eq=False)
class Split:
    """One micrograph's prediction, split over the picture.

    Parameters
    ----------
    share : (h, w) float
        In units of the property: what would be added to ``base`` if the whole micrograph looked like this place. Its
        mean is prediction − base.
    certain : (h, w) float
        Share of refits on resampled samples that agree on the sign, 0 to 1.
    base, prediction : float
    """

    share: NDArray[np.float64]
    certain: NDArray[np.float64]
    base: float
    prediction: float


def readout_of(
    embeddings: NDArray[Any], units: Units, nuisance: Nuisance | None = None, refits: int = 50, seed: int = 0
) -> Readout:
    """Fit the ridge regression of the primary test to all samples, and to resampled ones.

    Parameters
    ----------
    embeddings : (n, d)
        Block-L2 embeddings of ``units.rows``.
    units : Units
        A number, or two categories (then the second against the first, 0 to 1).
    """
    nuisance = nuisance if nuisance is not None else nuisance_of(units)
    values = np.asarray(embeddings, np.float64)
    mean = np.average(values, axis=0, weights=units.weights)
    spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=units.weights))
    # A channel silent but for a trace in one picture would shout, 40,000 spreads, where another picture has it.
    least = RAREST * float(np.median(spread[spread > 0])) if (spread > 0).any() else 1.0
    scale = 1.0 / np.maximum(spread, least)
    left = nuisance.remove_from_embeddings((values - mean) * scale, units.weights)
    means = units.means(left)
    y = nuisance.residual_maker @ units.values[:, -1]
    rng = np.random.default_rng(seed)
    draws = [np.arange(len(units)), *(rng.integers(0, len(units), len(units)) for _ in range(refits))]
    slopes = np.array([_ridge(means[draw], y[draw]) for draw in draws]) * scale
    return Readout(slopes, mean, float(units.values[:, -1].mean()))


def _ridge(means: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    centered = means - means.mean(axis=0)
    kernel = centered @ centered.T
    penalty = float(np.trace(kernel)) / len(kernel)
    if penalty <= 0:
        return np.zeros(means.shape[1])
    return np.asarray(centered.T @ np.linalg.solve(kernel + penalty * np.eye(len(kernel)), y - y.mean()), np.float64)


def split(maps: Sequence[NDArray[np.floating[Any]]], readout: Readout) -> Split:
    """Split one micrograph's prediction exactly over the cells of its feature maps.

    The embedding is each map's mean over positions, divided by that mean's length, one block after the other; with
    those lengths held fixed the prediction is a sum over cells. "Exact" is about the number over cells, not about
    the cause over pixels.

    Parameters
    ----------
    maps : arrays of (c, h, w)
        One a depth, averaged over the flips after turning them back; the channels of all depths together are those
        of ``readout``.
    """
    blocks, first = [], 0
    for one in maps:
        channels = len(one)
        flat = np.asarray(one, np.float64).reshape(channels, -1)
        length = max(float(np.linalg.norm(flat.mean(axis=1))), 1e-12)
        slopes = readout.slopes[:, first : first + channels]
        offset = slopes @ readout.mean[first : first + channels]
        blocks.append((slopes @ flat / length - offset[:, None]).reshape(-1, *one.shape[1:]))
        first += channels
    if first != readout.slopes.shape[1]:
        raise ValueError(f"maps have {first} channels, the readout {readout.slopes.shape[1]}")
    side = (max(b.shape[1] for b in blocks), max(b.shape[2] for b in blocks))
    shares = sum(_finer(block, side) for block in blocks)
    assert isinstance(shares, np.ndarray)
    share = shares[0]
    agree = np.mean(np.sign(shares[1:]) == np.sign(share), axis=0) if len(shares) > 1 else np.ones(side)
    return Split(share, agree, readout.base, readout.base + float(share.mean()))


def _finer(block: NDArray[np.float64], side: tuple[int, int]) -> NDArray[np.float64]:
    """Repeat cells to a finer grid; the mean stays as it is."""
    rows, columns = side[0] // block.shape[1], side[1] // block.shape[2]
    finer = np.repeat(np.repeat(block, rows, axis=1), columns, axis=2)
    if finer.shape[1:] != side:
        raise ValueError(f"a grid of {block.shape[1:]} does not divide {side}")
    return finer
