"""Micrographs that stand for what a property is about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.questions.inquiry import Answer

SHOWN = 4


@dataclass(frozen=True)
class Group:
    """Rows of the atlas that are typical of some samples, the most typical first."""

    title: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """Two alike micrographs of samples that differ in the property."""

    one: int
    other: int
    distance: float  # 1 − cosine of their features


def typical(atlas: Atlas, answer: Answer) -> list[Group]:
    """Choose the most typical micrographs of samples with low and with high values, or of the largest categories."""
    units, words = answer.units, answer.words
    if atlas.features is None:
        return []
    if units.categories:
        sizes = units.values.sum(axis=0)
        largest = np.argsort(-sizes, kind="stable")[:3]
        sides = [(f"Typical of “{units.categories[c]}”", units.values[:, c] >= 0.5) for c in largest]
    else:
        values = units.values[:, 0]
        low, high = np.quantile(values, [0.25, 0.75])
        sides = [
            (f"Typical of low {words.quantity} (up to {words.amount(float(low))})", values <= low),
            (f"Typical of high {words.quantity} ({words.amount(float(high))} and more)", values >= high),
        ]
    return [Group(title, _nearest_to_middle(atlas, answer, chosen)) for title, chosen in sides if chosen.any()]


def _nearest_to_middle(atlas: Atlas, answer: Answer, samples: NDArray[np.bool_]) -> tuple[int, ...]:
    """One micrograph a sample, those nearest to the mean of the sample means."""
    assert atlas.features is not None
    units = answer.units
    features = atlas.features[units.rows].astype(np.float64)
    middle = units.means(features)[samples].mean(axis=0)
    away = np.linalg.norm(features - middle, axis=1)
    best = []
    for sample in np.flatnonzero(samples):
        members = np.flatnonzero(units.sample_of == sample)
        nearest = members[np.argmin(away[members])]
        best.append((float(away[nearest]), int(units.rows[nearest])))
    return tuple(row for _, row in sorted(best)[:SHOWN])


def unlike_pairs(atlas: Atlas, answer: Answer) -> list[Pair]:
    """Find the most similar pairs with the most different property, across samples, each sample in one pair only."""
    units = answer.units
    if atlas.features is None or units.categories or len(units) < 4:
        return []
    features = atlas.features[units.rows].astype(np.float64)
    chosen = np.arange(len(features)) if len(features) <= 3000 else np.random.default_rng(0).permutation(3000)
    distance = 1.0 - features[chosen] @ features[chosen].T
    sample = units.sample_of[chosen]
    one, other = np.nonzero(np.triu(sample[:, None] != sample, 1))
    near = distance[one, other]
    closest = np.flatnonzero(near <= np.quantile(near, 0.03)) if len(near) > 100 else np.argsort(near)[:10]
    values = units.values[sample, 0]
    gap = np.abs(values[one] - values[other])
    pairs: list[Pair] = []
    used: set[int] = set()
    for i in closest[np.argsort(-gap[closest], kind="stable")]:
        both = {int(sample[one[i]]), int(sample[other[i]])}
        if not both & used and gap[i] > 0:
            used |= both
            rows = units.rows[chosen[[one[i], other[i]]]]
            pairs.append(Pair(int(rows[0]), int(rows[1]), float(near[i])))
        if len(pairs) == SHOWN:
            break
    return pairs
