"""Who is near whom, in feature space."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.compiling import keep_compiled
from napari_micromap.work import Progress, Work

# Distances are compared on a grid this fine, so that equal pictures tie in spite of rounding.
_STEPS = 1 << 26
_ROW_BITS = np.uint64(32)
_ROW_MASK = np.uint64(0xFFFFFFFF)
_NEVER = np.uint64(0xFFFFFFFFFFFFFFFF)
_BLOCK_BYTES = 64 << 20
EXACT_UP_TO = 20_000  # rows; beyond, comparing all with all takes too long
_FEW = 0.2  # of the rows: where no more than these joined, only they are searched for


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest others of each micrograph by cosine distance, nearest first, without itself.

    Parameters
    ----------
    rows : (n, k) int32
        Row numbers.
    distances : (n, k) float32
        1 − cosine, 0 to 2.
    """

    rows: NDArray[np.int32]
    distances: NDArray[np.float32]


# Finds neighbors of (n, p) features, k a row, as likely_neighbors does.
Search = Callable[[NDArray[np.float32], int], Work[Neighbors]]


def exact_neighbors(features: NDArray[np.float32], k: int, block: int | None = None) -> Work[Neighbors]:
    """Find the k nearest others of each row by comparing all with all, a block of rows at a time.

    Rows at the same distance come in the order of their number, and a row is never its own neighbor, not even among
    exact duplicates. A row of zeros is at distance 0 from other rows of zeros and at distance 1 from everything else.

    Parameters
    ----------
    features : (n, p) float32
        One row a micrograph.
    k : int
        Neighbors a row; n − 1 where that is less.
    block : int, optional
        Rows that are compared at a time; as many as need 64 MB if left out.
    """
    n = len(features)
    k = max(0, min(k, n - 1))
    rows, distances = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    directions = _directions(features)
    for part in _blocks(n, n, block):
        yield Progress("Comparing", part.start, n)
        rows[part], distances[part] = _exact(directions, np.arange(part.start, part.stop), k)
    return Neighbors(rows, distances)


def find_neighbors(features: NDArray[np.float32], k: int, likely: Search | None = None) -> Work[Neighbors]:
    """Find the k nearest others of each row: exactly, or nearly where there are more than 20,000 rows.

    Parameters
    ----------
    features : (n, p) float32
        One row a micrograph.
    k : int
        Neighbors a row.
    likely : Search, optional
        Runs :func:`likely_neighbors` elsewhere; here, and in one long step, if left out.
    """
    if len(features) <= EXACT_UP_TO:
        return (yield from exact_neighbors(features, k))
    if likely is not None:
        return (yield from likely(features, k))
    yield Progress("Comparing")
    return likely_neighbors(features, k)


def likely_neighbors(features: NDArray[np.float32], k: int) -> Neighbors:
    """Find nearly all of the k nearest others of each row, by pynndescent; how many is in ``benchmarks/README.md``.

    Holds the interpreter, and is compiled when first used, so beside a window it belongs into the layout process. The
    same rows always get the same neighbors, in the same order as :func:`exact_neighbors` has them.

    Parameters
    ----------
    features : (n, p) float32
        One row a micrograph.
    k : int
        Neighbors a row; far fewer than rows.

    References
    ----------
    Dong, W., Moses, C., Li, K. (2011). Efficient k-Nearest Neighbor Graph Construction for Generic Similarity Measures.
    DOI: 10.1145/1963405.1963487
    """
    n = len(features)
    rows, distances = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    directions = _directions(features)
    found = _descended(directions.astype(np.float32), k + 1)  # a row is mostly its own nearest
    for part in _blocks(n, (k + 1) * features.shape[1], None):
        others = found[part]
        keys = _packed(1.0 - np.einsum("np,nkp->nk", directions[part], directions[others]), others)
        keys[(others == np.arange(part.start, part.stop)[:, None]) | (others < 0)] = _NEVER
        rows[part], distances[part] = _nearest(keys, k)
    # Without direction, and where the descent got lost, which its authors do not rule out.
    rest = np.flatnonzero(~directions.any(axis=1) | (found < 0).any(axis=1))
    for part in _blocks(len(rest), n, None):
        rows[rest[part]], distances[rest[part]] = _exact(directions, rest[part], k)
    return Neighbors(rows, distances)


def grown_neighbors(
    neighbors: Neighbors, features: NDArray[np.float32], k: int, likely: Search | None = None
) -> Work[Neighbors]:
    """Find the k nearest others where rows have joined, and let the new ones be neighbors of the old ones, too.

    Costs new times all; where many joined, or lists would have to become longer, all is searched anew.

    Parameters
    ----------
    neighbors : Neighbors
        Of the first rows.
    features : (n, p) float32
        Of all rows, the new ones last.
    k : int
        Neighbors a row; n − 1 where that is less.
    likely : Search, optional
        As in :func:`find_neighbors`.
    """
    old, n = len(neighbors.rows), len(features)
    k = max(0, min(k, n - 1))
    if neighbors.rows.shape[1] != k or n - old > old * _FEW:
        return (yield from find_neighbors(features, k, likely))
    rows, distances = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    directions = _directions(features)
    for part in _blocks(n - old, n, None):
        yield Progress("Comparing", part.start, n)
        own = np.arange(part.start, part.stop) + old
        rows[own], distances[own] = _exact(directions, own, k)
    for part in _blocks(old, n - old, None):
        yield Progress("Comparing", part.start, n)
        new, away = _nearest(_keys(directions[part], directions[old:]), min(k, n - old))
        rows[part], distances[part] = _merged(
            (neighbors.rows[part], neighbors.distances[part]), (new + np.int32(old), away), k
        )
    return Neighbors(rows, distances)


def neighbors_within(neighbors: Neighbors, rows: NDArray[np.intp], k: int) -> Neighbors | None:
    """Return the k nearest of each of some rows among these rows, numbered by their place in ``rows``.

    None where one of them has too few of the others among its known neighbors, so that a search is needed.

    Parameters
    ----------
    neighbors : Neighbors
        Of all rows.
    rows : (m,) int
        In ascending order.
    k : int
        Neighbors a row; m − 1 where that is less.
    """
    k = max(0, min(k, len(rows) - 1))
    places = np.full(len(neighbors.rows), -1, np.int32)
    places[rows] = np.arange(len(rows), dtype=np.int32)
    found = places[neighbors.rows[rows]]
    if (np.count_nonzero(found >= 0, axis=1) < k).any():
        return None
    order = np.argsort(found < 0, axis=1, kind="stable")[:, :k]
    near = np.take_along_axis(neighbors.distances[rows], order, axis=1)
    return Neighbors(np.take_along_axis(found, order, axis=1), near)


def nearest_among(new: NDArray[np.float32], features: NDArray[np.float32], k: int) -> Neighbors:
    """Find for each of (m, p) new rows the k nearest of (n, p) features, by cosine distance."""
    k = max(0, min(k, len(features)))
    rows, distances = np.empty((len(new), k), np.int32), np.empty((len(new), k), np.float32)
    theirs, ours = _directions(new), _directions(features)
    for part in _blocks(len(new), len(features), None):
        rows[part], distances[part] = _nearest(_keys(theirs[part], ours), k)
    return Neighbors(rows, distances)


def _blocks(n: int, others: int, block: int | None) -> Iterator[slice]:
    step = block or max(1, _BLOCK_BYTES // (8 * max(others, 1)))
    for first in range(0, n, step):
        yield slice(first, min(first + step, n))


def _directions(features: NDArray[np.float32]) -> NDArray[np.float64]:
    # Double precision: in single precision equal rows differ by their place in the matrix product.
    wide = features.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    directions: NDArray[np.float64] = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)
    return directions


def _keys(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Pack distance (high bits) and row (low bits) into one number a pair, so that sorting also settles ties."""
    distances = some @ others.T
    np.subtract(1.0, distances, out=distances)
    no_direction = ~some.any(axis=1)
    if no_direction.any():
        distances[np.ix_(no_direction, ~others.any(axis=1))] = 0.0
    return _packed(distances, np.arange(len(others)))


def _packed(distances: NDArray[np.float64], rows: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Pack distances (high bits) and rows (low bits) into one number a pair; distances are lost."""
    np.clip(distances, 0.0, 2.0, out=distances)
    keys = np.rint(np.multiply(distances, _STEPS, out=distances), out=distances).astype(np.uint64)
    keys <<= _ROW_BITS
    keys |= rows.astype(np.uint64) & _ROW_MASK
    return keys


def _exact(
    directions: NDArray[np.float64], own: NDArray[np.intp], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k nearest others of some rows, by comparing them with all."""
    keys = _keys(directions[own], directions)
    keys[np.arange(len(own)), own] = _NEVER
    return _nearest(keys, k)


def _descended(directions: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Return (n, k) likely nearest rows, among them mostly the row itself; −1 where none was found."""
    keep_compiled("pynndescent.pynndescent_", "pynndescent.rp_trees", "pynndescent.utils", "pynndescent.distances")
    from pynndescent import NNDescent

    # Of unit length the order by Euclidean distance is that by angle, and opposites stay comparable. One thread: with
    # more, what is found depends on how many there are.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows that are lost; they are searched for exactly
        rows, _ = NNDescent(directions, metric="euclidean", n_neighbors=k, random_state=0, n_jobs=1).neighbor_graph
    found: NDArray[np.int32] = np.asarray(rows, np.int32)
    return found


def _nearest(keys: NDArray[np.uint64], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    if k < keys.shape[1]:
        keys.partition(max(k - 1, 0), axis=1)
    best = np.sort(keys[:, :k], axis=1)
    return (best & _ROW_MASK).astype(np.int32), ((best >> _ROW_BITS) / _STEPS).astype(np.float32)


def _merged(
    one: tuple[NDArray[np.int32], NDArray[np.float32]], other: tuple[NDArray[np.int32], NDArray[np.float32]], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k nearest of both, each once."""
    found = np.concatenate([one[0], other[0]], axis=1)
    away = np.concatenate([one[1], np.clip(other[1], 0.0, None)], axis=1)
    order = np.argsort(found, axis=1, kind="stable")  # of one that both have the first stays
    found, away = np.take_along_axis(found, order, axis=1), np.take_along_axis(away, order, axis=1)
    away[:, 1:][found[:, 1:] == found[:, :-1]] = np.inf
    order = np.argsort(away, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(away, order, axis=1)
