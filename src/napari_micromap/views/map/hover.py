"""A card with the micrograph under the pointer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, QRect, QRectF, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from napari_micromap.labels import length_label, round_length
from napari_micromap.montage.small import small_pictures
from napari_micromap.session import Session
from napari_micromap.views.map.about import lines_of, shape_of, um_per_px_of
from napari_micromap.views.map.dots import DARK, Ground
from napari_micromap.views.pixmaps import image_of

SIDE = 160  # logical pixels
WAIT_MS = 150
_AWAY = 16  # logical pixels between card and pointer


class HoverCard(QFrame):
    """Shows a micrograph small, with what is known of it, beside the pointer and never under it."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip)
        self._session = session
        self._row: int | None = None
        self._at = QPoint()
        self._picture = Picture()
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setWordWrap(True)
        self._words.setFixedWidth(SIDE)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(5)
        column.addWidget(self._picture)
        column.addWidget(self._words)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._on_time)
        self.set_ground(DARK)

    def point_at(self, row: int | None, at: QPoint | None = None) -> None:
        """Show the card of a row beside a place on the screen, after a moment; None hides it."""
        self._row = row
        if row is None or at is None:
            self._timer.stop()
            self.hide()
        else:
            self._at = at
            self._timer.start()

    def set_ground(self, ground: Ground) -> None:
        """Look like the map."""
        text, behind, line = (QColor(*rgb) for rgb in (ground.strong, ground.rgb, ground.missing))
        self.setStyleSheet(
            f"HoverCard {{ background: {behind.name()}; border: 1px solid {line.name()}; border-radius: 4px; }}"
            f"QLabel {{ background: transparent; color: {text.name()}; }}"
        )

    def _on_time(self) -> None:
        row, session = self._row, self._session
        if row is None or row >= len(session.atlas):
            return
        atlas = session.atlas
        metrics, middle = self._words.fontMetrics(), Qt.TextElideMode.ElideMiddle
        words = [
            line if " " in line else metrics.elidedText(line, middle, SIDE)
            for line in lines_of(atlas, row, session.color_by)
        ]
        self._words.setText("\n".join(words))
        self._picture.clear(shape_of(atlas, row))
        self._stand_beside()
        self.show()
        micrograph, store = atlas[row], session.workshop.thumbnails
        session.run(
            lambda: small_pictures({row: micrograph}, store),
            lane="thumbnails",
            done=lambda found: self._show_picture(row, found[row]),
        )

    def _show_picture(self, row: int, pixels: NDArray[np.uint8]) -> None:
        if row != self._row or not self.isVisible():
            return
        atlas = self._session.atlas
        if not pixels.size:
            self._words.setText(self._words.text() + "\nThe picture cannot be read.")
        else:
            self._picture.show_pixels(pixels, um_per_px_of(atlas, row, pixels.shape[1]))
        self._stand_beside()

    def _stand_beside(self) -> None:
        """Stand right below the place, or on the other side where the screen ends."""
        self.adjustSize()
        screen = self.screen()
        room = QRect(0, 0, 1 << 20, 1 << 20) if screen is None else screen.availableGeometry()
        x, y = self._at.x() + _AWAY, self._at.y() + _AWAY
        if x + self.width() > room.right():
            x = self._at.x() - _AWAY - self.width()
        if y + self.height() > room.bottom():
            y = self._at.y() - _AWAY - self.height()
        self.move(max(room.left(), x), max(room.top(), y))


class Picture(QWidget):
    """A small picture with a scale bar, where the scale is known."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap: QPixmap | None = None
        self._um_per_px: float | None = None  # of the pixels as shown, logical ones
        self.clear((3, 4))

    def clear(self, shape: tuple[int, int]) -> None:
        """Keep the place of a picture of this height and width."""
        self._pixmap = None
        self._take_size(*shape)

    def show_pixels(self, pixels: NDArray[np.uint8], um_per_px: float | None) -> None:
        """Show (h, w) gray or (h, w, 3) colors."""
        height, width = pixels.shape[:2]
        self._take_size(height, width)
        ratio = self.devicePixelRatioF()
        target = QSize(round(self.width() * ratio), round(self.height() * ratio))
        modes = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        self._pixmap = QPixmap.fromImage(image_of(pixels).scaled(target, *modes))
        self._pixmap.setDevicePixelRatio(ratio)
        self._um_per_px = None if um_per_px is None else um_per_px * width / self.width()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, and its scale bar on it."""
        painter = QPainter(self)
        if self._pixmap is None:
            painter.fillRect(self.rect(), QColor(128, 128, 128, 60))
        else:
            painter.drawPixmap(0, 0, self._pixmap)
            if self._um_per_px is not None:
                self._paint_scale_bar(painter, self._um_per_px)
        painter.end()

    def _paint_scale_bar(self, painter: QPainter, um_per_px: float) -> None:
        length = round_length(um_per_px * self.width() * 0.4)
        bar = QRectF(6, self.height() - 9, length / um_per_px, 3)
        text = length_label(length)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        width = max(bar.width(), painter.fontMetrics().horizontalAdvance(text))
        painter.fillRect(QRectF(2, self.height() - 25, width + 8, 23), QColor(0, 0, 0, 150))
        painter.fillRect(bar, QColor(255, 255, 255))
        painter.setPen(QColor(255, 255, 255))
        painter.drawText(QRectF(6, self.height() - 24, width + 2, 14), int(Qt.AlignmentFlag.AlignLeft), text)

    def _take_size(self, height: int, width: int) -> None:
        shrink = SIDE / max(height, width, 1)
        self.setFixedSize(max(1, round(width * shrink)), max(1, round(height * shrink)))
