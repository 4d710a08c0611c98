"""Micrographs that stand for what a property is about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_micromap.atlas import Atlas
from napari_micromap.questions.inquiry import Answer
from napari_micromap.questions.resembling import Pair, typical_of, unlike_in

SHOWN = 4


@dataclass(frozen=True)
class Group:
    """Rows of the atlas that are typical of some samples, the most typical first."""

    title: str
    rows: tuple[int, ...]


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
    groups = [(title, units.rows[chosen[units.sample_of]]) for title, chosen in sides if chosen.any()]
    return [Group(title, tuple(typical_of(atlas, rows, SHOWN).tolist())) for title, rows in groups]


def unlike_pairs(atlas: Atlas, answer: Answer) -> list[Pair]:
    """Find the most similar pairs with the most different property, across samples, each sample in one pair only."""
    if atlas.features is None or answer.units.categories or len(answer.units) < 4:
        return []
    return unlike_in(atlas, answer.units.rows, answer.property, SHOWN)
