"""Lists of what could not be read and of what did not match, each in a window of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QDialog, QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.pipeline import Joined
from napari_micromap.tables.names import file_names
from napari_micromap.views.controls import Paragraph, push, side_by_side

_MOST = 2000  # lines a list; nobody reads more, and the rest is counted


class ListWindow(QDialog):
    """One or more titled lists that can be copied as text."""

    def __init__(
        self, title: str, lists: Iterable[tuple[str, Sequence[str], Sequence[Sequence[str]]]], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._lines: list[str] = []
        layout = QVBoxLayout(self)
        for heading, columns, rows in lists:
            layout.addWidget(Paragraph(heading))
            if rows:
                layout.addWidget(_tree(columns, rows[:_MOST]), 1)
            if len(rows) > _MOST:
                layout.addWidget(QLabel(f"… and {len(rows) - _MOST:,} more; Copy takes all of them."))
            self._lines += [heading, *("\t".join(row) for row in rows), ""]
        layout.addLayout(side_by_side(1, push("Copy", self.copy, "Copy as text"), push("Close", self.close)))
        self.resize(560, 420)

    def copy(self) -> None:
        """Put the lists on the clipboard as text."""
        QGuiApplication.clipboard().setText("\n".join(self._lines))


def list_unreadable(atlas: Atlas, parent: QWidget | None = None) -> ListWindow:
    """List the files that are not on the map, and why."""
    rows = [(bad.path, bad.reason) for bad in atlas.unreadable]
    heading = "These files are not on the map. All others are; nothing stands in for these."
    return ListWindow("Files that could not be read", [(heading, ("File", "Reason"), rows)], parent)


def list_unmatched(atlas: Atlas, joined: Joined, parent: QWidget | None = None) -> ListWindow:
    """List what of a table matched, and what was left over on both sides."""
    match, table = joined.match, joined.table
    names = file_names(atlas) if len(match.unmatched_micrographs) else []
    images = [(names[row], str(atlas.columns["folder"].iat[row])) for row in match.unmatched_micrographs]
    columns = [str(name) for name in table.columns]
    left_over = table.iloc[match.unmatched_rows].to_numpy(object)
    values = [["" if pd.isna(value) else str(value) for value in row] for row in left_over]
    lists: list[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = [(joined.sentence, (), ())]
    if images:
        lists.append((f"Images without a row of the table ({len(images):,})", ("Image", "Folder"), images))
    if values:
        lists.append((f"Rows of the table without an image ({len(values):,})", columns, values))
    return ListWindow(f"What matched: {Path(str(table.attrs.get('path', 'table'))).name}", lists, parent)


def list_details(details: str, parent: QWidget | None = None) -> ListWindow:
    """Show the traceback of a fault, to be copied into a report."""
    rows = [(line,) for line in details.splitlines()]
    return ListWindow("Details", [("What happened, for a report to the developers.", ("Traceback",), rows)], parent)


def _tree(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setHeaderLabels(list(columns))
    tree.addTopLevelItems([QTreeWidgetItem([str(value) for value in row]) for row in rows])
    for column in range(len(columns)):
        tree.resizeColumnToContents(column)
        tree.setColumnWidth(column, min(320, tree.columnWidth(column) + 12))
    return tree
