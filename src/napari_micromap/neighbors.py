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
