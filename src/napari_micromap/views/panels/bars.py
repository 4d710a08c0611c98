"""Data bars as they were found, on a few images; corrected for all of a kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QLineF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_micromap.atlas import Atlas, Micrograph, kinds_of
from napari_micromap.microscopy.bar import BY_USER, FROM_HEADER, FROM_PIXELS
from napari_micromap.microscopy.cropping import Side
from napari_micromap.problems import Problem
from napari_micromap.recipe import thumbnail
from napari_micromap.session import Session
from napari_micromap.session.before import bars_of
from napari_micromap.views.controls import Line, Paragraph, flat, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.views.pixmaps import image_of
from napari_micromap.wording import counted
from napari_micromap.work import Progress, Work

_SHOWN = 6
_SIDE = 240  # logical pixels, width of an image
_LINE, _VEIL = QColor(240, 60, 60), QColor(240, 60, 60, 70)
FIRST_GUESS = 40  # pixels of a bar that a user says is there, until its line is dragged
_PLACES: dict[Side, str] = {"bottom": "below", "top": "above", "left": "on the left", "right": "on the right"}


class BarsWindow(QDialog):
    """Six images at a time, each with a line where its data bar is cut off; the line can be moved.

    Parameters
    ----------
    session : Session
    make_map : callable, optional
        Makes the map; offered where there is none, as after a correction.
    parent : QWidget
    """

    def __init__(
        self, session: Session, make_map: Callable[[], None] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Data bars")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session, self._make_map = session, make_map
        self._ids = session.atlas.ids
        self._order = order_to_show(session.atlas)
        self._first = 0
        self.cards: dict[int, _Card] = {}
        self.heading = Paragraph()
        self._grid = QGridLayout()
        self.before = flat("◂", lambda: self._turn(-_SHOWN), "The six images before")
        self.place = QLabel()
        self.after = flat("▸", lambda: self._turn(_SHOWN), "The next six images")
        self.make = push("Make map", self._on_make, "Make the map of the images as they are cut now", main=True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.heading)
        layout.addLayout(self._grid)
        close = push("Close", self.close)
        layout.addLayout(side_by_side(self.before, self.place, self.after, 1, self.make, close))
        listen(self, session.atlas_changed, self._on_atlas)
        listen(self, session.map_changed, lambda _: self._on_atlas(session.atlas))
        self._turn(0)

    @property
    def shown(self) -> list[int]:
        """The rows that are shown."""
        return list(self.cards)

    def _turn(self, by: int) -> None:
        """Show six others."""
        self._first = int(np.clip(self._first + by, 0, max(0, len(self._order) - 1)))
        for old in self.cards.values():
            self._grid.removeWidget(old)
            old.deleteLater()
        rows = self._order[self._first : self._first + _SHOWN].tolist()
        self.cards = {row: _Card(row) for row in rows}
        for k, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, k // 3, k % 3)
            card.corrected.connect(self._on_corrected)
        several = len(self._order) > _SHOWN
        for widget in (self.before, self.place, self.after):
            widget.setVisible(several)
        self.before.setEnabled(self._first > 0)
        self.after.setEnabled(self._first + _SHOWN < len(self._order))
        self.place.setText(f"{self._first + 1:,}–{self._first + len(rows):,} of {len(self._order):,}")
        self._on_atlas(self._session.atlas)
        micrographs = [(row, self._session.atlas[row]) for row in rows]
        self._session.run(
            lambda: _read(micrographs), lane="thumbnails", done=self._on_read,
            progress=lambda progress: self._on_read(progress.partial),
        )  # fmt: skip

    def _on_atlas(self, atlas: Atlas) -> None:
        if not np.array_equal(atlas.ids, self._ids):
            self.close()
            return
        bars = bars_of(atlas)
        said = f"A data bar was found on {bars.found:,} of {counted(len(atlas), 'image')}; what is red is cut off."
        if len(bars.to_check):
            said += f" {len(bars.to_check):,} differ from others of the same size, or from what their file says."
        said += " Drag a line to correct it, for all images of that kind or for one."
        made = self._session.map is not None
        if made:
            said += " The map has to be made anew then."
        self.heading.setText(said)
        self.make.setVisible(self._make_map is not None and not made)
        for row, card in self.cards.items():
            card.show_bar(atlas, row)

    def _on_read(self, read: Any) -> None:
        for row, pixels in read.items():
            if row in self.cards:
                self.cards[row].picture.show_pixels(pixels)

    def _on_corrected(self, row: int, bar_rows: int, side: Side) -> None:
        atlas = self._session.atlas
        whole_kind = self.cards[row].whole_kind.isChecked()
        self._session.bars.correct(atlas.rows_of_kind(row) if whole_kind else [row], bar_rows, side)

    def _on_make(self) -> None:
        if self._make_map is not None:
            self._make_map()
        self.close()


class _Card(QWidget):
    """One image with its line, where its bar is, how thick, what says so, and how many are of its kind."""

    corrected = Signal(int, int, str)  # row, rows of the bar, side

    def __init__(self, row: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = row
        self.picture = CutPicture()
        self.side = QComboBox()
        self.side.addItem("no bar", None)
        for side, words in _PLACES.items():
            self.side.addItem(words, side)
        self.side.setToolTip("Where the data bar is")
        self.rows = QSpinBox()
        self.rows.setSuffix(" px")
        self.rows.setToolTip("How thick the data bar is")
        self.rows.setKeyboardTracking(False)
        self.whole_kind = QCheckBox()
        self.whole_kind.setChecked(True)
        self.whole_kind.setToolTip(
            "Correct all images of this size and vendor with the same data bar, or only this one"
        )
        self.name, self.reason = Line(), Line(muted=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.picture)
        layout.addWidget(self.name)
        layout.addWidget(self.reason)
        layout.addLayout(side_by_side(self.side, self.rows, 1))
        layout.addWidget(self.whole_kind)
        layout.addStretch(1)
        self.picture.cut.connect(self._on_cut)
        self.rows.editingFinished.connect(lambda: self._on_cut(self.rows.value()))
        self.side.activated.connect(self._on_side)

    def show_bar(self, atlas: Atlas, row: int) -> None:
        """Show where the bar is."""
        known = atlas.columns.iloc[row]
        height, width = (int(known[name]) if known[name] > 0 else 1 for name in ("height", "width"))
        micrograph = atlas[row]
        bar_rows, side = micrograph.bar_rows, micrograph.bar_side
        self.name.say(micrograph.name)
        self.reason.say(_said(known.get("bar_from")))
        self.side.setCurrentIndex(self.side.findData(side) if bar_rows else 0)
        self.rows.setRange(0, (width if side in ("left", "right") else height) - 1)
        self.rows.setValue(bar_rows)
        alike = len(atlas.rows_of_kind(row))
        self.whole_kind.setVisible(alike > 1)
        self.whole_kind.setText(f"all {alike:,} of its kind")
        self.picture.show_cut(bar_rows, side, (height, width))

    def _on_cut(self, bar_rows: int) -> None:
        if bar_rows != self.picture.bar_rows:
            self.corrected.emit(self._row, bar_rows, self.picture.side)

    def _on_side(self, _: int) -> None:
        side = self.side.currentData()
        # a bar that changes sides keeps its thickness; a new one begins thin, to be dragged
        self.corrected.emit(self._row, (self.picture.bar_rows or FIRST_GUESS) if side else 0, side or "bottom")


class CutPicture(QWidget):
    """A picture with a line along the data bar that can be dragged; from no bar, one is drawn in from below."""

    cut = Signal(int)  # rows, or columns, beyond the line

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixels: NDArray[np.uint8] | None = None
        self._size = (1, 1)
        self.bar_rows = 0
        self.side: Side = "bottom"
        self._dragged: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(_SIDE, round(_SIDE * 0.75))

    def sizeHint(self) -> QSize:
        """Ask for its size."""
        return self.size()

    def show_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a small picture, (h, w) or (h, w, 3)."""
        self._pixels = np.ascontiguousarray(pixels)
        self.setFixedSize(_SIDE, max(1, min(2 * _SIDE, round(_SIDE * pixels.shape[0] / pixels.shape[1]))))
        self.update()

    def show_cut(self, bar_rows: int, side: Side, size: tuple[int, int]) -> None:
        """Show the line so many pixels of the whole picture, (height, width), off a side."""
        self.bar_rows, self.side, self._size = bar_rows, side, size
        across = side in ("left", "right")
        self.setCursor(Qt.CursorShape.SplitHCursor if across else Qt.CursorShape.SplitVCursor)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint picture, line, and what is cut off under a veil."""
        painter = QPainter(self)
        if self._pixels is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), image_of(self._pixels))
        else:
            painter.fillRect(self.rect(), QColor(128, 128, 128, 60))
        cut, line = self._places()
        painter.fillRect(cut, _VEIL)
        painter.setPen(QPen(_LINE, 2))
        painter.drawLine(line)
        painter.end()

    def _places(self) -> tuple[QRectF, QLineF]:
        """Return what is cut off, and the line along it."""
        rows = self.bar_rows if self._dragged is None else self._dragged
        wide, high = self.width(), self.height()
        if self.side in ("left", "right"):
            x = wide * rows / self._size[1]
            at = x if self.side == "left" else wide - x
            seen = float(np.clip(at, 1, wide - 1))
            return QRectF(0 if self.side == "left" else at, 0, x, high), QLineF(seen, 0, seen, high)
        y = high * rows / self._size[0]
        at = y if self.side == "top" else high - y
        seen = float(np.clip(at, 1, high - 1))
        return QRectF(0, 0 if self.side == "top" else at, wide, y), QLineF(0, seen, wide, seen)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the line."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the line with the pointer."""
        place = event.position()
        across = self.side in ("left", "right")
        share = place.x() / max(1, self.width()) if across else place.y() / max(1, self.height())
        whole = self._size[1 if across else 0]
        share = share if self.side in ("left", "top") else 1 - share
        self._dragged = int(np.clip(round(share * whole), 0, whole - 1))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Leave the line where it is."""
        if self._dragged is not None:
            dragged, self._dragged = self._dragged, None
            self.cut.emit(dragged)
            self.update()


def order_to_show(atlas: Atlas) -> NDArray[np.intp]:
    """Return all rows: first those that differ from their like, then one of each kind, the largest kinds first.

    The first six have also some from all over the collection.
    """
    doubtful = bars_of(atlas).to_check.tolist()
    told = kinds_of(atlas)
    kinds = told.groupby(list(told), dropna=False, sort=False).ngroup()
    by_size = kinds.map(kinds.value_counts()).to_numpy()
    first_of_kind = np.flatnonzero(~kinds.duplicated().to_numpy())
    of_kinds = first_of_kind[np.argsort(-by_size[first_of_kind], kind="stable")].tolist()
    spread = np.linspace(0, len(atlas) - 1, min(_SHOWN, len(atlas))).round().astype(int).tolist()
    first = list(dict.fromkeys([*doubtful[: _SHOWN - 2], *of_kinds[:4], *spread]))[:_SHOWN]
    return np.array(list(dict.fromkeys([*first, *doubtful, *of_kinds, *range(len(atlas))])), np.intp)


def _said(reason: object) -> str:
    """Say what the column *bar_from* says, to somebody who looks at the image."""
    if not isinstance(reason, str) or not reason:
        return ""
    spoken = {BY_USER: "as you said", FROM_HEADER: "as the file says", FROM_PIXELS: "a panel with writing"}
    return spoken.get(reason, reason.rpartition(": ")[2].replace("header says", "but the file says"))


def _read(micrographs: list[tuple[int, Micrograph]]) -> Work[dict[int, NDArray[np.uint8]]]:
    """Make small pictures, with their data bars; all that are there come with each step, as a step may be skipped."""
    read: dict[int, NDArray[np.uint8]] = {}
    for done, (row, micrograph) in enumerate(micrographs, start=1):
        # A file that is gone leaves its place empty.
        with contextlib.suppress(Problem):
            read[row] = thumbnail(micrograph.pixels(1024), 2 * _SIDE)
        yield Progress("Reading", done, len(micrographs), partial=dict(read))
    return read
