"""Data bars as they were found, on a few images; corrected for all of a kind."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas, Micrograph
from napari_micromap.problems import Problem
from napari_micromap.recipe import thumbnail
from napari_micromap.session import Session
from napari_micromap.session.before import bars_of
from napari_micromap.views.controls import Line, Paragraph, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counted
from napari_micromap.work import Progress, Work

_SHOWN = 6
_SIDE = 240  # logical pixels, width of an image
_LINE = QColor(240, 60, 60)


class BarsWindow(QDialog):
    """Six images, each with a line where its data bar is cut off; the line can be moved.

    Parameters
    ----------
    session : Session
    parent : QWidget
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Data bars")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session = session
        self._ids = session.atlas.ids
        self.shown = rows_to_show(session.atlas)
        self.cards = {row: _Card(row) for row in self.shown}
        self.heading = Paragraph()
        grid = QGridLayout()
        for k, card in enumerate(self.cards.values()):
            grid.addWidget(card, k // 3, k % 3)
            card.corrected.connect(self._on_corrected)
        layout = QVBoxLayout(self)
        layout.addWidget(self.heading)
        layout.addLayout(grid)
        layout.addLayout(side_by_side(1, push("Close", self.close)))
        listen(self, session.atlas_changed, self._on_atlas)
        self._on_atlas(session.atlas)
        micrographs = [(row, session.atlas[row]) for row in self.shown]
        session.run(
            lambda: _read(micrographs), lane="thumbnails", done=self._on_read,
            progress=lambda progress: self._on_read(progress.partial),
        )  # fmt: skip

    def _on_atlas(self, atlas: Atlas) -> None:
        if not np.array_equal(atlas.ids, self._ids):
            self.close()
            return
        bars = bars_of(atlas)
        said = (
            f"A data bar was found on {bars.found:,} of {counted(len(atlas), 'image')}; it is cut off below the line."
        )
        if len(bars.to_check):
            said += f" {len(bars.to_check):,} differ from others of the same size."
        said += " Drag a line to correct it for all images of that kind."
        if self._session.map is not None:
            said += " The map has to be made anew then."
        self.heading.setText(said)
        for row, card in self.cards.items():
            card.show_bar(atlas, row)

    def _on_read(self, read: Any) -> None:
        for row, pixels in read.items():
            self.cards[row].picture.show_pixels(pixels)

    def _on_corrected(self, row: int, bar_rows: int) -> None:
        self._session.set_bar_rows(self._session.atlas.rows_of_kind(row), bar_rows)


class _Card(QWidget):
    """One image with its line, the number of rows, and how many are of its kind."""

    corrected = Signal(int, int)  # row, rows of the bar

    def __init__(self, row: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = CutPicture()
        self.rows = QSpinBox()
        self.rows.setSuffix(" rows")
        self.rows.setKeyboardTracking(False)
        self.kind = QLabel()
        self.kind.setProperty("muted", True)
        self.name = Line(muted=True)
        below = QHBoxLayout()
        below.addWidget(self.rows)
        below.addWidget(self.kind, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.picture)
        layout.addWidget(self.name)
        layout.addLayout(below)
        self.picture.cut.connect(lambda bar_rows: self.corrected.emit(row, bar_rows))
        self.rows.editingFinished.connect(lambda: self.corrected.emit(row, self.rows.value()))

    def show_bar(self, atlas: Atlas, row: int) -> None:
        """Show where the bar begins."""
        height = int(atlas.columns["height"].fillna(0).to_numpy(int)[row]) or 1
        bar_rows = int(atlas.columns["bar_rows"].fillna(0).to_numpy(int)[row])
        self.name.say(str(atlas.columns["file"].iat[row]))
        self.rows.setRange(0, height - 1)
        self.rows.setValue(bar_rows)
        alike = len(atlas.rows_of_kind(row))
        self.kind.setText("alone of its kind" if alike == 1 else f"of all {alike:,} of its kind")
        self.picture.show_cut(bar_rows, height)


class CutPicture(QWidget):
    """A picture with a line across that can be dragged."""

    cut = Signal(int)  # rows below the line

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixels: NDArray[np.uint8] | None = None
        self._bar_rows, self._height = 0, 1
        self._dragged: int | None = None
        self.setCursor(Qt.CursorShape.SplitVCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(_SIDE, round(_SIDE * 0.75))

    def sizeHint(self) -> QSize:
        """Ask for its size."""
        return self.size()

    def show_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a small picture, (h, w) or (h, w, 3)."""
        self._pixels = np.ascontiguousarray(pixels)
        self.setFixedSize(_SIDE, max(1, round(_SIDE * pixels.shape[0] / pixels.shape[1])))
        self.update()

    def show_cut(self, bar_rows: int, height: int) -> None:
        """Show the line so many rows of the whole picture above its lower edge."""
        self._bar_rows, self._height = bar_rows, height
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint picture, line, and what is cut off under a veil."""
        painter = QPainter(self)
        if self._pixels is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(self.rect()), _image(self._pixels))
        else:
            painter.fillRect(self.rect(), QColor(128, 128, 128, 60))
        rows = self._bar_rows if self._dragged is None else self._dragged
        y = self.height() * (1 - rows / self._height)
        painter.fillRect(QRectF(0, y, self.width(), self.height() - y), QColor(240, 60, 60, 70))
        painter.setPen(QPen(_LINE, 2))
        painter.drawLine(0, min(self.height() - 1, round(y)), self.width(), min(self.height() - 1, round(y)))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the line."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the line with the pointer."""
        from_below = 1 - event.position().y() / max(1, self.height())
        self._dragged = int(np.clip(round(from_below * self._height), 0, self._height - 1))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Leave the line where it is."""
        if self._dragged is not None:
            dragged, self._dragged = self._dragged, None
            self.cut.emit(dragged)
            self.update()


def rows_to_show(atlas: Atlas) -> list[int]:
    """Return up to six rows: those that differ from their like, then one of each kind, the largest kinds first."""
    doubtful = bars_of(atlas).to_check.tolist()
    kinds = atlas.columns.groupby(["width", "height", "vendor", "bar_rows"], dropna=False, sort=False).ngroup()
    by_size = kinds.map(kinds.value_counts()).to_numpy()
    first_of_kind = np.flatnonzero(~kinds.duplicated().to_numpy())
    of_kinds = first_of_kind[np.argsort(-by_size[first_of_kind], kind="stable")].tolist()
    spread = np.linspace(0, len(atlas) - 1, min(_SHOWN, len(atlas))).round().astype(int).tolist()
    return list(dict.fromkeys([*doubtful[: _SHOWN - 2], *of_kinds[:4], *spread]))[:_SHOWN]


def _read(micrographs: list[tuple[int, Micrograph]]) -> Work[dict[int, NDArray[np.uint8]]]:
    """Make small pictures, with their data bars; all that are there come with each step, as a step may be skipped."""
    read: dict[int, NDArray[np.uint8]] = {}
    for done, (row, micrograph) in enumerate(micrographs, start=1):
        # A file that is gone leaves its place empty.
        with contextlib.suppress(Problem):
            read[row] = thumbnail(micrograph.pixels(1024), 2 * _SIDE)
        yield Progress("Reading", done, len(micrographs), partial=dict(read))
    return read


def _image(pixels: NDArray[np.uint8]) -> QImage:
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if pixels.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, pixels.strides[0], kind)
