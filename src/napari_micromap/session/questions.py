"""Questions about properties, and the answers so far."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_micromap.atlas import Rows
from napari_micromap.problems import Problem
from napari_micromap.questions import inquiry, scanning
from napari_micromap.questions.inquiry import Answer
from napari_micromap.questions.reliability import RELIABLE, Reliability, look_again
from napari_micromap.questions.scanning import MapScan
from napari_micromap.session.maps import Map
from napari_micromap.statistics.permutations import ENUMERATE_BELOW
from napari_micromap.work import Work

if TYPE_CHECKING:
    from napari_micromap.session.model import Session

_SCANS_KEPT = 8


class Questions:
    """Asks what the structure says of a property, in the lane *statistics*; keeps the answers and counts the tests."""

    answered = Signal(object)  # Answer
    asking = Signal(object)  # Progress | None of a test
    scanned = Signal(object)  # MapScan | None: regions of the shown map, for the property that colors it
    looking_again = Signal(object)  # Progress of what makes the map again, to see where it is reliable
    reliability_told = Signal(str)  # how far the map can be read, in sentences

    def __init__(self, session: Session) -> None:
        self._session = session
        self._answers: dict[str, Answer] = {}
        self._testing: list[str] | None = None  # what is tested: the test that was asked for last, until it is over
        self._asked: list[tuple[str, frozenset[str]]] = []  # each test that was made: what was asked, of which samples
        self._scans: dict[tuple[str, ...], tuple[Map, Rows, MapScan]] = {}

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The newest answer about each property."""
        return MappingProxyType(self._answers)

    def test(self, property: str | None = None, batch: str | None = None, adjust: Sequence[str] | None = None) -> None:
        """Test whether a property, or the one that colors the map, goes along with the structure.

        The answer is kept in ``answers``, and predictions and residuals become columns. What is hidden by a filter or
        excluded takes no part. Every different question about the same samples is counted.
        """
        name = property if property is not None else self._session.color_by
        if name is None:
            raise Problem("Choose a property to test; color the map by it, or name it.")
        atlas, rows = self._session.atlas, self._session.used
        of_rows = inquiry.samples_of(atlas)
        samples = frozenset() if of_rows is None else frozenset(map(str, of_rows.iloc[rows].dropna()))
        made = (atlas.made_by.get("backbone"), atlas.made_by.get("recipe"))
        count = self._count(_digest(name, batch, adjust, made, *sorted(atlas.ids[rows])), samples)
        if self.testing not in (None, name):
            self._session.warned.emit(f"The test of {self.testing} was stopped; {name} is tested now.")
        self._testing = this = [name]
        self._session.run(
            lambda: self._asked_of(
                this, inquiry.ask(atlas, name, scope=rows, adjust=adjust, batch=batch, tests_so_far=count)),
            lane="statistics", done=self._was_answered, progress=self.asking.emit,
        )  # fmt: skip

    def cancel(self) -> None:
        """Stop a test."""
        self._testing = None
        self._session.run.cancel("statistics")
        self.asking.emit(None)

    @property
    def testing(self) -> str | None:
        """The property that is being tested."""
        return None if self._testing is None else self._testing[0]

    def scan_map(self, property: str | None = None) -> None:
        """Scan the shown map for regions that differ in a property, once for each map, property and scope."""
        name = property if property is not None else self._session.color_by
        shown, atlas, rows = self._session.map, self._session.atlas, self._session.used
        ready = atlas.embeddings is not None and inquiry.samples_of(atlas) is not None
        if name is None or shown is None or shown.preview or not ready:
            self.scanned.emit(None)
            return
        key, kept = self._scan_key(name), self.scan_of(name)
        if kept is not None:
            self.scanned.emit(kept)
            return
        if self._testing is not None:
            return  # it would take the place of the test, for which a user waits

        def done(found: MapScan) -> None:
            self._scans.pop(key, None)
            self._scans[key] = (shown, rows, found)
            for old in list(self._scans)[:-_SCANS_KEPT]:
                del self._scans[old]
            self.scanned.emit(found)

        self._session.run(lambda: scanning.scan(atlas, name, shown.positions, rows), lane="statistics", done=done)

    def scan_of(self, property: str) -> MapScan | None:
        """Return the scan of the shown map for a property, if it was made."""
        kept = self._scans.get(self._scan_key(property))
        if kept is None or kept[0] is not self._session.map or not np.array_equal(kept[1], self._session.used):
            return None
        return kept[2]

    def show_reliability(self) -> None:
        """Color the map by how much of each micrograph's neighborhood it keeps, also when made from other seeds.

        It has a lane of its own: layouts run in processes of their own, so it need not wait for what is built.
        """
        atlas, rows = self._session.atlas, self._session.atlas.positions

        def done(found: Reliability) -> None:
            if self._session.atlas.positions is rows:
                kept = {RELIABLE: found.atlas.columns[RELIABLE].to_numpy(float)}
                self._session.take_atlas(inquiry.with_derived(self._session.atlas, kept))
                self._session.color_by = RELIABLE
                self.reliability_told.emit(found.sentence)
            else:
                self.reliability_told.emit("Another map was made meanwhile; ask again for this one.")

        self._session.run(
            lambda: look_again(atlas, self._session.workshop), lane="reliability", done=done,
            progress=self.looking_again.emit,
        )  # fmt: skip

    # ------------------------------------------------------------------ within

    def _asked_of(self, this: list[str], work: Work[Answer]) -> Work[Answer]:
        """Note when a test is over, whatever its end, unless another was asked for meanwhile."""
        try:
            return (yield from work)
        finally:
            if self._testing is this:
                self._testing = None

    def _count(self, named: str, samples: frozenset[str]) -> int:
        """Count the tests that were made on any of these samples, this one included; the same one counts once."""
        if not any(asked == named for asked, _ in self._asked):
            self._asked.append((named, samples))
        return sum(asked == named or bool(of & samples) for asked, of in self._asked)

    def state(self) -> dict[str, Any]:
        """Return the tests that were made, ready for JSON: each set of samples once."""
        sets = list(dict.fromkeys(samples for _, samples in self._asked))
        tests = [[named, sets.index(samples)] for named, samples in self._asked]
        return {"samples": [sorted(samples) for samples in sets], "tests": tests}

    def restore(self, state: object) -> None:
        """Take the tests of a saved session, so that opening it again does not make their number forgotten."""
        if not isinstance(state, dict) or not isinstance(state.get("samples"), list):
            return
        sets = [frozenset(map(str, one)) if isinstance(one, list) else frozenset[str]() for one in state["samples"]]
        for test in state.get("tests") or []:
            if isinstance(test, list) and len(test) == 2 and isinstance(test[1], int) and 0 <= test[1] < len(sets):
                self._asked.append((str(test[0]), sets[test[1]]))

    def _scan_key(self, name: str) -> tuple[str, ...]:
        return name, str(self._session.atlas.sample_column), inquiry.batch_column(self._session.atlas, name)

    def _was_answered(self, answer: Answer) -> None:
        self._answers[answer.property] = answer
        together = [a for a in self._answers.values() if _alike(a, answer)]
        for one in together:  # a later test also makes the earlier ones of the same samples less surprising
            others = [a for a in together if a is not one]
            self._answers[one.property] = replace(one, family_p=_family_p(one, others))
        answer = self._answers[answer.property]
        if answer.property in self._session.atlas.columns and self._has_rows(answer):
            self._session.take_atlas(inquiry.with_predictions(self._session.atlas, answer))
        self.asking.emit(None)
        self.answered.emit(answer)

    def _has_rows(self, answer: Answer) -> bool:
        return not len(answer.units.rows) or int(answer.units.rows.max()) < len(self._session.atlas)

    def forget(self) -> None:
        """Start anew, with nothing asked."""
        self._answers, self._asked, self._scans = {}, [], {}


def _alike(one: Answer, other: Answer) -> bool:
    """Say whether two answers are about the same samples under the same permutations."""
    same_samples = one.units.samples == other.units.samples
    same_batches = (one.batch if one.within_batches else "") == (other.batch if other.within_batches else "")
    # where all reshuffles are listed, each property has a list of its own: the count of tests stands in
    drawn = min(one.evidence.arrangements, other.evidence.arrangements) >= ENUMERATE_BELOW
    return same_samples and same_batches and drawn and len(one.evidence.null) == len(other.evidence.null) > 1


def _family_p(answer: Answer, others: Sequence[Answer]) -> float | None:
    """Return p against the maximum over all properties tested on these samples, under shared permutations."""
    if not others or not answer.evidence.testable:
        return None
    maxima = np.max([answer.evidence.null, *(a.evidence.null for a in others)], axis=0)
    maxima[0] = answer.evidence.null[0]
    return float(np.mean(maxima >= maxima[0] - 1e-9))


def _digest(*parts: object) -> str:
    """Name a question shortly, the same in every session."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]
