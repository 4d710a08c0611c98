"""Questions about a property, answered as work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem
from napari_micromap.statistics.batches import NewBatch, to_new_batch
from napari_micromap.statistics.confounders import MOST_SETTINGS, Suspect, suspect
from napari_micromap.statistics.evidence import Evidence, StructureTest
from napari_micromap.statistics.nuisance import Nuisance, NuisanceColumn, nuisance_of
from napari_micromap.statistics.predictions import predicted_by_others
from napari_micromap.statistics.units import Units, units_of
from napari_micromap.statistics.verdict import Asked, Verdict, Words, verdict_of
from napari_micromap.wording import quantity_of, sample_noun, spoken_column
from napari_micromap.work import Progress, Work

T = TypeVar("T")

WHOLE = "micrograph"  # column: which micrograph a window was cut from
BAR = "bar_rows"  # column: how many rows of a data bar were cropped
LOGARITHMIC = ("um_per_px", "nm_per_px", "magnification")  # they act by their ratio
# Of the file, not of the specimen.
OF_A_FILE = ("file", "width", "height", "dtype", "bar_rows", "bar_side", "bar_from", "scale_from", "annotation")
ERROR_WORDS = ("error", "err", "sd", "std", "±", "uncertainty")
_STEPS = 6


@dataclass(frozen=True, eq=False)
class Answer:
    """What the micrographs say of one property.

    Parameters
    ----------
    property : str
        The column that was asked about.
    evidence : Evidence
        The primary test; permuted and centered within batches where there are batches that allow it.
    adjusted : Evidence or None
        The same, adjusted for the acquisition columns in ``adjusted.adjusted_for``.
    within_batches : Evidence or None
        The primary test again, if it is within batches.
    ignoring_batches : Evidence or None
        The test that ignores batches, where the primary one does not.
    new_batch : NewBatch or None
        Predictions for batches that were left out.
    beyond_processing : Evidence or None
        What structure adds to the processing columns: those may act through it, so this is a row of its own.
    predicted : (n,) float
        Of ``units.rows``, each micrograph's own sample left out; empty for categories.
    not_done : sentences that say what could not be asked, and why
    """

    property: str
    units: Units
    words: Words
    verdict: Verdict
    evidence: Evidence
    adjusted: Evidence | None
    within_batches: Evidence | None
    ignoring_batches: Evidence | None
    new_batch: NewBatch | None
    beyond_processing: Evidence | None
    suspects: tuple[Suspect, ...]
    predicted: NDArray[np.float64]
    batch: str = ""
    not_done: tuple[str, ...] = ()
    tests_so_far: int = 1
    asked_to_adjust: tuple[str, ...] | None = None  # columns that the user named, to be adjusted for come what may
    nuisance: Nuisance | None = None  # what the primary test takes out: batches, if any
    family_p: float | None = None  # over all properties tested on these samples, under shared permutations


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
        Acquisition columns to adjust for, come what may; those with the role "imaging" are asked, and adjusted for
        where they may account for the finding, if left out.
    batch : str, optional
        Column of samples made or imaged together; the one with the role "batch" if left out, "" for none.

    Raises
    ------
    Problem
        If there are no embeddings, no samples, or no such column.
    """
    embeddings, units = tested(atlas, name, scope)
    test, words = StructureTest(permutations, seed), words_for(name, atlas)
    yield Progress("Testing", 0, _STEPS, note=words.quantity)
    not_done: list[str] = []
    batch = batch_column(atlas, name, batch)
    labels = batch_labels(atlas, units, batch)
    asked = _primary(test, embeddings, units, batch, labels, not_done)
    evidence = asked.evidence
    asked = replace(asked, required=adjust is not None, tests_so_far=tests_so_far)
    beyond = None
    if evidence.testable:
        yield Progress("Testing", 1, _STEPS, note="how the images were taken")
        columns = _columns(atlas, units, adjust, "imaging", {name})
        asked = _suspected(asked, embeddings, units, columns, labels, seed)
        yield Progress("Testing", 2, _STEPS, note="adjusted for that")
        asked = _adjusted(asked, embeddings, units, columns, labels, test, not_done)
        yield Progress("Testing", 3, _STEPS, note="batches")
        if labels is not None and (of_sample := _one_a_sample(units, labels)) is not None:
            asked = replace(asked, new_batch=to_new_batch(embeddings, units, of_sample, seed=seed))
        yield Progress("Testing", 4, _STEPS, note="processing")
        beyond = _beyond_processing(atlas, units, embeddings, test, name, not_done)
    yield Progress("Testing", 5, _STEPS, note="each micrograph")
    predicted = np.empty(0) if units.categories else predicted_by_others(embeddings, units)
    return Answer(
        name, units, words, verdict_of(asked, words), evidence, asked.adjusted, evidence if asked.within else None,
        asked.ignoring, asked.new_batch, beyond, tuple(asked.suspects), predicted, batch, tuple(not_done), tests_so_far,
        None if adjust is None else tuple(adjust), blocked(units, labels, batch) if asked.within else None,
    )  # fmt: skip


def _suspected(
    asked: Asked, embeddings: NDArray[Any], units: Units, columns: Sequence[NuisanceColumn],
    labels: NDArray[Any] | None, seed: int,
) -> Asked:  # fmt: skip
    """Ask which acquisition columns, and whether the batches, could account for a finding."""
    batches = [] if labels is None else [NuisanceColumn(asked.batch, labels)]
    return replace(asked, suspects=tuple(suspect(embeddings, units, c, seed=seed) for c in [*columns, *batches]))


def _adjusted(
    asked: Asked, embeddings: NDArray[Any], units: Units, columns: Sequence[NuisanceColumn],
    labels: NDArray[Any] | None, test: StructureTest, not_done: list[str],
) -> Asked:  # fmt: skip
    """Test again, adjusted for what could account for the finding, or for what the user named."""
    names = {s.name for s in asked.guilty}
    taken = [c for c in columns if asked.required or c.name in names]
    if not taken and not names:
        return asked
    ours = labels if asked.within or asked.batch in names else None
    adjusted = _tried(lambda: test.only_p(embeddings, units, nuisance_of(units, taken, ours, asked.batch)), not_done)
    return replace(asked, adjusted=adjusted)


def with_predictions(atlas: Atlas, answer: Answer) -> Atlas:
    """Add what the structure predicts for each micrograph, and what of the property it does not account for."""
    if not len(answer.predicted) or not answer.evidence.testable:
        return atlas
    measured = pd.to_numeric(atlas.columns[answer.property], errors="coerce").to_numpy(float, na_value=np.nan)
    predicted, left = np.full(len(atlas), np.nan), np.full(len(atlas), np.nan)
    predicted[answer.units.rows] = answer.predicted
    left[answer.units.rows] = measured[answer.units.rows] - answer.predicted
    return with_derived(atlas, dict(zip(_predictions_of(answer.property), (predicted, left))))


def predictions_in(atlas: Atlas) -> set[str]:
    """Return the columns of predictions that were made here: what was measured is in them already."""
    return {name for column in map(str, atlas.columns) for name in _predictions_of(column)} - atlas.tables.keys()


def _predictions_of(property: str) -> tuple[str, str]:
    quantity, unit = quantity_of(property)
    behind = f" ({unit})" if unit else ""
    return f"{quantity} predicted{behind}", f"{quantity} not accounted for{behind}"


def with_derived(atlas: Atlas, new: dict[str, NDArray[np.float64]]) -> Atlas:
    """Add computed columns, in place of those of the same name."""
    columns = atlas.columns.drop(columns=[name for name in new if name in atlas.columns])
    columns = pd.concat([columns, pd.DataFrame(new, index=columns.index)], axis=1)
    return atlas.with_columns(columns, dict.fromkeys(new, "other"))


def measuring_errors(atlas: Atlas, answer: Answer) -> NDArray[np.float64] | None:
    """Return (S,) errors of measuring, where the table has a column of them: "Jc error", "Jc_sd", "Jc ± (MA/cm²)"."""
    wanted = {f"{answer.property} {word}" for word in ERROR_WORDS} | {
        f"{answer.property}_{word}" for word in ERROR_WORDS
    }
    wanted |= {f"{answer.words.quantity}{gap}{word}" for word in ERROR_WORDS for gap in (" ", "_")}
    found = next((c for c in map(str, atlas.columns) if c in wanted or quantity_of(c)[0] in wanted), None)
    if found is None:
        return None
    values = pd.to_numeric(atlas.columns[found], errors="coerce").to_numpy(float, na_value=np.nan)
    return np.abs(np.nan_to_num(answer.units.means(values[answer.units.rows][:, None])[:, 0]))


def words_for(column: str, atlas: Atlas) -> Words:
    """Take quantity and unit from a column's name, and the word for samples from theirs."""
    quantity, unit = quantity_of(column)
    sample = "micrograph" if atlas.samples is None and WHOLE in atlas.columns else sample_noun(atlas)
    return Words(quantity, unit, sample, f"{sample}s")


def askable_columns(atlas: Atlas) -> list[str]:
    """Return the columns that can be asked about: properties first, then what else varies between samples."""

    def asks(name: str, role: str) -> bool:
        return atlas.roles.get(name) == role and name not in OF_A_FILE and atlas.columns[name].nunique() > 1

    return [n for role in ("property", "processing", "other") for n in map(str, atlas.columns) if asks(n, role)]


def batch_column(atlas: Atlas, name: str, batch: str | None = None) -> str:
    """Return the column of batches: the named one, else the one with that role; "" for none."""
    if batch and batch not in atlas.columns:
        raise Problem(f"There is no column “{batch}”; there are: {', '.join(map(str, atlas.columns))}.")
    found = next(iter(_with_role(atlas, "batch")), "") if batch is None else batch
    return "" if found == name else found


def batch_labels(atlas: Atlas, units: Units, batch: str) -> NDArray[Any] | None:
    """Return each micrograph's batch; None where there is but one."""
    if not batch:
        return None
    values = atlas.columns[batch].iloc[units.rows]
    labels = np.array(["missing" if v is None or v != v else str(v) for v in values], object)
    return labels if len(set(labels)) > 1 else None


def _primary(
    test: StructureTest, embeddings: NDArray[Any], units: Units, batch: str, labels: NDArray[Any] | None,
    not_done: list[str],
) -> Asked:  # fmt: skip
    """Do the primary test: within batches where they allow it, and then also without regard to them."""
    ignoring = test.only_p(embeddings, units, nuisance_of(units))
    asked = Asked(ignoring, batch=batch, categories=len(units.categories), per_image=units.varies_within)
    batches = None
    if labels is not None:
        batches = _tried(lambda: blocked(units, labels, batch), not_done)
    if batches is not None:
        within = test(embeddings, units, batches)
        if within.testable:
            return replace(asked, evidence=within, within=True, ignoring=asked.evidence)
        not_done.append(f"There are too few samples to test within each {spoken_column(batch)}.")
    return replace(asked, evidence=test(embeddings, units))


def blocked(units: Units, labels: NDArray[Any] | None, batch: str) -> Nuisance:
    """Return what is taken out so that a test is within batches.

    Raises
    ------
    Problem
        If a sample lies in two batches, or if there are too many of them.
    """
    return nuisance_of(units, batch=labels, batch_name=batch)


def _one_a_sample(units: Units, labels: NDArray[Any]) -> NDArray[np.intp] | None:
    _, codes = np.unique([str(v) for v in labels], return_inverse=True)
    of_sample = codes[units.starts]
    return None if np.any(codes != of_sample[units.sample_of]) else of_sample.astype(np.intp)


def _beyond_processing(
    atlas: Atlas, units: Units, embeddings: NDArray[Any], test: StructureTest, name: str, not_done: list[str]
) -> Evidence | None:
    columns = _columns(atlas, units, None, "processing", {name})
    if not columns:
        return None
    return _tried(lambda: test.only_p(embeddings, units, nuisance_of(units, columns)), not_done)


def _columns(atlas: Atlas, units: Units, named: Sequence[str] | None, role: str, but: set[str]) -> list[NuisanceColumn]:
    """Return the named columns, or those of a role, that differ among the test's micrographs."""
    names = named if named is not None else [c for c in _with_role(atlas, role) if c not in but]
    kept: list[NuisanceColumn] = []
    # what the microscope says may be the property in other words; what was measured and goes with it exactly is suspect
    itself = named is None and (role != "imaging" or any(atlas.roles.get(one) == "imaging" for one in but))
    seen = [_numbers(units.values[units.sample_of, 0].astype(object))] if itself else []
    wanted = [_column(atlas, units, name) for name in names]
    if named is None and role == "imaging" and BAR in atlas.columns and BAR not in but | set(names):
        wanted.append(_column(atlas, units, BAR))
    for column in wanted:
        numbers = _numbers(column.values)
        if len(set(numbers[np.isfinite(numbers)])) > 1 and not any(_says_the_same(numbers, other) for other in seen):
            kept.append(column)
            seen += [numbers] if named is None else []
    return kept


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return (n,) numbers, NaN where missing; texts are numbered."""
    if any(isinstance(v, str) for v in values):
        return np.unique([str(v) for v in values], return_inverse=True)[1].astype(np.float64)
    return np.array([np.nan if v is None else float(v) for v in values], np.float64)


def _says_the_same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Say whether two columns rank the images alike, such as pixel size and magnification."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 3:
        return False
    ranks = [np.searchsorted(np.sort(v[both]), v[both]) + np.searchsorted(np.sort(v[both]), v[both], "right")
             for v in (one, other)]  # fmt: skip
    if min(float(np.std(r)) for r in ranks) == 0:
        return False
    return bool(abs(np.corrcoef(ranks[0], ranks[1])[0, 1]) > 0.98)


def samples_of(atlas: Atlas) -> pd.Series[Any] | None:
    """Return the sample of each row; windows of micrographs without a sample count by micrograph, not by window."""
    if atlas.windows is None and atlas.samples is None and WHOLE in atlas.columns:
        return atlas.columns[WHOLE]
    return atlas.independent


def tested(atlas: Atlas, name: str, scope: Rows | None) -> tuple[NDArray[Any], Units]:
    """Return the embeddings and the units that take part in a test of a property.

    Raises
    ------
    Problem
        If there are no embeddings, no samples, or no such column.
    """
    samples = samples_of(atlas)
    if atlas.embeddings is None:
        raise Problem("Make the map first; the test uses what the map is made from.")
    if samples is None:
        raise Problem("Say which column names the sample first: a property belongs to a sample, not to an image.")
    if name not in atlas.columns:
        raise Problem(f"There is no column “{name}”; there are: {', '.join(map(str, atlas.columns))}.")
    usable = np.ones(len(atlas), bool)
    if scope is not None:
        usable[:] = False
        usable[scope] = True
    units = units_of(atlas.columns[name].to_numpy(object), samples.to_numpy(object), usable)
    return np.asarray(atlas.embeddings[units.rows]), units


def _column(atlas: Atlas, units: Units, name: str) -> NuisanceColumn:
    if name not in atlas.columns:
        raise Problem(f"There is no column “{name}” to adjust for.")
    column = atlas.columns[name].iloc[units.rows]
    if name == BAR:
        cropped = np.where(pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=0.0) > 0, "cropped", "none")
        return NuisanceColumn(name, cropped.astype(object), readable=False)
    if name == "date" and (days := _days(column)) is not None:
        return NuisanceColumn(name, days, readable=False)
    values = column.to_numpy(object)
    if any(isinstance(v, str) for v in values):
        values = np.array(["missing" if v is None or v != v else str(v) for v in values], object)
    return NuisanceColumn(name, values, name in LOGARITHMIC and not any(isinstance(v, str) for v in values))


def _days(column: pd.Series[Any]) -> NDArray[Any] | None:
    """Return the days of dates, each a setting where there are few, else counted from the first; None if no dates."""
    dates = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
    if dates.isna().all() or (dates.isna() & column.notna()).any():
        return None
    days = dates.dt.floor("D")
    if days.nunique() <= MOST_SETTINGS:
        return days.dt.strftime("%Y-%m-%d").fillna("missing").to_numpy(object)
    return np.asarray((days - days.min()) / pd.Timedelta(days=1), object)


def _with_role(atlas: Atlas, role: str) -> list[str]:
    return [name for name, given in atlas.roles.items() if given == role and name in atlas.columns]


def _tried(question: Callable[[], T], not_done: list[str]) -> T | None:
    """Ask, and note the sentence where it cannot be asked."""
    try:
        return question()
    except Problem as problem:
        not_done.append(str(problem))
        return None
