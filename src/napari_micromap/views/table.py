"""The micrographs or the samples, as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from qtpy.QtGui import QGuiApplication, QIcon, QKeyEvent, QKeySequence, QMouseEvent, QPixmap, QShowEvent
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QLineEdit, QTableView, QVBoxLayout, QWidget

from napari_micromap.atlas import OWN_COLUMNS, Atlas, Rows
from napari_micromap.montage.small import Small, small_pictures
from napari_micromap.session import Session
from napari_micromap.tables.by_sample import one_row_a_sample
from napari_micromap.views.asking import ask_where_to_write
from napari_micromap.views.controls import GAP, Line, flat, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.views.pixmaps import image_of
from napari_micromap.views.table_model import PICTURE, TableModel
from napari_micromap.views.whereto import outside
from napari_micromap.wording import counted, sample_noun
from napari_micromap.work import Progress

_THUMBNAIL = QSize(48, 36)  # logical pixels
_REST_MS = 120  # after scrolling, before thumbnails are made
_AGAIN_MS = 1500  # until missing thumbnails are asked for again: others may have taken the lane
_WIDEST = 260  # logical pixels of a column at first
_LOOKED_AT = 60  # lines that say how wide a column is


class TableDock(QWidget):
    """A table of all images, or of all samples, linked with the selection both ways.

    Parameters
    ----------
    session : Session
    """

    menu_wished = Signal(object, object)  # rows, place on the screen
    failed = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.model = TableModel(self)
        self.view = _View(self.model)
        self.what, self.which, self.search = QComboBox(), QComboBox(), QLineEdit()
        self.told = Line(muted=True)
        self._samples: NDArray[np.intp] | None = None  # number of each micrograph's sample, where samples are shown
        self._columns: object = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._make_pictures)
        self._build()
        self._connect()
        self._on_atlas()

    # ------------------------------------------------------------------ build

    def _build(self) -> None:
        self.what.addItems(["Images", "Samples"])
        self.what.setToolTip("One line an image, or one a sample with the means of its images")
        self.which.addItems(["All", "Selected", "Not selected", "Excluded"])
        self.which.setToolTip("Which lines to show; what “Use only…” leaves out is never shown")
        self.search.setPlaceholderText("Search in all columns")
        self.search.setClearButtonEnabled(True)
        copy = flat("Copy", self.copy, "Copy the selected lines, or all, for a spreadsheet (Ctrl+C)")
        save = flat("Save as CSV…", self.ask_where, "Write the lines that are shown as a table")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(side_by_side(self.what, self.which, self.search, self.told, copy, save))
        layout.addWidget(self.view, 1)

    def _connect(self) -> None:
        session = self._session
        self.what.currentIndexChanged.connect(lambda _: self._show_all())
        self.which.currentIndexChanged.connect(lambda _: self._show_rows())
        self.search.textChanged.connect(lambda _: self._show_rows())
        self.view.chosen.connect(self._on_chosen)
        self.view.doubleClicked.connect(self._on_double_click)
        self.view.copy_wished.connect(self.copy)
        self.view.menu_wished.connect(self._on_menu)
        self.view.verticalScrollBar().valueChanged.connect(lambda _: self._timer.start(_REST_MS))
        self.model.modelReset.connect(self._show_selection)
        listen(self, session.atlas_changed, lambda _: self._on_atlas())
        listen(self, session.selection.changed, lambda _: self._on_selection())
        listen(self, session.scope.changed, self._on_scope)
        listen(self, session.current_changed, lambda _: self._show_current())

    # ------------------------------------------------------------------ show

    @property
    def of_samples(self) -> bool:
        """Whether a line is a sample rather than an image."""
        return self._samples is not None

    def _on_atlas(self) -> None:
        # A new map changes no column: nothing to show anew then.
        if self._session.atlas.columns is not self._columns:
            self._show_all()

    def _show_all(self) -> None:
        atlas = self._session.atlas
        self._columns = atlas.columns
        self.what.setItemText(1, sample_noun(atlas).capitalize() + "s")
        if self.what.currentIndex() == 1 and atlas.samples is not None and len(atlas):
            table, self._samples = one_row_a_sample(atlas, np.flatnonzero(self._session.shown))
            self.model.show_table(table, np.zeros(len(table), bool))
        else:
            self._samples = None
            self.model.show_table(_telling_first(atlas), self._session.scope.excluded(atlas))
        self.view.setColumnHidden(PICTURE, self.of_samples)
        self._show_rows()
        self._show_current()
        self._fit_columns()

    def _on_scope(self) -> None:
        if self.of_samples:
            self._show_all()
        else:
            self.model.strike(self._session.scope.excluded(self._session.atlas))
            self._show_rows()

    def _show_rows(self) -> None:
        """Show the lines that are asked for."""
        session = self._session
        which, text = self.which.currentText(), self.search.text()
        asked = session.shown.copy()
        if which in ("Selected", "Not selected"):
            asked &= session.selection.mask(len(asked)) == (which == "Selected")
        elif which == "Excluded":
            asked &= session.scope.excluded(session.atlas)
        rows = self._lines_for(np.flatnonzero(asked).astype(np.intp))
        if text.strip():
            rows = np.intersect1d(rows, self.model.matching(text))
        self.model.show_rows(rows)
        noun = sample_noun(session.atlas) if self.of_samples else "image"
        self.told.say(counted(len(rows), noun))
        self._show_selection()
        self._timer.start(_REST_MS)

    def _on_selection(self) -> None:
        if self.which.currentText() in ("Selected", "Not selected"):
            self._show_rows()
        else:
            self._show_selection()

    def _show_selection(self) -> None:
        rows = self._session.selection.rows
        if self._samples is not None:  # a sample is selected where all of its images are
            here = self._samples[self._samples >= 0]
            inside = self._samples[rows]
            count = max(1, len(here) and int(here.max()) + 1)
            full = np.bincount(inside[inside >= 0], minlength=count) == np.bincount(here, minlength=count)
            rows = np.flatnonzero(full & (np.bincount(here, minlength=count) > 0)).astype(np.intp)
        self.view.show_selected(self.model.lines_of(rows))

    def _show_current(self) -> None:
        current = self._session.current
        if current is not None and self._samples is not None:
            current = int(self._samples[current])
        self.model.show_current(current)
        if current is not None:
            for line in self.model.lines_of(np.array([current], np.intp)).tolist():
                self.view.scrollTo(self.model.index(line, 1))

    def _fit_columns(self) -> None:
        header = self.view.horizontalHeader()
        header.setResizeContentsPrecision(_LOOKED_AT)
        self.view.resizeColumnsToContents()
        for column in range(1, self.model.columnCount()):
            self.view.setColumnWidth(column, min(_WIDEST, self.view.columnWidth(column) + GAP))
        self.view.setColumnWidth(PICTURE, _THUMBNAIL.width() + 2 * GAP)

    # ------------------------------------------------------------------ thumbnails

    def showEvent(self, event: QShowEvent) -> None:
        """Make the thumbnails that come into sight."""
        super().showEvent(event)
        self._timer.start(_REST_MS)

    def _make_pictures(self) -> None:
        if self.of_samples or not self.isVisible() or not self.model.rowCount():
            return
        first = max(0, self.view.rowAt(0))
        last = self.view.rowAt(self.view.viewport().height() - 1)
        missing = self.model.missing_pictures(first, self.model.rowCount() - 1 if last < 0 else last)
        if missing:
            atlas, store = self._session.atlas, self._session.workshop.thumbnails
            ids = atlas.ids
            self._session.run(
                lambda: small_pictures({row: atlas[row] for row in missing}, store), lane="thumbnails",
                done=lambda pictures: self._show_pictures(ids, pictures),
                progress=lambda progress: self._on_progress(ids, progress),
            )  # fmt: skip
            self._timer.start(_AGAIN_MS)

    def _on_progress(self, ids: NDArray[np.str_], progress: Progress) -> None:
        if isinstance(progress.partial, dict):
            self._show_pictures(ids, progress.partial)

    def _show_pictures(self, ids: NDArray[np.str_], pictures: dict[int, Small]) -> None:
        if ids is self._session.atlas.ids and not self.of_samples:
            ratio = self.devicePixelRatioF()
            self.model.show_pictures({row: _icon(pixels, ratio) for row, pixels in pictures.items()})

    # ------------------------------------------------------------------ ask

    def _on_chosen(self, lines: NDArray[np.intp]) -> None:
        """Select what was chosen; what the table does not show stays as it is."""
        order = self.model.order
        scope, rows = self._rows_for(order), self._rows_for(order[lines])
        self._session.selection.replace_within(scope, rows)

    def _on_double_click(self, index: QModelIndex) -> None:
        rows = self._rows_for(self.model.order[[index.row()]])
        if len(rows):
            self._session.open_micrograph(int(rows[0]))

    def _on_menu(self, line: int, place: QPoint) -> None:
        rows = self._rows_for(self.model.order[[line]])
        selected = self._session.selection.rows
        self.menu_wished.emit(selected if np.isin(rows, selected).all() else rows, place)

    def copy(self) -> None:
        """Put the selected lines on the clipboard, or all where none is selected."""
        lines = self.view.selected_lines
        QGuiApplication.clipboard().setText(
            self.model.as_text(lines if len(lines) else np.arange(self.model.rowCount(), dtype=np.intp))
        )

    def ask_where(self) -> None:
        """Ask where to write the lines that are shown."""
        name = "samples.csv" if self.of_samples else "images.csv"
        ask_where_to_write(self, "Save as a table", outside(self._session) / name, self.save_to)

    def save_to(self, path: Path) -> None:
        """Write the lines that are shown as CSV, in their order."""
        if not self.of_samples:
            self._session.export_rows(path, self.model.order)
            return
        try:
            self.model.shown().to_csv(path, index=False, encoding="utf-8-sig")
        except OSError as error:
            self.failed.emit(f"“{path}” cannot be written ({error.strerror or error}); name another file.")

    # ------------------------------------------------------------------ within

    def _lines_for(self, rows: Rows) -> Rows:
        """Return the rows of the model for rows of the atlas."""
        if self._samples is None:
            return rows
        numbers = self._samples[rows]
        return np.unique(numbers[numbers >= 0]).astype(np.intp)

    def _rows_for(self, shown: Rows) -> Rows:
        """Return the rows of the atlas for rows of the model."""
        if self._samples is None:
            return shown
        return np.flatnonzero(np.isin(self._samples, shown)).astype(np.intp)


class _View(QTableView):
    """A table that tells what was chosen when a gesture is over, so that it never answers itself."""

    chosen = Signal(object)  # (k,) lines
    copy_wished = Signal()
    menu_wished = Signal(int, object)  # line, place on the screen

    def __init__(self, model: TableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setIconSize(_THUMBNAIL)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_THUMBNAIL.height() + 4)
        self.horizontalHeader().setSectionsMovable(True)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSortIndicatorShown(True)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    @property
    def selected_lines(self) -> NDArray[np.intp]:
        """The lines that are selected on the screen, in order."""
        ranges = self.selectionModel().selection()
        runs = [np.arange(one.top(), one.bottom() + 1) for one in ranges]
        return np.unique(np.concatenate(runs)).astype(np.intp) if runs else np.empty(0, np.intp)

    def show_selected(self, lines: NDArray[np.intp]) -> None:
        """Select lines on the screen; nobody is told of it."""
        if not len(lines) and not self.selectionModel().hasSelection():
            return
        model, last = self.model(), self.model().columnCount() - 1
        selection = QItemSelection()
        for run in np.split(lines, np.flatnonzero(np.diff(lines) > 1) + 1) if len(lines) else ():
            selection.append(QItemSelectionRange(model.index(int(run[0]), 0), model.index(int(run[-1]), last)))
        # Cleared first: Qt compares each old range with each new one.
        self.selectionModel().clearSelection()
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.Select)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell what the mouse has chosen."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self.selected_lines)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Leave the selection alone where a menu is asked for."""
        if event.button() == Qt.MouseButton.RightButton:
            index = self.indexAt(event.pos())
            if index.isValid():
                self.menu_wished.emit(index.row(), self.viewport().mapToGlobal(event.pos()))
            return
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy, or tell what the keys have chosen."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wished.emit()
            event.accept()
            return
        before = self.selected_lines
        super().keyPressEvent(event)
        after = self.selected_lines
        if not np.array_equal(before, after):
            self.chosen.emit(after)


def _telling_first(atlas: Atlas) -> pd.DataFrame:
    """Return the columns: who an image is, what users say of it, then what headers say; without empty ones of these."""
    names = [str(name) for name in atlas.columns]
    first = [name for name in ("file", "folder", atlas.sample_column) if name in names]
    own = [name for name in names if name in OWN_COLUMNS and atlas.columns[name].notna().any()]
    others = [name for name in names if name not in OWN_COLUMNS]
    return atlas.columns[list(dict.fromkeys([*first, *others, *own]))]


def _icon(pixels: Small, ratio: float) -> QIcon:
    """Make a picture that fits its cell; an empty one where there is none."""
    if not pixels.size:
        return QIcon()
    target = QSize(round(_THUMBNAIL.width() * ratio), round(_THUMBNAIL.height() * ratio))
    modes = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    pixmap = QPixmap.fromImage(image_of(pixels).scaled(target, *modes))
    pixmap.setDevicePixelRatio(ratio)
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # gray stays gray: Qt would tint it
    return icon
