"""Who is near whom, in feature space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.work import Progress, Work

# Distances are compared on a grid this fine, so that equal pictures tie in spite of rounding.
_STEPS = 1 << 26
_ROW_BITS = np.uint64(32)
_ROW_MASK = np.uint64(0xFFFFFFFF)
_NEVER = np.uint64(0xFFFFFFFFFFFFFFFF)
_BLOCK_BYTES = 64 << 20
EXACT_UP_TO = 20_000  # rows; beyond, comparing all with all takes too long
_CANDIDATES = 42.0  # times √n: rows that a row of a larger collection is compared with, about
_ROUNDS = 6  # in which groups are found
_LEARNED = 50  # rows a group, from which it is found
_ASKED = 16  # nearest others whose nearest are looked at, too: who is near them is often near
_LOOKS = 2
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
        keys = _keys(directions[part], directions)
        keys[np.arange(len(keys)), np.arange(part.start, part.stop)] = _NEVER
        rows[part], distances[part] = _nearest(keys, k)
    return Neighbors(rows, distances)


def find_neighbors(features: NDArray[np.float32], k: int) -> Work[Neighbors]:
    """Find the k nearest others of each row: exactly, or among likely ones where there are more than 20,000 rows."""
    return (yield from (exact_neighbors if len(features) <= EXACT_UP_TO else likely_neighbors)(features, k))


def likely_neighbors(features: NDArray[np.float32], k: int, candidates: int = 0) -> Work[Neighbors]:
    """Find nearly all of the k nearest others of each row by comparing it with rows of its own and nearby groups.

    Groups are found by k-means of directions; then the neighbors of neighbors are looked at. A row is never its own
    neighbor. How many of the true ones are found is told by ``benchmarks/README.md``.

    Parameters
    ----------
    features : (n, p) float32
        One row a micrograph.
    k : int
        Neighbors a row.
    candidates : int
        Rows that each is compared with, about: more find more, and take longer; 0 takes 42 √n, so that large
        collections find as much as small ones do.

    References
    ----------
    Jégou, H., Douze, M., Schmid, C. (2011). Product Quantization for Nearest Neighbor Search.
    DOI: 10.1109/TPAMI.2010.57 (inverted lists).
    Dong, W., Moses, C., Li, K. (2011). Efficient k-Nearest Neighbor Graph Construction (neighbors of neighbors).
    DOI: 10.1145/1963405.1963487
    """
    n = len(features)
    k = max(0, min(k, n - 1))
    rows, distances = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    enough = max(candidates or round(_CANDIDATES * n**0.5), k + 1)
    directions = _directions(features).astype(np.float32)
    centers = yield from _group_centers(directions)
    group = _nearest_center(directions, centers)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group, minlength=len(centers)))[:-1])
    done = 0
    for center, own in zip(centers, members):
        if not len(own):
            continue
        others = _members_near(center, centers, members, enough)
        for part in _blocks(len(own), len(others), None):
            yield Progress("Comparing", done, n)
            found = _likely(directions, own[part], others, k)
            rows[own[part]], distances[own[part]] = found
            done += len(own[part])
    for _ in range(_LOOKS):
        yield from _look_around(directions, rows, distances)
    return Neighbors(rows, distances)


def grown_neighbors(neighbors: Neighbors, features: NDArray[np.float32], k: int) -> Work[Neighbors]:
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
    """
    old, n = len(neighbors.rows), len(features)
    k = max(0, min(k, n - 1))
    if neighbors.rows.shape[1] != k or n - old > old * _FEW:
        return (yield from find_neighbors(features, k))
    rows, distances = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    directions = _directions(features)
    for part in _blocks(n - old, n, None):
        yield Progress("Comparing", part.start, n)
        own = np.arange(part.start, part.stop) + old
        keys = _keys(directions[own], directions)
        keys[np.arange(len(own)), own] = _NEVER
        rows[own], distances[own] = _nearest(keys, k)
    for part in _blocks(old, n - old, None):
        yield Progress("Comparing", part.start, n)
        new, away = _nearest(_keys(directions[part], directions[old:]), min(k, n - old))
        rows[part], distances[part] = _merged(
            (neighbors.rows[part], neighbors.distances[part]), (new + np.int32(old), away), k
        )
    return Neighbors(rows, distances)


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
    np.clip(distances, 0.0, 2.0, out=distances)
    no_direction = ~some.any(axis=1)
    if no_direction.any():
        distances[np.ix_(no_direction, ~others.any(axis=1))] = 0.0
    keys = np.rint(np.multiply(distances, _STEPS, out=distances), out=distances).astype(np.uint64)
    keys <<= _ROW_BITS
    keys |= np.arange(len(others), dtype=np.uint64)
    return keys


def _nearest(keys: NDArray[np.uint64], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    if k < keys.shape[1]:
        keys.partition(max(k - 1, 0), axis=1)
    best = np.sort(keys[:, :k], axis=1)
    return (best & _ROW_MASK).astype(np.int32), ((best >> _ROW_BITS) / _STEPS).astype(np.float32)


def _group_centers(directions: NDArray[np.float32]) -> Work[NDArray[np.float32]]:
    """Return (g, p) directions of groups: k-means of some rows, as many groups as a group has rows."""
    random = np.random.default_rng(0)
    g = max(1, round(len(directions) ** 0.5))
    some = directions[random.choice(len(directions), min(len(directions), g * _LEARNED), replace=False)]
    centers: NDArray[np.float32] = some[:g].copy()
    for done in range(_ROUNDS):
        yield Progress("Comparing", 0, len(directions), f"groups, round {done + 1}")
        group = _nearest_center(some, centers)
        order = np.argsort(group, kind="stable")
        used, starts = np.unique(group[order], return_index=True)
        sums = np.add.reduceat(some[order], starts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        np.divide(sums, lengths, out=sums, where=lengths > 0)
        centers[used] = sums
    return centers


def _nearest_center(some: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.intp]:
    nearest = [np.argmax(some[part] @ centers.T, axis=1) for part in _blocks(len(some), len(centers), None)]
    return np.concatenate(nearest)


def _members_near(
    center: NDArray[np.float32], centers: NDArray[np.float32], members: list[NDArray[np.intp]], enough: int
) -> NDArray[np.intp]:
    """Return the sorted rows of the groups nearest to a center, until there are enough."""
    order = np.argsort(-(centers @ center), kind="stable")
    counts = np.cumsum([len(members[group]) for group in order])
    return np.sort(np.concatenate([members[group] for group in order[: int(np.searchsorted(counts, enough)) + 1]]))


def _likely(
    directions: NDArray[np.float32], own: NDArray[np.intp], others: NDArray[np.intp], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k nearest of the others, nearest first, those at the same distance in the order of their rows."""
    away = 1.0 - directions[own] @ directions[others].T
    away[np.arange(len(own)), np.searchsorted(others, own)] = np.inf  # a row is among its own group
    best = np.sort(np.argpartition(away, max(k - 1, 0), axis=1)[:, :k], axis=1)
    near = np.take_along_axis(away, best, axis=1)
    order = np.argsort(near, axis=1, kind="stable")
    found = np.clip(np.take_along_axis(near, order, axis=1), 0.0, 2.0)
    return others[np.take_along_axis(best, order, axis=1)].astype(np.int32), found.astype(np.float32)


def _look_around(
    directions: NDArray[np.float32], rows: NDArray[np.int32], distances: NDArray[np.float32]
) -> Work[None]:
    """Take over, in place, what is nearer among the nearest of each row's nearest."""
    n, k = rows.shape
    asked = min(_ASKED, k)
    before = rows[:, :asked].copy()
    for part in _blocks(n, asked * asked * directions.shape[1], None):
        yield Progress("Comparing", part.start, n, "looking closer")
        own = np.arange(part.start, part.stop)
        new = np.sort(before[before[part]].reshape(len(own), -1), axis=1)
        new[:, 1:][new[:, 1:] == new[:, :-1]] = -1  # the same one was found twice
        known = (new[:, :, None] == before[part][:, None, :]).any(axis=2)
        away = 1.0 - np.einsum("mcp,mp->mc", directions[new], directions[part], optimize=True)
        away[(new < 0) | (new == own[:, None]) | known] = np.inf
        if k < away.shape[1]:
            best = np.argpartition(away, k - 1, axis=1)[:, :k]
            new, away = np.take_along_axis(new, best, axis=1), np.take_along_axis(away, best, axis=1)
        rows[part], distances[part] = _merged((rows[part], distances[part]), (new, away), k)


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
