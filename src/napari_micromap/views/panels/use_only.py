"""Which images to use: some values of a column, a range, or a text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from qtpy.QtCore import QAbstractItemModel, QEvent, QModelIndex, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from napari_micromap.atlas import OWN_COLUMNS, Rows
from napari_micromap.labels import natural_key
from napari_micromap.session import Session
from napari_micromap.session.scope import MISSING, Filter, shown_values
from napari_micromap.views.controls import GAP, Choice, ChoiceBox, Line, field_name, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counts_of, picture_noun, title_of

_MOST_VALUES = 24  # of a column of numbers that are still listed one by one
_MOST_LISTED = 2000
_FIRST = ("magnification", "detector", "sample", "batch", "date")  # asked for most often


class UseOnly(QDialog):
    """Chooses a column and what of it is used; counts what would be left before it is done.

    Parameters
    ----------
    session : Session
    column : str, optional
        What to begin with.
    parent : QWidget
    """

    def __init__(self, session: Session, column: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Use only…")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session = session
        self.column = ChoiceBox(self._columns)
        self.search = QLineEdit()
        self.search.setClearButtonEnabled(True)
        self.values = QListWidget()
        self.values.setItemDelegate(_Ticking(self.values))
        self.values.setSpacing(GAP // 4)
        self.low, self.high = QLineEdit(), QLineEdit()
        self.pages = QStackedWidget()
        self.told = Line()
        self.use = push("Use only these", self._on_use, main=True)
        self.use.setDefault(True)  # else the first button, Cancel, would be what Enter presses
        self._build()
        self.column.picked.connect(self.show_column)
        self.search.textChanged.connect(self._on_search)
        self.values.itemChanged.connect(lambda _: self._tell())
        for edge in (self.low, self.high):
            edge.textChanged.connect(lambda _: self._tell())
            edge.returnPressed.connect(self._on_use)
        listen(self, session.atlas_changed, lambda _: self.close())
        self.show_column(column or self._likely())
        self.resize(340, 420)

    def _build(self) -> None:
        listed, ranged = QWidget(), QWidget()
        inner = QVBoxLayout(listed)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.search)
        inner.addWidget(self.values, 1)
        rows = QVBoxLayout(ranged)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(side_by_side(QLabel("from"), self.low, QLabel("to"), self.high))
        self.span = Line(muted=True)
        rows.addWidget(self.span)
        rows.addStretch(1)
        self.pages.addWidget(listed)
        self.pages.addWidget(ranged)
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP)
        layout.addLayout(side_by_side(field_name("Column", "What to choose by"), self.column))
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.told)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(push("Cancel", self.close))
        buttons.addWidget(self.use)
        layout.addLayout(buttons)

    # ------------------------------------------------------------------ show

    def show_column(self, column: str | None) -> None:
        """Offer what there is in a column, with what is used of it now."""
        if column is None or column not in self._session.atlas.columns:
            return
        series = self._session.atlas.columns[column]
        self.column.show_choice(Choice(title_of(column), column))
        before = next((one for one in self._session.scope.filters if one.column == column), Filter(column))
        numeric = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
        ranged = numeric and series.nunique() > _MOST_VALUES
        self.pages.setCurrentIndex(int(ranged))
        if ranged:
            self._show_range(series, before)
        else:
            self._show_values(series, before)
        self._tell()

    def _show_values(self, series: pd.Series, before: Filter) -> None:
        counts = shown_values(series).value_counts()
        numbers = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
        there = [str(value) for value in counts.index if value != MISSING]
        order = sorted(there, key=float) if numbers else sorted(there, key=natural_key)
        order += [MISSING] if MISSING in counts.index else []
        self.values.clear()
        for value in order[:_MOST_LISTED]:
            item = QListWidgetItem(f"{value} ({counts[value]:,})")
            item.setData(Qt.ItemDataRole.UserRole, value)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if value in before.values else Qt.CheckState.Unchecked)
            self.values.addItem(item)
        self.search.setPlaceholderText("Search; with nothing ticked, all that contain this are used")
        self.search.setText(before.text)

    def _show_range(self, series: pd.Series, before: Filter) -> None:
        self.low.setText(f"{before.low:g}" if np.isfinite(before.low) else "")
        self.high.setText(f"{before.high:g}" if np.isfinite(before.high) else "")
        self.low.setPlaceholderText(f"{series.min():.4g}")
        self.high.setPlaceholderText(f"{series.max():.4g}")
        missing = int(series.isna().sum())
        self.span.say(
            f"Values lie between {series.min():.4g} and {series.max():.4g}"
            + (f"; {missing:,} images have none" if missing else "")
        )

    def tick(self, values: tuple[str, ...]) -> None:
        """Tick these values and no others."""
        for item in self._items():
            ticked = item.data(Qt.ItemDataRole.UserRole) in values
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)

    def tick_most_common(self) -> None:
        """Tick the value that most images have."""
        series = shown_values(self._session.atlas.columns[self.column.value])
        counts = series[series != MISSING].value_counts()
        if len(counts) and self.pages.currentIndex() == 0:
            self.tick((str(counts.index[0]),))
        elif self.pages.currentIndex() == 1:
            self._take_densest()

    def _take_densest(self) -> None:
        """Take the range of a factor of 1.5 that holds most values."""
        values = self._session.atlas.columns[self.column.value].to_numpy(float, na_value=np.nan)
        values = np.sort(values[values > 0])
        if len(values):
            inside = np.searchsorted(values, 1.5 * values, side="right") - np.arange(len(values))
            first = int(inside.argmax())
            last = first + int(inside[first]) - 1
            self.low.setText(f"{values[first] * 0.9999:.5g}")
            self.high.setText(f"{values[last] * 1.0001:.5g}")

    def _tell(self) -> None:
        wanted = self.wanted
        rows = self._rows_of(wanted) if wanted is not None else np.empty(0, np.intp)
        asked = wanted is not None and wanted != Filter(wanted.column)
        self.use.setEnabled(asked and len(rows) > 0)
        if not asked:
            self.told.say("Tick what to use" if self.pages.currentIndex() == 0 else "Give one end or both")
        else:
            atlas = self._session.atlas
            noun = picture_noun(atlas)
            self.told.say(counts_of(atlas, rows).replace(f" {noun}", f" of {len(atlas):,} {noun}", 1))

    def _on_search(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.casefold() not in str(item.data(Qt.ItemDataRole.UserRole)).casefold())
        self._tell()

    # ------------------------------------------------------------------ ask

    @property
    def wanted(self) -> Filter | None:
        """The filter as it stands there; None where a number cannot be read."""
        column = str(self.column.value)
        if self.pages.currentIndex() == 0:
            ticked = tuple(
                str(item.data(Qt.ItemDataRole.UserRole))
                for item in self._items()
                if item.checkState() == Qt.CheckState.Checked
            )
            return Filter(column, ticked) if ticked else Filter(column, text=self.search.text().strip())
        try:
            low, high = (float(edge.text().replace(",", ".")) if edge.text().strip() else None for edge in self._edges)
        except ValueError:
            return None
        return Filter(column, low=-np.inf if low is None else low, high=np.inf if high is None else high)

    @property
    def _edges(self) -> tuple[QLineEdit, QLineEdit]:
        return self.low, self.high

    def _on_use(self) -> None:
        wanted = self.wanted
        if wanted is not None and self.use.isEnabled():
            self.close()
            self._session.use_only(wanted)

    # ------------------------------------------------------------------ within

    def _rows_of(self, wanted: Filter) -> Rows:
        """Return what would be used, beside the filters on other columns."""
        atlas, scope = self._session.atlas, self._session.scope
        kept = wanted.mask(atlas) & ~scope.excluded(atlas)
        for one in scope.filters:
            if one.column != wanted.column:
                kept &= one.mask(atlas)
        return np.flatnonzero(kept).astype(np.intp)

    def _items(self) -> Iterator[QListWidgetItem]:
        return (self.values.item(k) for k in range(self.values.count()))

    def _columns(self) -> Iterator[Choice]:
        atlas = self._session.atlas
        telling = [str(name) for name in atlas.columns if atlas.columns[name].nunique(dropna=False) > 1]
        own = [name for name in telling if name in OWN_COLUMNS]
        others = [name for name in telling if name not in OWN_COLUMNS]
        for name in others:
            yield Choice(title_of(name), name)
        if own and others:
            yield Choice("")
        for name in own:
            yield Choice(title_of(name), name)

    def _likely(self) -> str | None:
        atlas = self._session.atlas
        asked = [atlas.sample_column if name == "sample" else name for name in _FIRST]
        there = [str(choice.value) for choice in self._columns() if choice.label]
        return next((name for name in asked if name in there), there[0] if there else None)


class _Ticking(QStyledItemDelegate):
    """Ticks a line wherever it is clicked, not in its small box alone."""

    def editorEvent(
        self,
        event: QEvent | None,
        model: QAbstractItemModel | None,
        option: QStyleOptionViewItem,
        index: QModelIndex,
    ) -> bool:
        """Turn the tick over when the left button comes up; keys do as ever."""
        if not isinstance(event, QMouseEvent) or model is None:
            return bool(super().editorEvent(event, model, option, index))
        if event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
            role = Qt.ItemDataRole.CheckStateRole
            ticked = Qt.CheckState(index.data(role)) == Qt.CheckState.Checked
            model.setData(index, Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked, role)
        return True
