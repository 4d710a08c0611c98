"""What is excluded, with the reasons; and taking it back."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QAbstractItemView, QDialog, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_micromap.session import Session
from napari_micromap.views.controls import Paragraph, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counted


class ExcludedWindow(QDialog):
    """A list of the excluded images that follows the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Excluded images")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session = session
        self.heading = Paragraph()
        self.tree = QTreeWidget()
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setHeaderLabels(["Image", "Sample", "Reason", "Excluded"])
        self.tree.itemDoubleClicked.connect(lambda item: session.open_micrograph(_row(item)))
        self.tree.itemSelectionChanged.connect(self._on_chosen)
        self.back = push("Take back", self._on_back, "Use the marked ones again")
        self.all_back = push("Take all back", self._on_all_back, "Use all of them again")
        layout = QVBoxLayout(self)
        layout.addWidget(self.heading)
        layout.addWidget(self.tree, 1)
        layout.addLayout(
            side_by_side(
                self.back, self.all_back, 1, push("Copy", self.copy, "Copy as text"), push("Close", self.close)
            )
        )
        listen(self, session.scope.changed, self._on_scope)
        listen(self, session.atlas_changed, lambda _: self._on_scope())
        self._on_scope()
        self.resize(640, 360)

    def copy(self) -> None:
        """Put the list on the clipboard as text."""
        items = [self.tree.topLevelItem(k) for k in range(self.tree.topLevelItemCount())]
        lines = ["\t".join(item.text(k) for k in range(4)) for item in items]
        QGuiApplication.clipboard().setText("\n".join([self.heading.text(), *lines]))

    def _on_scope(self) -> None:
        atlas, scope = self._session.atlas, self._session.scope
        rows = np.flatnonzero(scope.excluded(atlas)).tolist()
        self.heading.setText(_heading(self._session))
        self.tree.clear()
        for row in rows:
            told = scope.exclusions[str(atlas.ids[row])]
            sample = "" if atlas.samples is None else str(atlas.samples.iat[row])
            when = "after a property was shown" if told.after_property else "before any property was shown"
            item = QTreeWidgetItem([str(atlas.columns["file"].iat[row]), sample, told.reason, when])
            item.setData(0, Qt.ItemDataRole.UserRole, row)
            item.setToolTip(0, str(atlas.paths[row]))
            self.tree.addTopLevelItem(item)
        for column in range(4):
            self.tree.resizeColumnToContents(column)
            self.tree.setColumnWidth(column, min(240, self.tree.columnWidth(column) + 12))
        self.all_back.setEnabled(bool(rows))
        self._on_chosen()

    def _on_chosen(self) -> None:
        self.back.setEnabled(bool(self.tree.selectedItems()))

    def _on_back(self) -> None:
        self._session.include([_row(item) for item in self.tree.selectedItems()])

    def _on_all_back(self) -> None:
        self._session.include(np.flatnonzero(self._session.scope.excluded(self._session.atlas)))


def _heading(session: Session) -> str:
    atlas, scope = session.atlas, session.scope
    reasons = scope.reasons(atlas)
    if not reasons:
        return "Nothing is excluded."
    said = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    later = scope.after_property(atlas)
    return f"{counted(sum(reasons.values()), 'image')} excluded: {said}. They shape neither the map nor any test." + (
        f" {later:,} of them after a property was first shown, so the choice may have followed it." if later else ""
    )


def _row(item: QTreeWidgetItem) -> int:
    return int(item.data(0, Qt.ItemDataRole.UserRole))
