"""How a table is read and joined, asked where that is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QFont, QKeyEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QLabel,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_micromap.labels import exactly
from napari_micromap.session import Session
from napari_micromap.tables import Match, TablePreview
from napari_micromap.views.controls import GAP, Choice, ChoiceBox, Paragraph, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counted, listed

_MOST_OPTIONS = 30
_MOST_HEADER = 3  # lines that name columns


class TableChoices(QDialog):
    """Shows the first lines of a table and how it would be joined; each choice shows what it leads to.

    Parameters
    ----------
    session : Session
    seen : TablePreview
        What to begin with.
    parent : QWidget
    """

    def __init__(self, session: Session, seen: TablePreview, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Add a table: {seen.path.name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session, self._open = session, True
        self.seen, self._wanted = seen, seen.wanted
        self._build()
        self.finished.connect(self._on_finished)
        listen(self, session.atlas_changed, lambda _: self._look_again())
        self.show_preview(seen)
        self.resize(680, 520)

    # ------------------------------------------------------------------ build

    def _build(self) -> None:
        self.doubts = Paragraph()
        self.sheet = ChoiceBox(lambda: [Choice(name, name) for name in self.seen.sheets])
        self.first, self.count = QSpinBox(), QSpinBox()
        self.first.setRange(1, 10_000)
        self.count.setRange(1, _MOST_HEADER)
        self.count.setSuffix(" line")
        self.count.valueChanged.connect(lambda count: self.count.setSuffix(" line" if count == 1 else " lines"))
        self.lines = QTableWidget(0, 0)
        self.lines.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.lines.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.lines.horizontalHeader().hide()
        self.key = ChoiceBox(self._keys)
        self.several = ChoiceBox(self._severals)
        self.spread, self.told = Paragraph(muted=True), Paragraph()
        self.near = QCheckBox()
        self.add = push("Add table", self._on_add, main=True)
        self.add.setDefault(True)  # else the first button, Cancel, would be what Enter presses
        self._names: dict[str, QLabel] = {}
        form = QGridLayout()
        form.setSpacing(GAP)
        form.setColumnStretch(1, 1)
        names_in = QWidget()
        names_in.setLayout(side_by_side(self.first, self.count, 1))
        rows: tuple[tuple[str, QWidget, str], ...] = (
            ("Sheet", self.sheet, "Which sheet holds the values"),
            ("Column names in line", names_in, "The first of them, and how many: a name and its unit may be two"),
            ("Images found by", self.key, "What in the table says which image or sample a row means"),
            ("Several rows", self.several, "What to take where several rows mean the same image or sample"),
        )
        for line, (name, widget, tip) in enumerate(rows):
            self._names[name] = QLabel(name)
            self._names[name].setToolTip(tip)
            form.addWidget(self._names[name], line, 0)
            form.addWidget(widget, line, 1)
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP)
        layout.addWidget(self.doubts)
        layout.addWidget(self.lines, 1)
        layout.addLayout(form)
        for below in (self.spread, self.near, self.told):
            layout.addWidget(below)
        layout.addLayout(side_by_side(1, push("Cancel", self.reject), self.add))
        self.sheet.picked.connect(lambda name: self._ask(sheet=name, header_rows=None, table_column=None, near=False))
        self.first.valueChanged.connect(lambda first: self._ask_header(first, len(self._wanted.header_rows or (0,))))
        self.count.valueChanged.connect(lambda count: self._ask_header((self._wanted.header_rows or (1,))[0], count))
        self.key.picked.connect(self._on_key)
        self.several.picked.connect(lambda how: self._ask(several=how))
        self.near.clicked.connect(lambda ticked: self._ask(near=ticked))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take a typed number at Enter, and no more: what it leads to is to be seen first."""
        entered = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not (entered and isinstance(self.focusWidget(), QSpinBox)):
            super().keyPressEvent(event)

    # ------------------------------------------------------------------ show

    def show_preview(self, seen: TablePreview) -> None:
        """Show a table and how it would be joined."""
        if not self._open:
            return
        self.seen, self._wanted = seen, seen.wanted
        header = seen.wanted.header_rows or ()
        self.doubts.setText(" ".join(seen.doubts) or "All is clear.")
        self._show_one("Sheet", self.sheet, len(seen.sheets) > 1)
        self.sheet.show_choice(Choice(seen.wanted.sheet or "", seen.wanted.sheet))
        self._names["Column names in line"].setEnabled(bool(header))
        for box in (self.first, self.count):
            box.setEnabled(bool(header))
        if header:
            self.first.setValue(header[0])
            self.count.setValue(len(header))
        self._fill_lines(header)
        self._show_match(seen.match)

    def _show_match(self, match: Match | None) -> None:
        seen = self.seen
        self._show_one("Images found by", self.key, bool(seen.options))
        self.key.show_choice(_choice_of(match) if match is not None else Choice("Nothing fits", None))
        repeated = match is not None and match.repeated > 0
        self._show_one("Several rows", self.several, repeated)
        how = next((one for one in self._severals() if one.value == seen.wanted.several), None)
        self.several.show_choice(how or Choice("Their mean", "mean"))
        spread = ", ".join(
            f"{one.column} {exactly(one.low)} to {exactly(one.high)} in “{one.name}”" for one in seen.spreads[:3]
        )
        self.spread.setVisible(bool(spread))
        self.spread.setText(f"Farthest apart: {spread}.")
        near = seen.near_misses
        self.near.setVisible(bool(near) or seen.wanted.near)
        self.near.setChecked(seen.wanted.near)
        said = listed([f"“{one.table}” for “{one.micrograph}”" for one in near[:2]])
        more = f" and {counted(len(near) - 2, 'more name')}" if len(near) > 2 else ""
        self.near.setText(f"Take {said}{more}" if near else "Names that differ in zeros and signs are the same")
        self.told.setText(match.told(self._taken()) if match is not None else seen.problem)
        self.add.setEnabled(match is not None)

    def _fill_lines(self, header: tuple[int, ...]) -> None:
        lines = self.seen.lines
        self.lines.setRowCount(len(lines))
        self.lines.setColumnCount(max((len(cells) for _, cells in lines), default=0))
        self.lines.setVerticalHeaderLabels([str(number) for number, _ in lines])
        bold = QFont(self.lines.font())
        bold.setBold(True)
        for line, (number, cells) in enumerate(lines):
            for place, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if number in header:
                    item.setFont(bold)
                elif header and number < header[0]:
                    item.setFlags(Qt.ItemFlag.NoItemFlags)  # a title: skipped
                self.lines.setItem(line, place, item)
        self.lines.resizeColumnsToContents()
        for place in range(self.lines.columnCount()):
            self.lines.setColumnWidth(place, min(180, self.lines.columnWidth(place) + 8))

    def _show_one(self, name: str, widget: QWidget, visible: bool) -> None:
        self._names[name].setVisible(visible)
        widget.setVisible(visible)

    # ------------------------------------------------------------------ ask

    def _ask(self, **changes: Any) -> None:
        """Look again, with something else wanted."""
        wanted = replace(self._wanted, **changes)
        if wanted != self._wanted:
            self._wanted = wanted
            self._look_again()

    def _look_again(self) -> None:
        if self._open:
            self._session.tables.look_at(self.seen.path, self.show_preview, self._wanted)

    def _ask_header(self, first: int, count: int) -> None:
        filled = [number for number, _ in self.seen.lines if number >= first]
        if self._wanted.header_rows is not None and filled:
            self._ask(header_rows=tuple(filled[:count]))

    def _on_key(self, match: Match | None) -> None:
        if match is not None:
            self._ask(micrograph_column=match.micrograph_key.strip("“”"), table_column=match.table_column)

    def _on_add(self) -> None:
        wanted = self._wanted
        self.accept()
        self._session.tables.add(
            self.seen.path, sheet=wanted.sheet, header_rows=wanted.header_rows,
            micrograph_column=wanted.micrograph_column, table_column=wanted.table_column,
            several=wanted.several, near=wanted.near,
        )  # fmt: skip

    def _on_finished(self) -> None:
        self._open = False

    # ------------------------------------------------------------------ within

    def _keys(self) -> Iterator[Choice]:
        return (_choice_of(match) for match in self.seen.options[:_MOST_OPTIONS])

    def _severals(self) -> Iterator[Choice]:
        date = self.seen.date_column
        yield Choice("Their mean", "mean", "The mean of numbers; texts that differ stand side by side")
        yield Choice(f"The newest by “{date}”" if date else "The last in the table", "newest")
        yield Choice("The first in the table", "first")

    def _taken(self) -> str:
        return {"mean": "the mean of their numbers is taken", "newest": "the newest is taken"}.get(
            self.seen.wanted.several, "the first is taken"
        )


def _choice_of(match: Match) -> Choice:
    left = len(match.unmatched_rows)
    found = f"{len(match.matched):,} of {len(match.micrograph_codes):,} images"
    said = f"{match.table_column} = {match.micrograph_key}: {found}"
    return Choice(said + (f", {counted(left, 'row')} left over" if left else ""), match)
