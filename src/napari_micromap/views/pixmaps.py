"""Arrays and marks as Qt paints them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap

_SIDE = 11  # pixels of a mark beside a name


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """Return a copy of (h, w) gray or (h, w, 3) colors."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_Grayscale8 if pixels.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, pixels.strides[0], form).copy()


def circle(fill: QColor, pen: QPen, ratio: float) -> QIcon:
    """Paint a dot to stand beside a name; ``ratio`` is how many pixels of the screen one pixel is."""
    pixmap = QPixmap(round(_SIDE * ratio), round(_SIDE * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(fill)
    painter.drawEllipse(QPointF(_SIDE / 2, _SIDE / 2), 4.5, 4.5)
    painter.end()
    return QIcon(pixmap)
