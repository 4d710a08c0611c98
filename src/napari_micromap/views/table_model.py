"""The columns of micrographs or of samples, as Qt wants a table."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from qtpy.QtGui import QFont, QIcon

from napari_micromap.atlas import Rows
from napari_micromap.labels import natural_key
from napari_micromap.tables.several import is_number
from napari_micromap.wording import title_of

Index: TypeAlias = QModelIndex | QPersistentModelIndex
PICTURE = 0  # the first column shows thumbnails


class TableModel(QAbstractTableModel):
    """Shows lines of a table in an order of its own; nothing is looped over but what is on the screen.

    A *line* is where something stands on the screen, a *row* where it stands in the table that is shown.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = pd.DataFrame()
        self._names: list[str] = []
        self._values: dict[int, NDArray[Any]] = {}
        self._numbers: set[int] = set()
        self._order: Rows = np.empty(0, np.intp)
        self._kept: Rows = self._order
        self._sorted_by: tuple[int, bool] | None = None  # column, ascending
        self._excluded: NDArray[np.bool_] = np.empty(0, bool)
        self._texts: pd.Series[Any] | None = None  # of each row, to search in
        self._pictures: dict[int, QIcon] = {}
        self._struck, self._strong = QFont(), QFont()
        self._struck.setStrikeOut(True)
        self._strong.setBold(True)
        self._current: int | None = None

    # ------------------------------------------------------------------ told from outside

    def show_table(self, table: pd.DataFrame, excluded: NDArray[np.bool_]) -> None:
        """Show another table; what was sorted by stays, where there is a column of that name."""
        name = None if self._sorted_by is None else self._names[self._sorted_by[0] - 1]
        self.beginResetModel()
        self._table, self._names = table, [str(column) for column in table.columns]
        self._values = {}
        self._numbers = {k for k, column in enumerate(self._names, start=1) if is_number(table[column])}
        self._excluded, self._texts, self._pictures, self._current = excluded, None, {}, None
        if self._sorted_by is not None:
            again = self._names.index(name) + 1 if name in self._names else None
            self._sorted_by = None if again is None else (again, self._sorted_by[1])
        self._kept = np.arange(len(table), dtype=np.intp)
        self._order = self._ordered()
        self.endResetModel()

    def show_rows(self, rows: Rows) -> None:
        """Show only some rows."""
        if not np.array_equal(rows, self._kept):
            self.beginResetModel()
            self._kept = rows
            self._order = self._ordered()
            self.endResetModel()

    def strike(self, excluded: NDArray[np.bool_]) -> None:
        """Strike rows through."""
        if not np.array_equal(excluded, self._excluded):
            self._excluded = excluded
            self._tell_changed(Qt.ItemDataRole.FontRole)

    def show_current(self, row: int | None) -> None:
        """Write one row in bold."""
        if row != self._current:
            self._current = row
            self._tell_changed(Qt.ItemDataRole.FontRole)

    def show_pictures(self, pictures: dict[int, QIcon]) -> None:
        """Show thumbnails of rows."""
        self._pictures.update(pictures)
        if len(self._order):
            ends = self.index(0, PICTURE), self.index(len(self._order) - 1, PICTURE)
            self.dataChanged.emit(*ends, [Qt.ItemDataRole.DecorationRole])

    def matching(self, text: str) -> Rows:
        """Return the rows in which all words of a text occur, whatever their case."""
        if self._texts is None:
            parts = [self._table[name].astype(str).where(self._table[name].notna(), "") for name in self._names]
            together = parts[0] if parts else pd.Series([], dtype=str)
            for part in parts[1:]:
                together = together + "\n" + part
            self._texts = together.str.casefold()
        found = np.ones(len(self._table), bool)
        for word in text.casefold().split():
            found &= self._texts.str.contains(word, regex=False).to_numpy(bool)
        rows: Rows = np.flatnonzero(found).astype(np.intp)
        return rows

    # ------------------------------------------------------------------ asked from outside

    @property
    def order(self) -> Rows:
        """The row of each line."""
        return self._order

    def missing_pictures(self, first: int, last: int) -> list[int]:
        """Return the rows of some lines that have no thumbnail yet."""
        return [row for row in self._order[max(0, first) : last + 1].tolist() if row not in self._pictures]

    def lines_of(self, rows: Rows) -> NDArray[np.intp]:
        """Return the lines where rows stand, in order; without those that are not shown."""
        return np.flatnonzero(np.isin(self._order, rows)).astype(np.intp)

    def shown(self) -> pd.DataFrame:
        """Return what is shown, in its order."""
        return self._table.iloc[self._order].reset_index(drop=True)

    def as_text(self, lines: NDArray[np.intp]) -> str:
        """Write lines with the names of the columns above, for a spreadsheet."""
        chosen = self._table.iloc[self._order[lines]]
        return str(chosen.to_csv(sep="\t", index=False, lineterminator="\n"))

    # ------------------------------------------------------------------ Qt's questions

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Count the lines."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Count the columns, with the one of thumbnails."""
        return 0 if parent.isValid() or not self._names else len(self._names) + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name a column."""
        asked = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        if not asked or orientation != Qt.Orientation.Horizontal or not 0 <= section <= len(self._names):
            return None
        return title_of(self._names[section - 1]) if section != PICTURE else ""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Say what stands in a cell."""
        if not index.isValid() or index.row() >= len(self._order):
            return None
        row, column = int(self._order[index.row()]), index.column()
        if role == Qt.ItemDataRole.FontRole:
            return self._struck if self._excluded[row] else self._strong if row == self._current else None
        if column == PICTURE:
            return self._pictures.get(row) if role == Qt.ItemDataRole.DecorationRole else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _written(self._column(column)[row])
        if role == Qt.ItemDataRole.TextAlignmentRole and column in self._numbers:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Put the lines in the order of a column; what is missing comes last."""
        wanted = None if column <= PICTURE else (column, order == Qt.SortOrder.AscendingOrder)
        if wanted != self._sorted_by:
            # Not a change of layout: Qt would ask where each of its selected cells has gone, one by one.
            self.beginResetModel()
            self._sorted_by = wanted
            self._order = self._ordered()
            self.endResetModel()

    # ------------------------------------------------------------------ within

    def _column(self, column: int) -> NDArray[Any]:
        if column not in self._values:
            self._values[column] = self._table[self._names[column - 1]].to_numpy()
        return self._values[column]

    def _ordered(self) -> Rows:
        if self._sorted_by is None:
            return self._kept
        column, ascending = self._sorted_by
        series = self._table[self._names[column - 1]].iloc[self._kept].reset_index(drop=True)
        if column not in self._numbers:
            texts = series.map(str, na_action="ignore")
            ranks = {text: k for k, text in enumerate(sorted(texts.dropna().unique(), key=natural_key))}
            series = texts.map(ranks)
        by_value = series.astype(float).sort_values(ascending=ascending, kind="stable", na_position="last")
        rows: Rows = self._kept[by_value.index.to_numpy()]
        return rows

    def _tell_changed(self, role: Qt.ItemDataRole) -> None:
        if len(self._order):
            ends = self.index(0, 0), self.index(len(self._order) - 1, len(self._names))
            self.dataChanged.emit(*ends, [role])


def _written(value: Any) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value)
