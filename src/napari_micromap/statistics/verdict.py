"""Results of the tests, as a sentence."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from napari_micromap.statistics.batches import FEWEST_BATCHES, NewBatch
from napari_micromap.statistics.confounders import Setting, Suspect
from napari_micromap.statistics.evidence import FEWEST_ARRANGEMENTS, FEWEST_SAMPLES, Evidence
from napari_micromap.wording import listed, spoken_column, spoken_value

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
        said = f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}"
        return f"{said}{f' {self.unit}' if self.unit else ''}"


@dataclass(frozen=True)
class Asked:
    """All results that one verdict is made of.

    Parameters
    ----------
    evidence : Evidence
        The primary test; permuted within batches where there are batches that allow it.
    adjusted : Evidence, optional
        The same, adjusted for ``adjusted.adjusted_for``.
    suspects : Suspect
        Acquisition columns and batches that were asked.
    batch : str
        Column of batches, "" for none.
    within : bool
        Whether ``evidence`` is within batches.
    ignoring : Evidence, optional
        The test that ignores batches, where ``evidence`` does not.
    new_batch : NewBatch, optional
        Predictions for batches that were left out.
    required : bool
        Whether the user named the columns to adjust for, so that the finding must survive it.
    categories : int
        Number of categories, 0 for a number.
    per_image : bool
        Whether the property varies within samples.
    tests_so_far : int
        How many tests the user has made on these samples, this one included.
    """

    evidence: Evidence
    adjusted: Evidence | None = None
    suspects: Sequence[Suspect] = ()
    batch: str = ""
    within: bool = False
    ignoring: Evidence | None = None
    new_batch: NewBatch | None = None
    required: bool = False
    categories: int = 0
    per_image: bool = False
    tests_so_far: int = 1

    @property
    def found(self) -> bool:
        """Whether the primary test says yes."""
        return _holds(self.evidence)

    @property
    def guilty(self) -> list[Suspect]:
        """Suspects that go with structure and property, and that the primary test does not take care of."""
        return [s for s in self.suspects if s.confounds and not (self.within and s.name == self.batch)]

    @property
    def only_between_batches(self) -> bool:
        """Whether it is there when batches are ignored, and gone within them."""
        return self.within and not self.found and self.ignoring is not None and _holds(self.ignoring)


@dataclass(frozen=True)
class Verdict:
    """What the test says: its kind, the sentence that stands first, and the line of details.

    ``offer`` is a column and the value that most samples share, to be used alone; None where there is none.
    """

    kind: Kind
    sentence: str
    details: str
    offer: tuple[str, Hashable] | None = None


def verdict_of(asked: Asked, words: Words) -> Verdict:
    """Choose the words; an association is never called an explanation."""
    evidence, details = asked.evidence, details_of(asked, words)
    sorted_by = [s for s in asked.suspects if s.known_to_map and not s.confounds and s.name != asked.batch]
    if evidence.p is None:
        return Verdict("too_few", _too_few(evidence, words), details)
    if asked.only_between_batches:
        sentence = _between_batches(asked, words)
        return Verdict("per_image" if asked.per_image else "confounded", sentence, details)
    survived = asked.adjusted is not None and _holds(asked.adjusted)
    doubtful = asked.found and not survived and bool(asked.guilty or asked.required)
    offer = _offer(asked.guilty if doubtful else sorted_by)
    if asked.per_image:
        sentence = _per_image(asked, words) + (" " + _confounded(asked, words) if doubtful else "")
        return Verdict("per_image", sentence, details, offer)
    if doubtful:
        return Verdict("confounded", _confounded(asked, words), details, offer)
    if asked.found and evidence.rests_on:
        return Verdict("one_sample", _one_sample(evidence, words), details)
    if asked.found:
        return Verdict("real", _real(asked, words, sorted_by), details, offer)
    if sorted_by:
        return Verdict("nuisance", f"{_sorted(sorted_by, words)} {_none(asked, words)}", details, offer)
    return Verdict("none", _none(asked, words), details)


def details_of(asked: Asked, words: Words) -> str:
    """Write the line behind *Details*: counts, p, Q², adjustment, batches, what this set could have found."""
    evidence = asked.evidence
    parts = [f"{evidence.micrographs} images of {evidence.samples} {words.samples}:"]
    if evidence.p is None:
        return " ".join([*parts, f"too few {words.samples} ({_reason(evidence)})."])
    finding = "structure goes with" if evidence.p <= 0.05 else "no evidence that structure goes with"
    where = f" within each {_batch(asked)}" if asked.within else ""
    parts.append(f"{finding} {words.quantity}{where}, {said_p(evidence.p)};")
    parts.append(f"held-out Q² {number(evidence.q2)} (chance up to {number(evidence.q2_chance_95)}).")
    if asked.adjusted is not None and asked.adjusted.p is not None:
        columns = listed([spoken_column(c) for c in asked.adjusted.adjusted_for])
        parts.append(f"Adjusted for {columns}: {said_p(asked.adjusted.p)}.")
    if asked.ignoring is not None and asked.ignoring.p is not None and asked.within:
        parts.append(f"Ignoring {_batch(asked)}: {said_p(asked.ignoring.p)}.")
    if asked.new_batch is not None:
        parts.append(_to_new_batch(asked))
    parts.append(_power(evidence))
    if asked.tests_so_far > 1:
        corrected = said_p(min(1.0, evidence.p * asked.tests_so_far))
        parts.append(f"Test {asked.tests_so_far} on these {words.samples}; Bonferroni {corrected}.")
    return " ".join(parts)


def said_p(p: float) -> str:
    """Write a p-value as text."""
    return "p = " + (f"{p:.4f}" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}")


def number(value: float) -> str:
    """Write a Q² with a true minus."""
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _holds(evidence: Evidence) -> bool:
    return evidence.p is not None and evidence.p <= 0.05


def _batch(asked: Asked) -> str:
    return spoken_column(asked.batch)


def _to_new_batch(asked: Asked) -> str:
    new, batch = asked.new_batch, _batch(asked)
    assert new is not None
    if new.q2 is None:
        return f"To a new {batch}: not testable ({new.batches} of them)."
    p = f"p not testable ({new.batches} of them; {FEWEST_BATCHES} needed)" if new.p is None else said_p(new.p)
    return f"To a new {batch}: Q² {number(new.q2)}, {p}."


def _power(evidence: Evidence) -> str:
    if evidence.minimum_r2 is None:
        return "This set would miss even R² 0.9 in more than 2 of 10 cases."
    return f"This set finds R² ≥ {evidence.minimum_r2} in 8 of 10 cases."


def _reason(evidence: Evidence) -> str:
    if evidence.samples - evidence.rank + 1 < FEWEST_SAMPLES:
        taken = (
            f" and {evidence.rank - 1} degrees of freedom taken by what is adjusted for" if evidence.rank > 1 else ""
        )
        return f"{evidence.samples}{taken}; {FEWEST_SAMPLES} needed"
    return f"their values can be dealt out in {evidence.arrangements:,} ways only; {FEWEST_ARRANGEMENTS:,} needed"


def _real(asked: Asked, words: Words, sorted_by: Sequence[Suspect]) -> str:
    e = asked.evidence
    said = f"{capital(words.quantity)} goes along with the structure. "
    guess = f"guessing the mean of its {_batch(asked)}" if asked.within else "guessing the mean"
    if not asked.categories and e.q2 > e.q2_chance_95 and e.error < e.guessing_error:
        said += (
            f"For {words.samples} not used in training it is predicted within {words.amount(e.error)} "
            f"({guess}: {words.amount(e.guessing_error)}). "
        )
    elif not asked.categories:
        said += f"Similar {words.samples} have similar values, but a straight-line prediction gains nothing from it. "
    within = f" within each {_batch(asked)}" if asked.within else ""
    said += f"{e.samples} {words.samples}, {e.micrographs} images, "
    said += f"{said_p(e.p or 0)} by permuting {words.samples}{within}. "
    cleared = [spoken_column(c) for c in asked.adjusted.adjusted_for] if asked.adjusted is not None else []
    cleared += [spoken_column(s.name) for s in asked.suspects if s.cleared]
    if asked.within:
        cleared.append(_batch(asked))
    if cleared := list(dict.fromkeys(cleared)):
        said += f"{capital(listed(cleared))} {'does' if len(cleared) == 1 else 'do'} not account for it. "
    unasked = [spoken_column(s.name) for s in asked.suspects if not s.asked and not s.cleared]
    if unasked := [name for name in unasked if name not in cleared]:
        goes = "goes" if len(unasked) == 1 else "go"
        said += (
            f"But {listed(unasked)} {goes} along with {words.quantity}, too, and with so few {words.samples} it cannot "
            "be told whether the structure knows only that. "
        )
    if sorted_by:
        said += f"{_sorted(sorted_by, words)} "
    return said + "An association, not a cause."


def _confounded(asked: Asked, words: Words) -> str:
    if not asked.guilty:
        assert asked.required
        left = "it cannot be adjusted for here" if asked.adjusted is None else "nothing remains when adjusted for it"
        columns = (
            "what you asked to adjust for"
            if asked.adjusted is None
            else listed([spoken_column(c) for c in asked.adjusted.adjusted_for])
        )
        p = "" if asked.adjusted is None or asked.adjusted.p is None else f" ({said_p(asked.adjusted.p)})"
        return (
            f"Cannot tell. {words.quantity} goes along with the structure, but {columns} may account for it: {left}{p}."
        )
    first = next((s for s in asked.guilty if s.pattern is not None), asked.guilty[0])
    columns = listed([f"the {spoken_column(s.name)}" for s in asked.guilty])
    verb = "goes" if len(asked.guilty) == 1 else "go"
    known = f"the map knows {columns}, and {columns} {verb} along with {words.quantity}"
    said = f"Cannot tell. {_patterned(first, words)}: {known}" if first.pattern else f"Cannot tell. {capital(known)}"
    offer = _offer(asked.guilty)
    if offer is None:
        return f"{said}. Compare {words.samples} that were imaged alike, with “Use only…”."
    setting = _largest(next(s for s in asked.guilty if s.name == offer[0]))
    value = spoken_value(*offer)
    return f"{said}. {setting.samples} {words.samples} have images at {value}: use only those."


def _patterned(suspect: Suspect, words: Words) -> str:
    pattern, about = suspect.pattern, "at about" if suspect.pattern and suspect.pattern.about else "at"
    assert pattern is not None
    low, high = (spoken_value(suspect.name, v) for v in (pattern.low, pattern.high))
    if pattern.threshold is None:
        return f"“{pattern.first}” was mostly imaged {about} {low}, “{pattern.second}” {about} {high}"
    return (
        f"{capital(words.samples)} below {words.amount(pattern.threshold)} were mostly imaged {about} {low}, "
        f"the others {about} {high}"
    )


def _between_batches(asked: Asked, words: Words) -> str:
    e, ignoring, batch = asked.evidence, asked.ignoring, _batch(asked)
    assert ignoring is not None
    return (
        f"Cannot tell. {capital(words.quantity)} goes along with the structure only from {batch} to {batch} "
        f"({said_p(ignoring.p or 0)}); within each {batch} nothing remains ({said_p(e.p or 0)}). Whatever else differs "
        f"between them may account for it: compare {words.samples} of one {batch}."
    )


def _offer(suspects: Sequence[Suspect]) -> tuple[str, Hashable] | None:
    """Return the column and setting that enough samples share to be tested alone."""
    able = [s for s in suspects if s.settings and _largest(s).samples >= FEWEST_SAMPLES]
    if not able:
        return None
    best = max(able, key=lambda s: _largest(s).samples)
    return best.name, _largest(best).value


def _largest(suspect: Suspect) -> Setting:
    return max(suspect.settings, key=lambda s: s.samples)


def _too_few(e: Evidence, words: Words) -> str:
    if e.samples >= FEWEST_SAMPLES and e.samples - e.rank + 1 >= FEWEST_SAMPLES:
        return (
            f"Too little to test: the values of {e.samples} {words.samples} can be dealt out in only "
            f"{e.arrangements:,} ways, so no result could be told from chance. The map is for looking only."
        )
    return (
        f"Too few {words.samples} to test: with {e.samples}, no result could be told from chance "
        f"({FEWEST_SAMPLES} or more are needed). The map is for looking only."
    )


def _one_sample(e: Evidence, words: Words) -> str:
    p = "" if e.p_without is None else f" ({said_p(e.p_without)})"
    if len(e.rests_on) == 1:
        return f"Rests on one {words.sample}: without {e.rests_on[0]} nothing remains{p}."
    names = ", ".join(e.rests_on[:3]) + (" …" if len(e.rests_on) > 3 else "")
    upto = "" if e.p_without is None else f" (p up to {said_p(e.p_without)[4:]})"
    return f"Rests on single {words.samples}: without any one of {len(e.rests_on)} ({names}) nothing remains{upto}."


def _none(asked: Asked, words: Words) -> str:
    e = asked.evidence
    missed = (
        f"A link smaller than about R² {e.minimum_r2} would probably be missed here."
        if e.minimum_r2 is not None
        else "This set is so small that even a strong link would probably be missed."
    )
    errors = "" if asked.categories else f"error {words.amount(e.error)}, guessing {words.amount(e.guessing_error)}; "
    return (
        f"No evidence that {words.quantity} goes along with what these images show: {errors}"
        f"{said_p(e.p or 0)}, {e.samples} {words.samples}. {missed}"
    )


def _sorted(suspects: Sequence[Suspect], words: Words) -> str:
    columns = listed([spoken_column(s.name) for s in suspects])
    said = f"The map is sorted by {columns}."
    if all(s.balanced for s in suspects):
        same = "settings" if len(suspects) > 1 else _plural(spoken_column(suspects[0].name))
        return f"{said} All {words.samples} have all {same}, so the test is fair, but look at one at a time."
    it = "it" if len(suspects) == 1 else "them"
    return (
        f"{said} {capital(words.quantity)} does not follow {it}, so the test is fair, but look at one value at a time."
    )


def _per_image(asked: Asked, words: Words) -> str:
    e = asked.evidence
    start = (
        f"{capital(words.quantity)} differs between images of one {words.sample}, so it is a value per image. "
        "If it was measured in these images themselves, this describes them and tests nothing. "
    )
    outcome = "go along with the structure" if asked.found else "show no evidence of going along with the structure"
    rests = f" {_one_sample(e, words)}" if asked.found and e.rests_on else ""
    return f"{start}The means of {e.samples} {words.samples} {outcome} ({said_p(e.p or 0)}).{rests}"


def _plural(noun: str) -> str:
    return noun if noun.endswith("s") else f"{noun}s"


def capital(text: str) -> str:
    """Begin a sentence with a text."""
    return text[:1].upper() + text[1:]
