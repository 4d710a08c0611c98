"""How well classes lie together: neighbors, rankings, clusters, intervals by sample."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]  # (n,), one a query; NaN where no other picture could answer it
Codes: TypeAlias = NDArray[np.intp]  # (n,) numbers of classes, samples or groups
Pairs: TypeAlias = NDArray[np.bool_]  # (n, n): query, candidate

NEAREST = 5
RESTARTS = 50


@dataclass(frozen=True, eq=False)
class Retrieval:
    """What each picture finds when it asks for pictures of its class; (n,) values, NaN where there is no answer.

    Parameters
    ----------
    first : (n,)
        1 where the nearest is of the same class (P@1).
    five : (n,)
        Share of the five nearest that are (P@5); of as many as there are, where there are fewer.
    average_precision : (n,)
        Over the whole ranking; its mean is mAP.
    vote : (n,)
        1 where most of the five nearest are; of classes with as many votes that of the nearest one counts.
    """

    first: Values
    five: Values
    average_precision: Values
    vote: Values


def cosines(features: NDArray[Any]) -> Values:
    """Return (n, n) cosines of (n, d) features; rows of zeros are unlike everything."""
    wide = np.asarray(features, np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    found: Values = unit @ unit.T
    return found


def likeness_of_sizes(sizes: NDArray[Any]) -> Values:
    """Return (n, n) likeness by pixel size alone: minus the difference of logarithms; unknown sizes are least alike."""
    logs = np.log(np.asarray(sizes, np.float64))
    apart = np.abs(logs[:, None] - logs[None])
    return np.asarray(-np.nan_to_num(apart, nan=1e3, posinf=1e3))


def candidates(
    n: int, samples: Codes | None = None, series: Codes | None = None, numbers: Codes | None = None, apart: int = 5
) -> Pairs:
    """Say which pictures may answer which query.

    Parameters
    ----------
    n : int
        Pictures; none answers itself.
    samples : (n,), optional
        Pictures of the query's sample are left out; a negative number is no sample.
    series, numbers : (n,), optional
        Those of the query's series whose number is at most ``apart`` away are left out.
    """
    allowed = ~np.eye(n, dtype=bool)
    if samples is not None:
        allowed &= ~((samples[:, None] == samples[None]) & (samples[:, None] >= 0))
    if series is not None and numbers is not None:
        near = np.abs(numbers[:, None] - numbers[None]) <= apart
        allowed &= ~((series[:, None] == series[None]) & near)
    return allowed


def retrieval(likeness: Values, classes: Codes, allowed: Pairs, seed: int = 0) -> Retrieval:
    """Let each picture ask for others of its class.

    Parameters
    ----------
    likeness : (n, n)
        Of query and candidate; candidates that are equally like come in random order.
    classes : (n,)
        Of each picture.
    allowed : (n, n) bool
        See :func:`candidates`.
    """
    n = len(classes)
    shuffled = np.random.default_rng(seed).permutation(n)
    worth = np.where(allowed, likeness, -np.inf)[:, shuffled]
    order = shuffled[np.argsort(-worth, axis=1, kind="stable")]
    there = np.take_along_axis(allowed, order, axis=1)
    found = classes[order]
    right = (found == classes[:, None]) & there
    answers = right.sum(axis=1)
    nearest = np.minimum(NEAREST, there.sum(axis=1))
    ranks = np.arange(1, n + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = (right * (np.cumsum(right, axis=1) / ranks)).sum(axis=1) / answers
        five = right[:, :NEAREST].sum(axis=1) / nearest
    vote = np.array([_vote(found[q, : nearest[q]]) == classes[q] for q in range(n)], np.float64)
    none = answers == 0
    made = (right[:, 0].astype(np.float64), five, precision, vote)
    return Retrieval(*(np.where(none, np.nan, one) for one in made))


def _vote(nearest: Codes) -> int:
    if not len(nearest):
        return -1
    names, first, votes = np.unique(nearest, return_index=True, return_counts=True)
    return int(names[np.lexsort((first, -votes))[0]])


def averaged(found: list[Retrieval]) -> Retrieval:
    """Return the mean of several, as of rankings in which ties fell otherwise."""
    return Retrieval(*(np.mean([getattr(one, field.name) for one in found], axis=0) for field in fields(Retrieval)))


def plain_mean(values: Values) -> float:
    """Return the mean over the queries that have an answer."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def macro_mean(values: Values, classes: Codes) -> float:
    """Return the mean over classes of the means within them, so that each class counts the same."""
    kept = np.isfinite(values)
    means = [values[kept & (classes == one)].mean() for one in np.unique(classes[kept])]
    return float(np.mean(means)) if means else float("nan")


def interval(values: Values, groups: Codes, repeats: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean, by drawing whole groups (samples) again.

    Differences of two recipes, query by query, give the interval of a paired comparison.
    """
    kept = np.isfinite(values)
    if not kept.any():
        return float("nan"), float("nan")
    _, group = np.unique(groups[kept], return_inverse=True)
    sums = np.bincount(group, weights=values[kept])
    counts = np.bincount(group)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(repeats, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def cluster_accuracy(features: NDArray[Any], classes: Codes, seed: int = 0) -> float:
    """Return the share of pictures in the right one of K k-means clusters, K classes, best of 50 starts by inertia.

    Clusters are given to classes so that most pictures are right; doi:10.1002/nav.3800020109.
    """
    from sklearn.cluster import KMeans

    k = len(np.unique(classes))
    found = KMeans(k, n_init=RESTARTS, random_state=seed).fit(np.asarray(features, np.float64)).labels_
    return matched_share(np.asarray(found, np.intp), classes)


def matched_share(clusters: Codes, classes: Codes) -> float:
    """Return the share of pictures that are right when clusters are given to classes as well as can be."""
    from scipy.optimize import linear_sum_assignment

    _, rows = np.unique(clusters, return_inverse=True)
    _, columns = np.unique(classes, return_inverse=True)
    together = np.zeros((rows.max() + 1, columns.max() + 1), int)
    np.add.at(together, (rows, columns), 1)
    best = linear_sum_assignment(together, maximize=True)
    return float(together[best].sum() / len(classes))


def trustworthiness(features: NDArray[Any], positions: NDArray[Any], k: int = 15) -> float:
    """Return how far neighbors on the map are neighbors among the features (cosine); doi:10.1007/3-540-44668-0_68."""
    from sklearn.manifold import trustworthiness as measured

    k = min(k, max(1, (len(features) - 1) // 2))
    return float(measured(features, positions, n_neighbors=k, metric="cosine"))
