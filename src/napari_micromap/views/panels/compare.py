"""What differs between two groups, and what was counted for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QCheckBox, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from napari_micromap.descriptors.measuring import Measuring
from napari_micromap.problems import Problem
from napari_micromap.questions.comparing import Comparison, Difference
from napari_micromap.questions.telling_apart import Apart
from napari_micromap.session import Session
from napari_micromap.views.asking import ask_where_to_write
from napari_micromap.views.controls import (
    GAP,
    Choice,
    ChoiceBox,
    Flow,
    Line,
    Paragraph,
    Roomy,
    flat,
    link,
    push,
    side_by_side,
)
from napari_micromap.views.forest import Forest
from napari_micromap.views.listening import listen
from napari_micromap.views.whereto import outside
from napari_micromap.wording import counted
from napari_micromap.work import Pace, Progress, spoken

_WIDE = 700  # logical pixels from which on list and details stand side by side
_REST_MS = 250  # of the slider before outlines are drawn anew
_SELECTED, _REST = "what is selected", "the rest"
# What is counted, and the ends of its slider.
_THRESHOLDS = {
    "dark": ("How many spreads darker than its surroundings counts", 0.5, 5.0),
    "bright": ("How many spreads brighter than its surroundings counts", 0.5, 5.0),
    "edge": ("Which step of gray, over two pixels, counts as an edge", 0.01, 0.5),
}


class ComparePanel(QWidget):
    """Two groups, a list of what differs, and for a chosen line what was counted."""

    outline_wanted = Signal(str, object)  # quantity, Measuring
    example_wanted = Signal(object)  # rows of the group that is to be shown
    where_wanted = Signal()

    def __init__(self, session: Session, tell: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._tell = session, tell
        self.a, self.b = ChoiceBox(lambda: self._groups(_SELECTED)), ChoiceBox(lambda: self._groups(_REST))
        self.compare = push("Compare", self._on_compare, "Count in the pictures of both, and compare by sample",
                            main=True)  # fmt: skip
        self.without_insets = QCheckBox("Leave out insets and letters in boxes")
        self.without_insets.setToolTip("Framed insets, letter boxes, bars and colored marks are not counted")
        self.progress, self.cancel = Line(muted=True), flat("Cancel", self._on_cancel, "Stop comparing")
        self.forest = Forest()
        self.sentence, self.counted = Paragraph(), Paragraph(muted=True)
        self.threshold = QLabeledDoubleSlider()
        self.threshold.setOrientation(self.threshold.orientation().Horizontal)
        self.threshold_name = Line(muted=True)
        self.in_a, self.in_b = push("", lambda: self._ask_example("a")), push("", lambda: self._ask_example("b"))
        self.color = push("Color the map by it", self._on_color, "Make a column of it for all images, and color by it")
        self.hide_outlines = flat("Hide outlines", session.outlines.hide, "Take the lines off the opened image")
        self.notes = Paragraph(muted=True)
        self.where = push(
            "Where does it show?", self._on_where,
            "Color the image in the viewer, or the gallery, by what tells the two groups apart, if anything does",
        )  # fmt: skip
        self.apart = Paragraph()
        self.save = link("Save as a table…", self._on_save, "All differences as CSV")
        self._pace = Pace()
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(_REST_MS)
        self._build()
        self._connect()
        self._on_compared(session.groups.comparison)
        self.show_progress(None)

    # ------------------------------------------------------------------ build

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * GAP, GAP, 2 * GAP, GAP)
        outer.setSpacing(GAP)
        outer.addLayout(side_by_side(self.a, Line("against", muted=True), self.b, self.compare))
        outer.addWidget(_flow(self.where, self.without_insets, self.save))
        outer.addLayout(side_by_side(self.progress, self.cancel))
        self.details = QWidget()
        column = QVBoxLayout(self.details)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        self.threshold_row = QWidget()
        rows = QVBoxLayout(self.threshold_row)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.threshold_name)
        rows.addWidget(self.threshold)
        self.acts = _flow(self.in_a, self.in_b, self.color, self.hide_outlines)
        for widget in (self.apart, self.sentence, self.counted, self.threshold_row, self.acts, self.notes):
            column.addWidget(widget)
        column.addStretch(1)
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._parts.setSpacing(2 * GAP)
        self._parts.addWidget(self.forest, 3)
        self._parts.addWidget(Roomy(self.details), 2)
        outer.addLayout(self._parts, 1)

    def _connect(self) -> None:
        session = self._session
        self.forest.picked.connect(self._on_chosen)
        self.threshold.valueChanged.connect(lambda _: self._resting.start())
        self._resting.timeout.connect(self._on_threshold)
        listen(self, session.groups.compared, self._on_compared)
        listen(self, session.groups.comparing, self.show_progress)
        listen(self, session.outlines.changed, self._on_outlines)
        listen(self, session.where.told, self._on_apart)
        listen(self, session.where.changed, self._show_where)
        listen(self, session.selection.changed, lambda _: self._show_groups())
        listen(self, session.named.changed, self._show_groups)
        self.a.show_choice(Choice(_SELECTED, None))
        self.b.show_choice(Choice(_REST, None))
        self._show_groups()

    # ------------------------------------------------------------------ show

    @property
    def measuring(self) -> Measuring:
        """The thresholds that are shown."""
        return replace(self._session.groups.measuring, without_insets=self.without_insets.isChecked())

    def show_progress(self, progress: Progress | None) -> None:
        """Show how far the comparison is."""
        busy = progress is not None
        if progress is None:
            self._pace = Pace()
        else:
            steps = f" {progress.done:,} of {progress.total:,}" if progress.total else ""
            left = self._pace.seconds_left(progress)
            beside = progress.note if left is None else f"{spoken(left)} left"
            self.progress.say(f"{progress.stage}{steps} · {beside}")
        for widget in (self.progress, self.cancel):
            widget.setVisible(busy)
        for widget in (self.compare, self.where):
            widget.setEnabled(not busy)

    def _show_groups(self) -> None:
        named = self._session.named
        for box, usual in ((self.a, _SELECTED), (self.b, _REST)):
            if box.value is not None and box.value not in named:
                box.show_choice(Choice(usual, None))
        if self.a.value is None:
            self.a.show_choice(Choice(f"{_SELECTED} ({len(self._session.selection):,})", None))

    def _on_compared(self, comparison: Comparison | None) -> None:
        self.forest.show_comparison(comparison)
        for widget in (self.forest, self.details, self.save, self.where):
            widget.setVisible(comparison is not None)
        if not self._shows_where:
            self._on_apart(None)
            if self._session.where.groups is not None:
                self._session.where.hide()
        if comparison is None:
            return
        self.in_a.setText(f"Show in {_short(comparison.a.name)}")
        self.in_b.setText(f"Show in {_short(comparison.b.name)}")
        self.in_a.setToolTip(f"Open a typical image: {comparison.a.said}")
        self.in_b.setToolTip(f"Open a typical image: {comparison.b.said}")
        unread = [f"{counted(len(comparison.unread), 'image')} could not be measured."] if comparison.unread else []
        sides = f"{comparison.a.name}: {comparison.a.said}. {comparison.b.name}: {comparison.b.said}."
        self.notes.setText("\n".join([sides, *comparison.notes, *unread]))
        self.notes.setToolTip("\n".join(comparison.unread[:20]))
        quantity = self._session.outlines.quantity
        if quantity is not None and self.forest.chosen() is None:
            self.forest.choose(quantity)
        self._show_chosen()

    def _show_chosen(self) -> None:
        comparison, chosen = self._session.groups.comparison, self.forest.chosen()
        difference = chosen if isinstance(chosen, Difference) else None
        if comparison is None or difference is None:
            self.sentence.setText("" if chosen is None else self.forest.currentItem().toolTip(0))
            if chosen is None:
                self.sentence.setText("Click a line to see what was counted, drawn on an image.")
        else:
            self.sentence.setText(comparison.sentence(difference))
        in_pictures = difference is not None and difference.source == "image"
        field = Measuring.threshold_of(difference.name) if in_pictures and difference is not None else ""
        self.acts.setVisible(in_pictures)
        self.threshold_row.setVisible(bool(field))
        if field:
            said, low, high = _THRESHOLDS[field]
            self.threshold_name.say(said)
            self.threshold.setRange(low, high)
            self.threshold.setSingleStep((high - low) / 100)
            self.threshold.setValue(getattr(self._session.groups.measuring, field))
            self._resting.stop()  # that was no wish of the user's
        self._on_outlines()

    def _on_outlines(self) -> None:
        found, outlines = self._session.outlines.found, self._session.outlines
        self.hide_outlines.setVisible(outlines.quantity is not None)
        self.counted.setVisible(found is not None)
        if found is not None and outlines.row is not None:
            name = self._session.atlas[outlines.row].name
            self.counted.setText(f"Outlined in {name}: {found.said}.")

    def _on_apart(self, apart: Apart | None) -> None:
        """Say how surely the groups are told apart, and where that shows, or why it cannot be shown."""
        self.apart.setVisible(apart is not None)
        if apart is not None:
            shown = f"Red as in {apart.a}, blue as in {apart.b}; strong where resampled fits agree."
            self.apart.setText(f"{apart.sentence} {f'Not shown: {apart.reason}' if apart.reason else shown}")
        self._show_where()

    def _show_where(self) -> None:
        self.where.setText("Hide where it shows" if self._shows_where else "Where does it show?")

    @property
    def _shows_where(self) -> bool:
        comparison, groups = self._session.groups.comparison, self._session.where.groups
        if comparison is None or groups is None:
            return False
        sides = (comparison.a, comparison.b)
        return all(side.name == name and np.array_equal(side.rows, rows) for side, (name, rows) in zip(sides, groups))

    # ------------------------------------------------------------------ ask

    def _groups(self, usual: str) -> Iterator[Choice]:
        yield Choice(usual, None)
        for named in self._session.named:
            yield Choice(named.name, named.name)

    def ask(self) -> None:
        """Compare what is chosen."""
        try:
            self._session.groups.compare(self.a.value, self.b.value, self.measuring)
        except Problem as problem:
            self._tell(str(problem))

    def _on_compare(self) -> None:
        self.ask()

    def _on_chosen(self) -> None:
        self._show_chosen()
        chosen = self.forest.chosen()
        if isinstance(chosen, Difference) and chosen.source == "image":
            self.outline_wanted.emit(chosen.name, self.measuring)
        elif chosen is not None:
            self._session.outlines.hide()

    def _on_threshold(self) -> None:
        chosen = self.forest.chosen()
        field = Measuring.threshold_of(chosen.name) if isinstance(chosen, Difference) else ""
        value = round(float(self.threshold.value()), 3)
        if chosen is None or not field or value == getattr(self._session.groups.measuring, field):
            return
        self._session.groups.measuring = self.measuring.with_threshold(field, value)
        self.outline_wanted.emit(chosen.name, self.measuring)
        self.ask_again()

    def ask_again(self) -> None:
        """Compare the same groups with the thresholds that are shown."""
        comparison = self._session.groups.comparison
        if comparison is not None:
            self._session.groups.compare_again(self.measuring)

    def _ask_example(self, side: str) -> None:
        comparison = self._session.groups.comparison
        if comparison is not None:
            self.example_wanted.emit(comparison.a.rows if side == "a" else comparison.b.rows)

    def _on_where(self) -> None:
        if self._shows_where:
            self._session.where.hide()
            self._show_where()
        else:
            self.where_wanted.emit()

    def _on_cancel(self) -> None:
        self._session.groups.cancel()
        self._session.where.stop()

    def _on_color(self) -> None:
        chosen = self.forest.chosen()
        if isinstance(chosen, Difference):
            self._session.groups.add_quantity(chosen.name, self.measuring)

    def _on_save(self) -> None:
        ask_where_to_write(self, "Save the differences", outside(self._session) / "differences.csv", self._write)

    def _write(self, path: Path) -> None:
        try:
            self._session.groups.export(path)
        except Problem as problem:
            self._tell(str(problem))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put list and details side by side where there is room."""
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._parts.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)


def _flow(*widgets: QWidget) -> Flow:
    flow = Flow()
    for widget in widgets:
        flow.flow.addWidget(widget)
    return flow


def _short(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"
