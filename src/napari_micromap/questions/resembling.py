"""Micrographs that stand for a group, look alike, or are like no other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import samples_of

_MOST_COMPARED = 3000  # micrographs, drawn at random from more, that are compared each with each
_CLOSEST = 0.03  # of all pairs count as looking alike
_DUPLICATE = 0.1  # of the usual distance to the nearest neighbor
_NEAREST = 5  # neighbors that an outlier is far from
_FAR = 3.5  # spreads above the usual distance, on a scale of ratios
_LISTED = 100


@dataclass(frozen=True)
class Pair:
    """Two micrographs that look alike.

    Parameters
    ----------
    distance : float
        1 − cosine of their features.
    gap : float
        How far apart they are in a property; 0 where none was asked for.
    same_sample : bool
    """

    one: int
    other: int
    distance: float
    gap: float = 0.0
    same_sample: bool = False


@dataclass(frozen=True)
class Outlier:
    """A micrograph unlike the others.

    Parameters
    ----------
    times : float
        How many times as far from its nearest neighbors as is usual.
    """

    row: int
    times: float


def spread_over(atlas: Atlas, rows: Rows, most: int) -> Rows:
    """Return at most so many of the rows, spread evenly over samples."""
    if len(rows) <= most:
        return rows
    order = np.random.default_rng(0).permutation(len(rows))
    codes = _samples(atlas, rows)
    turn = pd.Series(codes[order]).groupby(codes[order]).cumcount().to_numpy()  # each sample's first, second, …
    return np.sort(rows[order[np.argsort(turn, kind="stable")[:most]]]).astype(np.intp)


def typical_of(atlas: Atlas, rows: Rows, count: int) -> Rows:
    """Return the micrographs nearest to the middle of a group's samples, each of another sample, nearest first."""
    if atlas.features is None:
        raise Problem("Make the map first; it says what looks alike.")
    if not len(rows):
        return np.empty(0, np.intp)
    features = np.asarray(atlas.features[rows], np.float64)
    codes = _samples(atlas, rows)
    middles = np.stack([features[codes == code].mean(axis=0) for code in np.unique(codes)])
    away = np.linalg.norm(features - middles.mean(axis=0), axis=1)
    nearest = np.argsort(away, kind="stable")
    _, firsts = np.unique(codes[nearest], return_index=True)
    return rows[nearest[np.sort(firsts)[:count]]].astype(np.intp)


def unlike_in(atlas: Atlas, rows: Rows, column: str, count: int) -> list[Pair]:
    """Find the most similar pairs with the most different number, across samples, each sample in one pair only."""
    if atlas.features is None:
        raise Problem("Make the map first; it says what looks alike.")
    numbers = pd.to_numeric(atlas.columns[column], errors="coerce").to_numpy(float, na_value=np.nan)
    rows = rows[np.isfinite(numbers[rows])]
    if len(np.unique(numbers[rows])) < 2:
        raise Problem(f"“{column}” holds no different numbers; choose another property to color by.")
    chosen = np.sort(np.random.default_rng(0).permutation(rows)[:_MOST_COMPARED])
    directions = _directions(atlas, chosen)
    codes = _samples(atlas, chosen)
    one, other = np.nonzero(np.triu(codes[:, None] != codes, 1))
    near = 1.0 - (directions @ directions.T)[one, other]
    closest = np.flatnonzero(near <= np.quantile(near, _CLOSEST)) if len(near) > 100 else np.argsort(near)[:10]
    gaps = np.abs(numbers[chosen[one]] - numbers[chosen[other]])
    pairs: list[Pair] = []
    taken: set[int] = set()
    for i in closest[np.lexsort([near[closest], -gaps[closest]])]:
        both = {int(codes[one[i]]), int(codes[other[i]])}
        if both & taken or gaps[i] == 0:
            continue
        taken |= both
        pairs.append(Pair(int(chosen[one[i]]), int(chosen[other[i]]), float(near[i]), float(gaps[i])))
        if len(pairs) == count:
            break
    return pairs


def duplicates_in(atlas: Atlas, rows: Rows) -> list[Pair]:
    """Find pairs that lie ten times as close as neighbors usually do."""
    near, distances = _neighbors(atlas, rows)
    if not len(rows) or near.shape[1] == 0:
        return []
    usual = float(np.nanmedian(distances[rows, 0]))
    codes = _samples(atlas, np.arange(len(atlas)))
    found: dict[tuple[int, int], Pair] = {}
    alike = np.nan_to_num(distances[rows], nan=np.inf) <= max(_DUPLICATE * usual, 1e-6)
    for place, which in zip(*np.nonzero(alike)):
        one, other = sorted((int(rows[place]), int(near[rows[place], which])))
        same = bool(codes[one] == codes[other])
        found[one, other] = Pair(one, other, float(distances[rows[place], which]), same_sample=same)
    return sorted(found.values(), key=lambda pair: (pair.distance, pair.one))[:_LISTED]


def outliers_in(atlas: Atlas, rows: Rows) -> list[Outlier]:
    """Find micrographs that are much further from their nearest neighbors than is usual."""
    _, distances = _neighbors(atlas, rows)
    if len(rows) < 3 * _NEAREST or distances.shape[1] < _NEAREST:
        return []
    away = np.array([_mean_of_first(distances[row], _NEAREST) for row in rows])
    logs = np.log(np.maximum(away, 1e-9))
    middle = float(np.nanmedian(logs))
    spread = max(1.4826 * float(np.nanmedian(np.abs(logs - middle))), 1e-3)
    far = np.flatnonzero((logs - middle) / spread > _FAR)
    found = [Outlier(int(rows[i]), float(np.exp(logs[i] - middle))) for i in far]
    return sorted(found, key=lambda one: -one.times)[:_LISTED]


def _neighbors(atlas: Atlas, rows: Rows) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return neighbors and their distances; those that take no part are at no distance, NaN, and come last."""
    if atlas.neighbors is None:
        raise Problem("Make the map first; it says what looks alike.")
    used = np.zeros(len(atlas), bool)
    used[rows] = True
    near = np.asarray(atlas.neighbors.rows)
    distances = np.where(used[near], atlas.neighbors.distances, np.nan).astype(np.float64)
    order = np.argsort(np.nan_to_num(distances, nan=np.inf), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(distances, order, axis=1)


def _mean_of_first(distances: NDArray[np.float64], count: int) -> float:
    known = distances[np.isfinite(distances)][:count]
    return float(known.mean()) if len(known) == count else float("nan")


def _samples(atlas: Atlas, rows: Rows) -> NDArray[np.intp]:
    """Return a number for the sample of each row; one without a name is its own."""
    samples = samples_of(atlas)
    if samples is None:
        return np.arange(len(rows), dtype=np.intp)
    codes = pd.factorize(samples.iloc[rows])[0].astype(np.intp)
    nameless = codes < 0
    codes[nameless] = codes.max(initial=-1) + 1 + np.arange(int(nameless.sum()))
    return codes


def _directions(atlas: Atlas, rows: Rows) -> NDArray[np.float64]:
    assert atlas.features is not None
    features = np.asarray(atlas.features[rows], np.float64)
    directions: NDArray[np.float64] = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    return directions
