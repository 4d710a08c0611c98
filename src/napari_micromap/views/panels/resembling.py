"""Images that stand for a group, look alike and differ, are nearly the same, or are like no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pandas as pd
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_micromap.labels import number
from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.views.controls import GAP, Choice, ChoiceBox, Paragraph, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counted, quantity_of, sample_noun

_ROW = 22  # logical pixels
TYPICAL, ALIKE, SAME, ODD = "typical", "alike", "same", "odd"
_TITLES = {
    TYPICAL: "Most typical of each group",
    ALIKE: "Look alike, but differ",
    SAME: "Nearly the same image",
    ODD: "Unlike all others",
}
Entry: TypeAlias = tuple[str, str, list[int]]  # what, how, and rows of the atlas


class ResemblingPanel(QWidget):
    """One list at a time; a click selects, a double click opens."""

    def __init__(self, session: Session, tell: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._tell = session, tell
        self.which = ChoiceBox(lambda: [Choice(title, name) for name, title in _TITLES.items()])
        self.said = Paragraph(muted=True)
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setHeaderHidden(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setUniformRowHeights(True)
        self.list.setColumnCount(2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP, 2 * GAP, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(
            side_by_side(self.which, push("Look again", self.fill, "After the selection or color changed"))
        )
        layout.addWidget(self.said)
        layout.addWidget(self.list, 1)
        self.which.show_choice(Choice(_TITLES[TYPICAL], TYPICAL))
        self.which.picked.connect(lambda _: self.fill())
        self.list.itemClicked.connect(lambda item, _: self._on_click(item))
        self.list.itemDoubleClicked.connect(lambda item, _: self._on_double_click(item))
        listen(self, session.groups.compared, lambda _: self.fill())

    def fill(self) -> None:
        """List what there is now."""
        makers = {TYPICAL: self._typical, ALIKE: self._alike, SAME: self._same, ODD: self._odd}
        self.list.clear()
        try:
            said, entries = makers[self.which.value]()
        except Problem as problem:
            said, entries = str(problem), []
        self.said.setText(said)
        for what, how, rows in entries:
            item = QTreeWidgetItem([what, how])
            item.setData(0, Qt.ItemDataRole.UserRole, rows)
            item.setToolTip(0, what)
            item.setToolTip(1, how)
            item.setSizeHint(0, QSize(120, _ROW))
            self.list.addTopLevelItem(item)
        self.list.resizeColumnToContents(1)
        self.list.setColumnWidth(0, max(120, round(self.list.viewport().width() * 0.6)))

    # ------------------------------------------------------------------ the lists

    def _typical(self) -> tuple[str, list[Entry]]:
        session, comparison = self._session, self._session.groups.comparison
        groups: list[tuple[str, Sequence[int]]]
        if comparison is not None:
            groups = [(side.name, session.groups.typical(side.rows).tolist()) for side in (comparison.a, comparison.b)]
        elif len(session.selection):
            groups = [("the selection", session.groups.typical().tolist())]
        else:
            return "Select some images or compare two groups; then the most typical of each are listed.", []
        entries = [(self._name(row), f"of {name}", [row]) for name, rows in groups for row in rows]
        return f"Nearest to the middle of their group, each of another {self._noun}.", entries

    def _alike(self) -> tuple[str, list[Entry]]:
        color = self._session.color_by
        pairs = self._session.groups.unlike_pairs()
        quantity, unit = quantity_of(str(color))
        numbers = pd.to_numeric(self._session.atlas.columns[str(color)], errors="coerce").to_numpy(float)
        entries = []
        for pair in pairs:
            both = " and ".join(number(float(numbers[row]), pair.gap) for row in (pair.one, pair.other))
            entries.append((self._names(pair.one, pair.other), f"{both} {unit}".strip(), [pair.one, pair.other]))
        said = f"Pairs of different {self._noun}s that look most alike and differ most in {quantity}."
        return said if entries else f"No pair that looks alike differs in {quantity}.", entries

    def _same(self) -> tuple[str, list[Entry]]:
        pairs = self._session.groups.near_duplicates()
        entries = [
            (
                self._names(pair.one, pair.other),
                ("the same" if pair.distance < 1e-6 else "nearly")
                + ("" if pair.same_sample else f", other {self._noun}"),
                [pair.one, pair.other],
            )
            for pair in pairs
        ]
        said = f"{counted(len(entries), 'pair')} ten times as close as neighbors usually are. Exclude one of them (X)."
        return said if entries else "No two images are nearly the same.", entries

    def _odd(self) -> tuple[str, list[Entry]]:
        found = self._session.groups.outliers()
        entries = [(self._name(one.row), f"{one.times:.1f} × as far as usual", [one.row]) for one in found]
        said = "Much further from their nearest neighbors than is usual: a defect, another place, a failed picture?"
        return said if entries else "No image lies apart from all others.", entries

    # ------------------------------------------------------------------ ask

    def _on_click(self, item: QTreeWidgetItem) -> None:
        self._session.selection.replace(item.data(0, Qt.ItemDataRole.UserRole))

    def _on_double_click(self, item: QTreeWidgetItem) -> None:
        self._session.open_micrograph(item.data(0, Qt.ItemDataRole.UserRole)[0])

    # ------------------------------------------------------------------ words

    @property
    def _noun(self) -> str:
        return sample_noun(self._session.atlas) if self._session.atlas.samples is not None else "image"

    def _name(self, row: int) -> str:
        return str(self._session.atlas.columns["file"].iat[row])

    def _names(self, one: int, other: int) -> str:
        return f"{self._name(one)}  –  {self._name(other)}"
