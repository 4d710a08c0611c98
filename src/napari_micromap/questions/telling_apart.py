"""How surely two groups are told apart by what their pictures show, sample by sample, as work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import Answer, ask
from napari_micromap.questions.locating import why_not_for
from napari_micromap.statistics.verdict import number
from napari_micromap.wording import counted
from napari_micromap.work import Work

COLUMN = "in the first group"  # 1 in A, 0 in B; nothing where an image is in both, or in none


@dataclass(frozen=True, eq=False)
class Apart:
    """Two groups, and whether pictures of samples that were left out tell them apart.

    Parameters
    ----------
    a, b : str
        How the groups are called.
    answer : Answer
        The primary test of the tab *Property*, of which group an image is in.
    sentence : str
        How surely they are told apart, and what that does not mean.
    reason : str or None
        Why no place in a picture can be shown; None if one can.
    """

    a: str
    b: str
    answer: Answer
    sentence: str
    reason: str | None


def tell_apart(atlas: Atlas, a: tuple[str, Rows], b: tuple[str, Rows]) -> Work[Apart]:
    """Ask whether what images show tells two groups apart, samples left out in turn.

    Parameters
    ----------
    a, b : name and rows
        Images in both groups take no part; a sample in both counts by its share of images.

    Raises
    ------
    Problem
        If a group has no image of its own, or if there is no map or no sample column.
    """
    first, second = np.setdiff1d(a[1], b[1]), np.setdiff1d(b[1], a[1])
    for name, rows in ((a[0], first), (b[0], second)):
        if not len(rows):
            raise Problem(f"All images in {name} are in the other group too; choose two that differ.")
    inside = np.full(len(atlas), np.nan)
    inside[first], inside[second] = 1.0, 0.0
    asked = atlas.with_columns(atlas.columns.assign(**{COLUMN: inside}), {COLUMN: "other"})
    answer = yield from ask(asked, COLUMN, scope=np.union1d(first, second))
    reason = why_not_for(atlas, answer, "tells them apart")
    sentence = _sentence(answer, a[0], b[0])
    if reason is None:
        sentence += (
            " Groups that were drawn on a map of these same images are told apart by construction: this describes, it "
            "tests nothing."
        )
    return Apart(a[0], b[0], answer, sentence, reason)


def _sentence(answer: Answer, a: str, b: str) -> str:
    """Say how many samples are recognized by images of the others."""
    evidence, words, shares = answer.evidence, answer.words, answer.units.values[:, 0]
    if not evidence.testable or not np.isfinite(evidence.predicted).all():
        return f"{counted(evidence.samples, words.sample)}, {counted(evidence.micrographs, 'image')}."
    predicted = evidence.predicted[:, 0] > evidence.values[:, 0].mean()
    right = [(int((predicted[side] == is_a).sum()), int(side.sum()))
             for side, is_a in ((shares > 0.5, True), (shares < 0.5, False))]  # fmt: skip
    said = " and ".join(f"{hits} of {of} in {name}" for (hits, of), name in zip(right, (a, b)))
    return (
        f"By images of other {words.samples}, {said} are recognized (held-out Q² {number(evidence.q2)}, chance up to "
        f"{number(evidence.q2_chance_95)})."
    )
