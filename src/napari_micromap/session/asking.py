"""Questions about properties, and the answers so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from psygnal import Signal

from napari_micromap import inquiry
from napari_micromap.atlas import Positions, Rows
from napari_micromap.inquiry import Answer, MapScan
from napari_micromap.problems import Problem
from napari_micromap.session.maps import Map
from napari_micromap.session.marking import Marking
from napari_micromap.session.running import Runner
from napari_micromap.work import Work

_SCANS_KEPT = 8


class Asking(Marking):
    """The verbs that ask what the structure says of a property; they run in the lane *statistics*."""

    answered = Signal(object)  # Answer
    asking = Signal(object)  # Progress | None of a test
    scanned = Signal(object)  # MapScan | None: regions of the shown map, for the property that colors it
    run: Runner
    _map: Map | None

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, Answer] = {}
        self._testing = False
        self._asked: list[tuple[str, frozenset[str]]] = []  # each test that was made: what was asked, of which samples
        self._scans: dict[tuple[str, int, tuple[int, ...]], tuple[Map, Rows, MapScan]] = {}

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The newest answer about each property."""
        return MappingProxyType(self._answers)

    def test(self, property: str | None = None, batch: str | None = None, adjust: Sequence[str] | None = None) -> None:
        """Test whether a property, or the one that colors the map, goes along with the structure.

        The answer is kept in ``answers``, and predictions and residuals become columns. What is hidden by a filter or
        excluded takes no part. Every different question about the same samples is counted.
        """
        name = property if property is not None else self._color_by
        if name is None:
            raise Problem("Choose a property to test; color the map by it, or name it.")
        atlas, rows = self._atlas, self.used
        named = f"{name}|{batch}|{adjust}|{hash(rows.tobytes())}|{hash(str(atlas.made_by.get('backbone')))}"
        samples = frozenset() if atlas.samples is None else frozenset(map(str, atlas.samples.iloc[rows].dropna()))
        count = self._count(named, samples)
        self._testing = True
        self.run(
            lambda: self._asked_of(
                inquiry.ask(atlas, name, scope=rows, adjust=adjust, batch=batch, tests_so_far=count)),
            lane="statistics", done=self._was_answered, progress=self.asking.emit,
        )  # fmt: skip

    def cancel_test(self) -> None:
        """Stop a test."""
        self.run.cancel("statistics")
        self.asking.emit(None)

    def scan_map(self, property: str | None = None) -> None:
        """Scan the shown map for regions that differ in a property, once for each map, property and scope."""
        name = property if property is not None else self._color_by
        shown, atlas, rows = self._map, self._atlas, self.used
        if name is None or shown is None or shown.preview or atlas.embeddings is None or atlas.samples is None:
            self.scanned.emit(None)
            return
        kept = self._scan_of(name, shown, rows)
        if kept is not None:
            self.scanned.emit(kept)
            return
        if self._testing:
            return  # it would take the place of the test, for which a user waits

        def done(found: MapScan) -> None:
            self._scans[name, id(shown), (len(rows), hash(rows.tobytes()))] = (shown, rows, found)
            for old in list(self._scans)[:-_SCANS_KEPT]:
                del self._scans[old]
            self.scanned.emit(found)

        self.run(lambda: inquiry.scan(atlas, name, shown.positions, rows), lane="statistics", done=done)

    def show_reliability(self, others: Sequence[Positions] = ()) -> None:
        """Color the map by how much of each micrograph's neighborhood it keeps."""
        self._set_atlas(inquiry.with_reliability(self._atlas, others))
        self.color_by = inquiry.RELIABLE

    # ------------------------------------------------------------------ within

    def _asked_of(self, work: Work[Answer]) -> Work[Answer]:
        """Note when a test is over, whatever its end."""
        try:
            return (yield from work)
        finally:
            self._testing = False

    def _count(self, named: str, samples: frozenset[str]) -> int:
        """Count the tests that were made on any of these samples, this one included; the same one counts once."""
        if not any(asked == named for asked, _ in self._asked):
            self._asked.append((named, samples))
        return sum(asked == named or bool(of & samples) for asked, of in self._asked)

    def _scan_of(self, name: str, shown: Map, rows: Rows) -> MapScan | None:
        kept = self._scans.get((name, id(shown), (len(rows), hash(rows.tobytes()))))
        return kept[2] if kept is not None and kept[0] is shown and np.array_equal(kept[1], rows) else None

    def _was_answered(self, answer: Answer) -> None:
        together = [a for a in self._answers.values() if a.property != answer.property and _alike(a, answer)]
        answer = replace(answer, family_p=_family_p(answer, together))
        self._answers[answer.property] = answer
        if answer.property in self._atlas.columns and self._has_rows(answer):
            self._set_atlas(inquiry.with_predictions(self._atlas, answer))
        self.asking.emit(None)
        self.answered.emit(answer)

    def _has_rows(self, answer: Answer) -> bool:
        return not len(answer.units.rows) or int(answer.units.rows.max()) < len(self._atlas)

    def _forget_marks(self) -> None:
        super()._forget_marks()
        self._answers, self._asked, self._scans = {}, [], {}


def _alike(one: Answer, other: Answer) -> bool:
    """Say whether two answers are about the same samples under the same permutations."""
    return one.units.samples == other.units.samples and len(one.evidence.null) == len(other.evidence.null) > 1


def _family_p(answer: Answer, others: Sequence[Answer]) -> float | None:
    """Return p against the maximum over all properties tested on these samples, under shared permutations."""
    if not others or not answer.evidence.testable:
        return None
    maxima = np.max([answer.evidence.null, *(a.evidence.null for a in others)], axis=0)
    maxima[0] = answer.evidence.null[0]
    return float(np.mean(maxima >= maxima[0] - 1e-9))
