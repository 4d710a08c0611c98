"""Seeded reshuffles of samples, within batches."""

from __future__ import annotations

from collections import Counter
from itertools import permutations as orders_of
from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

ENUMERATE_BELOW = 10_000


def distinct_arrangements(values: NDArray[np.float64], batch_of: NDArray[np.intp]) -> int:
    """Count in how many different ways (S, c) values can lie on the samples, within batches."""
    count = 1
    for batch in np.unique(batch_of):
        rows = [tuple(row) for row in values[batch_of == batch]]
        count *= factorial(len(rows))
        for ties in Counter(rows).values():
            count //= factorial(ties)
    return count


def arrangements(values: NDArray[np.float64], batch_of: NDArray[np.intp], most: int, seed: int) -> NDArray[np.intp]:
    """Return (P + 1, S) orders of the samples, the identity first.

    All distinct ones where there are fewer than :data:`ENUMERATE_BELOW`, else ``most`` drawn at random.
    """
    samples = len(values)
    if distinct_arrangements(values, batch_of) < ENUMERATE_BELOW:
        return _all(values, batch_of)
    rng = np.random.default_rng(seed)
    orders = np.empty((most + 1, samples), np.intp)
    orders[0] = np.arange(samples)
    for batch in np.unique(batch_of):
        members = np.flatnonzero(batch_of == batch)
        drawn = np.argsort(rng.random((most, len(members))), axis=1)
        orders[1:, members] = members[drawn]
    return orders


def _all(values: NDArray[np.float64], batch_of: NDArray[np.intp]) -> NDArray[np.intp]:
    per_batch = []
    for batch in np.unique(batch_of):
        members = np.flatnonzero(batch_of == batch)
        per_batch.append((members, _distinct_orders([tuple(row) for row in values[members]])))
    orders = np.empty((int(np.prod([len(found) for _, found in per_batch])), len(values)), np.intp)
    for row, combination in enumerate(product(*(found for _, found in per_batch))):
        for (members, _), order in zip(per_batch, combination):
            orders[row, members] = members[list(order)]
    return orders


def _distinct_orders(rows: list[tuple[float, ...]]) -> list[tuple[int, ...]]:
    """Orders of equal rows that differ in what they show; the identity comes first."""
    remaining = Counter(rows)
    where = {row: [i for i, other in enumerate(rows) if other == row] for row in remaining}
    if len(remaining) == len(rows):
        return list(orders_of(range(len(rows))))
    found: list[tuple[int, ...]] = []

    def extend(prefix: list[tuple[float, ...]]) -> None:
        if len(prefix) == len(rows):
            used = {row: iter(places) for row, places in where.items()}
            found.append(tuple(next(used[row]) for row in prefix))
            return
        # the row that stands here already first, so that the identity comes first
        here = rows[len(prefix)]
        for row in sorted(remaining, key=lambda row: row != here):
            if remaining[row]:
                remaining[row] -= 1
                extend([*prefix, row])
                remaining[row] += 1

    extend([])
    return found
