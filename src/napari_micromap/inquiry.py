"""Questions about a property, answered as work."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem
from napari_micromap.statistics.batches import NewBatch, to_new_batch
from napari_micromap.statistics.confounders import Suspect, suspect
from napari_micromap.statistics.evidence import Evidence, StructureTest
from napari_micromap.statistics.nuisance import NuisanceColumn, nuisance_of
from napari_micromap.statistics.units import Units, units_of
from napari_micromap.statistics.verdict import Verdict, Words, verdict_of
from napari_micromap.work import Progress, Work

T = TypeVar("T")

LOGARITHMIC = ("um_per_px", "magnification")  # they act by their ratio
_UNIT = re.compile(r"^(?P<quantity>.*?)\s*[(\[](?P<unit>[^()\[\]]*)[)\]]\s*$")


@dataclass(frozen=True, eq=False)
class Answer:
    """What the micrographs say of one property.

    Parameters
    ----------
    property : str
        The column that was asked about.
    evidence : Evidence
        The primary test.
    adjusted : Evidence or None
        The same, adjusted for the acquisition columns in ``adjusted.adjusted_for``.
    within_batches : Evidence or None
        The same, permuted and centered within batches.
    new_batch : NewBatch or None
        Predictions for batches that were left out.
    not_done : sentences that say what could not be asked, and why
    """

    property: str
    units: Units
    words: Words
    verdict: Verdict
    evidence: Evidence
    adjusted: Evidence | None
    within_batches: Evidence | None
    new_batch: NewBatch | None
    suspects: tuple[Suspect, ...]
    not_done: tuple[str, ...] = ()


def ask(
    atlas: Atlas,
    name: str,
    *,
    scope: Rows | None = None,
    adjust: Sequence[str] | None = None,
    batch: str | None = None,
    permutations: int = 9_999,
    seed: int = 0,
    tests_so_far: int = 1,
) -> Work[Answer]:
    """Ask whether a property goes along with the structure.

    Parameters
    ----------
    atlas : Atlas
        With embeddings and a sample column.
    name : str
        The property's column.
    scope : rows, optional
        Only these take part.
    adjust : names of columns, optional
        Acquisition columns to ask about; those with the role "imaging" if left out.
    batch : str, optional
        Column of samples made or imaged together; the one with the role "batch" if left out.

    Raises
    ------
    Problem
        If there are no embeddings, no samples, or no such column.
    """
    embeddings, units = _units(atlas, name, scope)
    test = StructureTest(permutations, seed)
    plain = nuisance_of(units)
    yield Progress("Testing", 0, 4, note=name)
    evidence = test(embeddings, units, plain)
    not_done: list[str] = []
    columns = [_column(atlas, units, c) for c in (adjust if adjust is not None else _with_role(atlas, "imaging"))]
    columns = [c for c in columns if len({str(v) for v in c.values}) > 1]
    suspects: tuple[Suspect, ...] = ()
    adjusted = within = new = None
    if evidence.testable:
        yield Progress("Testing", 1, 4, note="how the pictures were taken")
        suspects = tuple(suspect(embeddings, units, column, seed=seed) for column in columns)
        yield Progress("Testing", 2, 4, note="adjusted for that")
        guilty = [c for c, s in zip(columns, suspects) if s.confounds or adjust is not None]
        adjusted = (
            _tried(lambda: test.only_p(embeddings, units, nuisance_of(units, guilty)), not_done) if guilty else None
        )
        yield Progress("Testing", 3, 4, note="batches")
        batch = batch or next(iter(_with_role(atlas, "batch")), None)
        if batch is not None:
            labels = np.array([str(v) for v in atlas.columns[batch].iloc[units.rows]], object)
            blocked = _tried(lambda: nuisance_of(units, batch=labels, batch_name=batch or ""), not_done)
            if blocked is not None:
                within = test.only_p(embeddings, units, blocked)
                new = to_new_batch(embeddings, units, blocked.batch_of, seed=seed)
    words = words_for(name, atlas.sample_column)
    verdict = verdict_of(
        evidence, words, adjusted=adjusted, suspects=suspects, categories=len(units.categories),
        per_image=units.varies_within, tests_so_far=tests_so_far,
    )  # fmt: skip
    return Answer(name, units, words, verdict, evidence, adjusted, within, new, suspects, tuple(not_done))


def words_for(column: str, sample_column: str | None) -> Words:
    """Take quantity and unit from a column's name, and the word for samples from theirs."""
    matched = _UNIT.match(column)
    quantity, unit = (matched["quantity"], matched["unit"]) if matched else (column, "")
    plain = sample_column is not None and sample_column.isalpha() and sample_column.islower()
    sample = sample_column if plain and sample_column not in ("folder", "name", "id") else "sample"
    assert sample is not None
    return Words(quantity, unit, sample, sample if sample.endswith("s") else f"{sample}s")


def _units(atlas: Atlas, name: str, scope: Rows | None) -> tuple[NDArray[Any], Units]:
    if atlas.embeddings is None:
        raise Problem("Make the map first; the test uses what the map is made from.")
    if atlas.samples is None:
        raise Problem("Say which column names the sample first: a property belongs to a sample, not to an image.")
    if name not in atlas.columns:
        raise Problem(f"There is no column “{name}”; there are: {', '.join(map(str, atlas.columns))}.")
    usable = np.ones(len(atlas), bool)
    if scope is not None:
        usable[:] = False
        usable[scope] = True
    units = units_of(atlas.columns[name].to_numpy(object), atlas.samples.to_numpy(object), usable)
    return np.asarray(atlas.embeddings[units.rows]), units


def _column(atlas: Atlas, units: Units, name: str) -> NuisanceColumn:
    if name not in atlas.columns:
        raise Problem(f"There is no column “{name}” to adjust for.")
    values = atlas.columns[name].iloc[units.rows].to_numpy(object)
    if any(isinstance(v, str) for v in values):
        values = np.array(["missing" if v is None or v != v else str(v) for v in values], object)
    return NuisanceColumn(name, values, name in LOGARITHMIC)


def _with_role(atlas: Atlas, role: str) -> list[str]:
    return [name for name, given in atlas.roles.items() if given == role and name in atlas.columns]


def _tried(question: Callable[[], T], not_done: list[str]) -> T | None:
    """Ask, and note the sentence where it cannot be asked."""
    try:
        return question()
    except Problem as problem:
        not_done.append(str(problem))
        return None
