"""Results of the tests, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from napari_micromap.statistics.confounders import Suspect
from napari_micromap.statistics.evidence import FEWEST_SAMPLES, Evidence

Kind: TypeAlias = Literal["real", "confounded", "nuisance", "too_few", "none", "one_sample", "per_image"]


@dataclass(frozen=True)
class Words:
    """How the property and the samples are called.

    Parameters
    ----------
    quantity : str
        "Jc".
    unit : str
        "MA/cm²", or "".
    sample, samples : str
        "film", "films".
    """

    quantity: str
    unit: str = ""
    sample: str = "sample"
    samples: str = "samples"

    def amount(self, value: float) -> str:
        """Say a value with its unit, to two digits."""
        return f"{value:.2g}{f' {self.unit}' if self.unit else ''}"


@dataclass(frozen=True)
class Verdict:
    """What the test says: its kind, the sentence that stands first, and the line of details."""

    kind: Kind
    sentence: str
    details: str


def verdict_of(
    evidence: Evidence,
    words: Words,
    *,
    adjusted: Evidence | None = None,
    suspects: Sequence[Suspect] = (),
    categories: int = 0,
    per_image: bool = False,
    tests_so_far: int = 1,
) -> Verdict:
    """Choose the words; an association is never called an explanation.

    Parameters
    ----------
    evidence : Evidence
        The primary test, not adjusted.
    adjusted : Evidence, optional
        The same, adjusted for the suspects.
    suspects : Suspect
        Acquisition columns that were asked.
    categories : int
        Number of categories, 0 for a number.
    per_image : bool
        Whether the property varies within samples.
    tests_so_far : int
        How many tests the user has made on these samples, this one included.
    """
    details = details_of(evidence, words, adjusted, tests_so_far)
    guilty = [s.name for s in suspects if s.confounds]
    known = [s.name for s in suspects if s.known_to_map and not s.confounds]
    found = evidence.p is not None and evidence.p <= 0.05
    holds = adjusted is not None and adjusted.p is not None and adjusted.p <= 0.05
    if evidence.p is None:
        return Verdict("too_few", _too_few(evidence, words), details)
    if per_image:
        return Verdict("per_image", _per_image(evidence, words, found), details)
    if found and guilty and not holds:
        return Verdict("confounded", _confounded(words, guilty), details)
    if found and evidence.rests_on:
        return Verdict("one_sample", _one_sample(evidence, words), details)
    if found:
        return Verdict("real", _real(evidence, words, adjusted, categories, known), details)
    if known:
        return Verdict("nuisance", _nuisance(words, known) + " " + _none(evidence, words), details)
    return Verdict("none", _none(evidence, words), details)


def details_of(evidence: Evidence, words: Words, adjusted: Evidence | None, tests_so_far: int) -> str:
    """Write the line behind *Details*: counts, p, Q², adjustment, what this set could have found."""
    parts = [f"{_counts(evidence, words)}:"]
    if evidence.p is None:
        parts.append(f"too few {words.samples} ({evidence.samples}; {FEWEST_SAMPLES} needed).")
        return " ".join(parts)
    finding = "structure goes with" if evidence.p <= 0.05 else "no evidence that structure goes with"
    parts.append(f"{finding} {words.quantity}, p = {_p(evidence.p)};")
    parts.append(f"held-out Q² {evidence.q2:.2f} (chance up to {evidence.q2_chance_95:.2f}).")
    if adjusted is not None and adjusted.p is not None:
        parts.append(f"Adjusted for {', '.join(adjusted.adjusted_for)}: p = {_p(adjusted.p)}.")
    parts.append(_power(evidence))
    if tests_so_far > 1:
        parts.append(f"Test {tests_so_far}; Bonferroni p = {_p(min(1.0, evidence.p * tests_so_far))}.")
    return " ".join(parts)


def _counts(evidence: Evidence, words: Words) -> str:
    return f"{evidence.micrographs} images of {evidence.samples} {words.samples}"


def _p(p: float) -> str:
    return f"{p:.4f}" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _power(evidence: Evidence) -> str:
    if evidence.minimum_r2 is None:
        return "This set would miss even R² 0.9 in more than 2 of 10 cases."
    return f"This set finds R² ≥ {evidence.minimum_r2} in 8 of 10 cases."


def _real(e: Evidence, words: Words, adjusted: Evidence | None, categories: int, known: Sequence[str]) -> str:
    said = f"{words.quantity} goes along with the structure. "
    if not categories and e.q2 > e.q2_chance_95:
        said += (
            f"For {words.samples} not used in training it is predicted within {words.amount(e.error)} "
            f"(guessing the mean: {words.amount(e.guessing_error)}). "
        )
    elif not categories:
        said += f"Similar {words.samples} have similar values, but a straight-line prediction does not gain from it. "
    said += f"{e.samples} {words.samples}, {e.micrographs} images, p = {_p(e.p or 0)} by permuting {words.samples}. "
    if adjusted is not None and adjusted.p is not None and adjusted.p <= 0.05:
        said += f"{', '.join(adjusted.adjusted_for)} does not account for it. "
    if known:
        said += f"{_nuisance(words, known)} "
    return said + "An association, not a cause."


def _confounded(words: Words, guilty: Sequence[str]) -> str:
    columns = " and ".join(guilty)
    return (
        f"Cannot tell. The map knows {columns}, and {words.quantity} goes along with {columns} too: "
        f"compare {words.samples} that were imaged alike, with “Use only…”."
    )


def _too_few(e: Evidence, words: Words) -> str:
    return (
        f"Too few {words.samples} to test: with {e.samples}, no result could be told from chance "
        f"({FEWEST_SAMPLES} or more are needed). The map is for looking only."
    )


def _one_sample(e: Evidence, words: Words) -> str:
    if len(e.rests_on) == 1:
        return f"Rests on one {words.sample}: without {e.rests_on[0]} nothing remains."
    names = ", ".join(e.rests_on[:3]) + (" …" if len(e.rests_on) > 3 else "")
    return f"Rests on single {words.samples}: without any one of {len(e.rests_on)} ({names}) nothing remains."


def _none(e: Evidence, words: Words) -> str:
    missed = (
        f"A link smaller than about R² {e.minimum_r2} would probably be missed here."
        if e.minimum_r2 is not None
        else "This set is so small that even a strong link would probably be missed."
    )
    return (
        f"No evidence that {words.quantity} goes along with what these images show: error {words.amount(e.error)}, "
        f"guessing {words.amount(e.guessing_error)}; p = {_p(e.p or 0)}, {e.samples} {words.samples}. {missed}"
    )


def _nuisance(words: Words, known: Sequence[str]) -> str:
    return (
        f"The map is sorted by {' and '.join(known)}; {words.quantity} does not follow "
        f"{'it' if len(known) == 1 else 'them'}, so the test is fair, but look at one value at a time."
    )


def _per_image(e: Evidence, words: Words, found: bool) -> str:
    start = f"{words.quantity} differs between images of one {words.sample}, so it is a value per image. "
    outcome = "go along with the structure" if found else "show no evidence of going along with the structure"
    return f"{start}The means of {e.samples} {words.samples} {outcome} (p = {_p(e.p or 0)})."
