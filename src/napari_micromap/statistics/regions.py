"""Regions of the map whose samples differ: a scan, and lassos against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.statistics.evidence import FEWEST_ARRANGEMENTS, FEWEST_SAMPLES, exchanged
from napari_micromap.statistics.nuisance import Nuisance, nuisance_of
from napari_micromap.statistics.permutations import arrangements, distinct_arrangements
from napari_micromap.statistics.units import Units

FEWEST_SAMPLES_A_SIDE = 3


@dataclass(frozen=True, eq=False)
class Region:
    """The disc of the map whose samples differ most, against the most that reshuffles reach anywhere.

    Parameters
    ----------
    rows : (k,) int
        Rows of the atlas inside.
    p : float
        Share of reshuffles in which some disc differs at least as much.
    difference : float
        Mean inside minus mean outside, samples weighing by their share of micrographs.
    center : (2,) float
        On the map.
    radius : float
        Within which the disc's micrographs lie, in units of the map.
    """

    rows: NDArray[np.intp]
    p: float
    difference: float
    samples_inside: float
    center: NDArray[np.float64]
    radius: float


@dataclass(frozen=True, eq=False)
class LassoAnswer:
    """What a lasso that was drawn after seeing the colors may claim.

    ``p`` is None where the selected micrographs do not lie together in feature space, or where fewer than three
    samples stand on a side.
    """

    p: float | None
    difference: float
    samples_inside: int
    samples_outside: int


@dataclass(frozen=True, eq=False)
class ScanResult:
    """The family of discs, its null, and its best disc; made by :class:`RegionScan`."""

    best: Region | None
    maxima: NDArray[np.float64]  # (P,) of the reshuffles
    _units: Units
    _left: NDArray[np.float64]

    def lasso(
        self, selected: NDArray[np.bool_], neighbors: NDArray[np.integer[Any]] | None = None, coherent: float = 2.0
    ) -> LassoAnswer:
        """Judge (n,) selected micrographs of the test's rows by their own t against the scan's maxima.

        Parameters
        ----------
        selected : (n,) bool
            Aligned with ``units.rows``.
        neighbors : (n, k) int, optional
            Nearest micrographs among the same rows, −1 for none. A lasso gets no p where the odds that a neighbor from
            another sample lies inside are less than ``coherent`` times those of chance.
        """
        share = self._units.means(selected[:, None].astype(np.float64))[:, 0]
        inside, outside = int((share > 0).sum()), int((share < 1).sum())
        if not 0 < selected.sum() < len(selected):
            return LassoAnswer(None, float("nan"), inside, outside)
        t, difference = _contrast(share[None, :], self._left)
        enough = min(inside, outside) >= FEWEST_SAMPLES_A_SIDE and len(self.maxima) > 0
        if not enough or (neighbors is not None and _togetherness(selected, neighbors, self._units) < coherent):
            return LassoAnswer(None, float(difference[0]), inside, outside)
        p = (1 + np.sum(self.maxima >= t[0] - 1e-9)) / (len(self.maxima) + 1)
        return LassoAnswer(float(p), float(difference[0]), inside, outside)


@dataclass(frozen=True)
class RegionScan:
    """Scans discs on the fixed map for samples that differ in a property.

    Parameters
    ----------
    permutations : int
        Reshuffles of samples, the same kind as the primary test's.
    centers : int
        Discs around at most this many micrographs, spread by farthest-point sampling.
    seed : int
        Of the reshuffles.

    References
    ----------
    Kulldorff: A spatial scan statistic, 1997, https://doi.org/10.1080/03610929708831995
    """

    permutations: int = 999
    centers: int = 500
    seed: int = 0

    def __call__(self, positions: NDArray[Any], units: Units, nuisance: Nuisance | None = None) -> ScanResult:
        """Scan (n, 2) positions of ``units.rows`` for a numeric property."""
        nuisance = nuisance if nuisance is not None else nuisance_of(units)
        maker = nuisance.residual_maker
        left = maker @ units.values[:, :1]
        shares, members = _discs(np.asarray(positions, np.float64), units, self.centers)
        few = len(units) - nuisance.rank + 1 < FEWEST_SAMPLES
        if few or not len(shares) or distinct_arrangements(exchanged(left), nuisance.batch_of) < FEWEST_ARRANGEMENTS:
            return ScanResult(None, np.empty(0), units, left[:, 0])
        orders = arrangements(exchanged(left), nuisance.batch_of, self.permutations, self.seed)
        shuffled = maker @ left[:, 0][orders].T  # (S, P + 1)
        w = _weights(shares)
        z = shuffled - shuffled.mean(axis=0)
        spread = np.maximum(z.std(axis=0), 1e-12)
        maxima = np.zeros(z.shape[1])
        observed = np.zeros(len(w))
        for start in range(0, len(w), 512):  # a block of discs at a time bounds the memory
            t = np.abs(w[start : start + 512] @ z) / spread
            maxima = np.maximum(maxima, t.max(axis=0))
            observed[start : start + 512] = t[:, 0]
        first = int(np.argmax(observed))
        _, difference = _contrast(shares[first][None, :], left[:, 0])
        center, inside = members(first)
        best = Region(
            rows=units.rows[inside],
            p=float(np.mean(maxima >= maxima[0] - 1e-9)),
            difference=float(difference[0]),
            samples_inside=float(shares[first].sum()),
            center=np.asarray(positions[center], np.float64),
            radius=float(np.linalg.norm(positions[inside] - positions[center], axis=1).max()),
        )
        return ScanResult(best, maxima[1:], units, left[:, 0])


def _discs(positions: NDArray[np.float64], units: Units, most: int) -> tuple[NDArray[np.float64], Any]:
    """Return (m, S) shares of each sample inside each disc, and center and members of the i-th."""
    n = len(positions)
    sizes = np.unique(np.geomspace(max(n / 12, 1), max(n / 2, 1), 6).round().astype(int))
    shares, who = [], []
    for center in spread_out(positions, most):
        order = np.argsort(((positions - positions[center]) ** 2).sum(axis=1), kind="stable")
        for size in sizes:
            inside = np.bincount(units.sample_of[order[:size]], minlength=len(units))
            share = inside / units.counts
            if min((share > 0).sum(), (share < 1).sum()) >= FEWEST_SAMPLES_A_SIDE:
                shares.append(share)
                who.append((center, int(size)))

    def members(disc: int) -> tuple[int, NDArray[np.intp]]:
        center, size = who[disc]
        order = np.argsort(((positions - positions[center]) ** 2).sum(axis=1), kind="stable")
        return int(center), np.sort(order[:size]).astype(np.intp)

    return np.array(shares).reshape(-1, len(units)), members


def spread_out(positions: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Return up to ``most`` rows that lie far from one another (farthest-point sampling, first row first)."""
    n = len(positions)
    if n <= most:
        return np.arange(n, dtype=np.intp)
    chosen = np.zeros(most, np.intp)
    nearest = ((positions - positions[0]) ** 2).sum(axis=1)
    for i in range(1, most):
        chosen[i] = int(np.argmax(nearest))
        nearest = np.minimum(nearest, ((positions - positions[chosen[i]]) ** 2).sum(axis=1))
    return chosen


def _weights(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (m, S) contrasts of inside against outside, each of length 1."""
    w = shares / shares.sum(axis=1, keepdims=True)
    w = w - (1 - shares) / (1 - shares).sum(axis=1, keepdims=True)
    return np.asarray(w / np.maximum(np.linalg.norm(w, axis=1, keepdims=True), 1e-12))


def _contrast(
    shares: NDArray[np.float64], left: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return t and the difference of means, (m,) each."""
    z = left - left.mean()
    inside = shares / shares.sum(axis=1, keepdims=True)
    outside = (1 - shares) / (1 - shares).sum(axis=1, keepdims=True)
    t = np.abs(_weights(shares) @ z) / max(float(z.std()), 1e-12)
    return t, (inside - outside) @ left


def _togetherness(selected: NDArray[np.bool_], neighbors: NDArray[np.integer[Any]], units: Units) -> float:
    """Return how much better than by chance the odds are that neighbors from other samples are selected, too.

    For a small lasso that is how much oftener they are. Half of all micrographs could never be twice as often inside as
    by chance, though they lie together; their odds can.
    """
    own = units.sample_of[:, None] == units.sample_of[np.maximum(neighbors, 0)]
    counted = (neighbors >= 0) & ~own & selected[:, None]
    if not counted.any():
        return 0.0
    inside = selected[np.maximum(neighbors, 0)][counted].mean()
    # chance: share of the selected among micrographs of other samples
    per_sample = np.bincount(units.sample_of, weights=selected, minlength=len(units))
    others = (selected.sum() - per_sample) / np.maximum(len(selected) - units.counts, 1)
    chance = others[units.sample_of][selected].mean()
    return float(inside * (1 - chance) / max((1 - inside) * chance, 1e-12))
