"""Whether a property goes along with the structure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.questions.inquiry import LOGARITHMIC, Answer, askable_columns, measuring_errors
from napari_micromap.session import Session
from napari_micromap.session.scope import Filter
from napari_micromap.statistics.verdict import said_p
from napari_micromap.views.controls import (
    GAP,
    Choice,
    ChoiceBox,
    Line,
    Paragraph,
    field_name,
    flat,
    link,
    push,
    side_by_side,
)
from napari_micromap.views.listening import listen
from napari_micromap.views.plots import Bars, Prediction, Scatter
from napari_micromap.views.reporting import ReportPanel
from napari_micromap.wording import quantity_of, spoken_column, spoken_value, title_of
from napari_micromap.work import Progress

_GUESS = "as guessed"
MOST_PLOTS = 6  # of imaging columns


class PropertyPanel(QWidget):
    """Property and batch, a button, and the verdict as a sentence first."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._answer: Answer | None = None
        self.property = ChoiceBox(self._properties)
        self.batch = ChoiceBox(self._batches)
        self.test = push("Test", self._on_test, "Does it go along with the structure? Tested by sample, not by image.",
                         main=True)  # fmt: skip
        self.progress = Line(muted=True)
        self.cancel = flat("Cancel", self._on_cancel, "Stop this")
        self.sentence = Paragraph()
        self.offer = push("Use only…", self._on_offer, "Restrict map and tests to images that were taken alike")
        self.prediction, self.null = Prediction(), Bars(90)
        self.unfold = link("Details ▸", self._on_unfold)
        self.details = Paragraph(muted=True)
        self.report = ReportPanel(session)
        self.imaging = QWidget()
        self._imaging = QVBoxLayout(self.imaging)
        self._imaging.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(side_by_side(field_name("Property", "The measured values that are tested"), self.property))
        layout.addLayout(
            side_by_side(
                field_name("Batch", "Samples made or imaged together: tested within them"), self.batch, self.test
            )
        )
        layout.addLayout(side_by_side(self.progress, self.cancel))
        for widget in (
            self.sentence,
            self.offer,
            self.prediction,
            self.null,
            self.report,
            self.unfold,
            self.details,
            self.imaging,
        ):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.property.picked.connect(lambda _: self._show())
        listen(self, session.color_changed, lambda _: self._on_color())
        listen(self, session.atlas_changed, self._on_atlas)
        listen(self, session.questions.answered, self._on_answer)
        listen(self, session.questions.asking, self._on_progress)
        self.batch.show_choice(Choice(_GUESS, None))
        self._on_progress(None)
        self._on_color()

    # ------------------------------------------------------------------ show

    def _on_atlas(self, atlas: Atlas) -> None:
        chosen = self.property.value
        if chosen not in askable_columns(atlas):
            self._on_color()
        if self.batch.value is not None and self.batch.value not in ("", *atlas.columns):
            self.batch.show_choice(Choice(_GUESS, None))
        self._show()

    def _on_color(self) -> None:
        """Follow the color where it is a property; a derived column or the sample is none."""
        color, able = self._session.color_by, askable_columns(self._session.atlas)
        known = self.property.value if self.property.value in able else next(iter(able), None)
        name = color if color in able and self._session.atlas.roles.get(color) != "other" else known
        self.property.show_choice(Choice(title_of(name) if name else "no property yet", name))
        self._show()

    def _on_answer(self, answer: Answer) -> None:
        self.property.show_choice(Choice(title_of(answer.property), answer.property))
        self._show()

    def show_idle(self) -> None:
        """Show that no test runs, also where one failed."""
        self._on_progress(None)

    def _on_progress(self, progress: Progress | None) -> None:
        self.progress.say("" if progress is None else f"{progress.stage}: {progress.note}")
        self.progress.setVisible(progress is not None)
        self.cancel.setVisible(progress is not None)
        self._show_able()

    def _show_able(self) -> None:
        """A test is not asked for twice; another one may take its place."""
        name = self.property.value
        self.test.setEnabled(name is not None and name != self._session.questions.testing)

    def _show(self) -> None:
        name = self.property.value
        self.test.setText("Test" if name is None else _asked(quantity_of(name)[0]))
        self._show_able()
        answer = self._answer = self._session.questions.answers.get(name) if name is not None else None
        for widget in (self.sentence, self.unfold, self.report):
            widget.setVisible(answer is not None)
        self.report.show_property(name if answer is not None and name is not None else "")
        self._show_plots(answer)
        self._show_offer(answer)
        self._show_imaging(answer)
        if answer is None:
            self.details.hide()
            return
        self.sentence.setText(answer.verdict.sentence)
        self.details.setText("\n".join(_details(answer)))

    def _show_plots(self, answer: Answer | None) -> None:
        tested = answer if answer is not None and answer.evidence.testable else None
        numbers = tested is not None and not tested.units.categories and bool(np.isfinite(tested.evidence.q2))
        self.prediction.setVisible(numbers)
        self.null.setVisible(tested is not None)
        if tested is None:
            return
        evidence, words = tested.evidence, tested.words
        if numbers:
            axes = f"→ {words.quantity} measured   ↑ predicted, each {words.sample} left out"
            errors = measuring_errors(self._session.atlas, tested)
            self.prediction.show_points(evidence.values[:, 0], evidence.predicted[:, 0], axes, errors)
        counts, edges = np.histogram(evidence.null, bins=40)
        mark = (evidence.null[0] - edges[0]) / max(edges[-1] - edges[0], 1e-12)
        self.null.show_bars([counts], "reshuffles", "observed: red", mark=float(mark))

    def _show_imaging(self, answer: Answer | None) -> None:
        """Show behind the details how the images were taken, against the property."""
        while (item := self._imaging.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.setParent(None)
                old.deleteLater()
        self.imaging.setVisible(answer is not None and not self.details.isHidden())
        if answer is None or answer.units.categories:
            return
        columns, units = self._session.atlas.columns, answer.units
        for name in [s.name for s in answer.suspects if s.name in columns][:MOST_PLOTS]:
            values, first, last = axis_of(columns[name].iloc[units.rows], name)
            plot = Scatter()
            plot.setToolTip(f"{answer.words.quantity} (up) by {spoken_column(name)}, one dot an image")
            words = f"↑ {_short(answer.words.quantity)}   → {spoken_column(name)}"
            plot.show_values(values, units.values[units.sample_of, 0], first, words, last)
            self._imaging.addWidget(plot)

    def _show_offer(self, answer: Answer | None) -> None:
        offer = None if answer is None else answer.verdict.offer
        self.offer.setVisible(offer is not None)
        if offer is not None:
            self.offer.setText(f"Use only {spoken_value(*offer)}")

    # ------------------------------------------------------------------ ask

    def _properties(self) -> Iterator[Choice]:
        for name in askable_columns(self._session.atlas):
            yield Choice(title_of(name), name)

    def _batches(self) -> Iterator[Choice]:
        atlas = self._session.atlas
        yield Choice(_GUESS, None, "The column that looks like sessions or batches, if there is one")
        yield Choice("no batches", "")
        for name in map(str, atlas.columns):
            if (
                atlas.roles.get(name) in ("batch", "imaging", "other", "processing")
                and 1 < atlas.columns[name].nunique() < 60
            ):
                yield Choice(title_of(name), name)

    def _on_test(self) -> None:
        self._session.questions.test(self.property.value, batch=self.batch.value)

    def _on_cancel(self) -> None:
        if self._session.questions.testing is not None:
            self._session.questions.cancel()
        else:
            self._session.where.stop()

    def _on_offer(self) -> None:
        if self._answer is None or self._answer.verdict.offer is None:
            return
        column, value = self._answer.verdict.offer
        if isinstance(value, float):  # settings are told to three digits
            self._session.use_only(Filter(column, low=value - abs(value) * 0.006, high=value + abs(value) * 0.006))
        else:
            self._session.use_only(Filter(column, values=(str(value),)))

    def _on_unfold(self) -> None:
        folded = self.details.isHidden()
        self.details.setVisible(folded)
        self.imaging.setVisible(folded)
        self.unfold.setText("Details ▾" if folded else "Details ▸")


def _details(answer: Answer) -> list[str]:
    said = [answer.verdict.details, *answer.not_done]
    if answer.family_p is not None:
        tested = f"all properties tested on these {answer.words.samples}"
        said.append(f"Against the maximum over {tested}: {said_p(answer.family_p)}.")
    for suspect in answer.suspects:
        knows = "the structure knows it" if suspect.known_to_map else "the structure does not know it"
        follows = "follows it" if suspect.property_p <= 0.10 else "does not follow it"
        said.append(f"{spoken_column(suspect.name)}: {knows}; {answer.words.quantity} {follows}.")
    return said


def axis_of(column: pd.Series[Any], name: str) -> tuple[NDArray[np.float64], str, str]:
    """Return (n,) numbers for an axis, and what its ends are called; texts are numbered in order."""
    if any(isinstance(value, str) for value in column):
        codes, found = pd.factorize(column.astype(str), sort=True)
        return codes.astype(float), str(found[0]), str(found[-1])
    values = pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
    known = values[np.isfinite(values)]
    if not len(known):
        return values, "", ""
    ends = spoken_value(name, float(known.min())), spoken_value(name, float(known.max()))
    shown = np.log(values) if name in LOGARITHMIC and known.min() > 0 else values
    return shown, *ends


def _asked(quantity: str) -> str:
    """Name what is tested where a narrow dock has room; the box above the button says it in any case."""
    return f"Test {quantity}" if len(quantity) <= 10 else "Test"


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"
