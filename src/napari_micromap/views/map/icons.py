"""Small line drawings for the tools, in any color."""

from __future__ import annotations

from qtpy.QtCore import QByteArray, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtSvg import QSvgRenderer

_SIDE = 20  # logical pixels

_DRAWINGS = {
    "lasso": '<path d="M7 15.6C4.4 14.5 3 12.6 3 10.4 3 6.6 7 4 12 4s9 2.6 9 6.4-4 6.4-9 6.4c-.8 0-1.6-.1-2.3-.2"/>'
    '<circle cx="7.5" cy="16.5" r="2.2"/><path d="M7.4 18.7c.6 1.3.3 2.2-1.2 2.8"/>',
    "rectangle": '<rect x="3.5" y="5.5" width="17" height="13" rx="1" stroke-dasharray="3.4 2.6"/>',
    "hand": '<path d="M8 13V6.4a1.5 1.5 0 0 1 3 0V11M11 10.5V4.7a1.5 1.5 0 0 1 3 0v5.8M14 10.5V6.2a1.5 1.5 0 0 1 3'
    " 0V12M17 9.5a1.5 1.5 0 0 1 3 0V15c0 4-2.5 6.5-6 6.5-3.1 0-4.7-1.3-6-3.6l-3.3-4.2a1.55 1.55 0 0 1"
    ' 2.4-1.9L8 13.4"/>',
    "fit": '<path d="M3.5 8.5v-5h5M20.5 8.5v-5h-5M3.5 15.5v5h5M20.5 15.5v5h-5"/>'
    '<circle cx="9.5" cy="13.5" r="1.1"/><circle cx="13" cy="9.5" r="1.1"/><circle cx="14.8" cy="14.6" r="1.1"/>',
    "pictures": '<rect x="3.5" y="4.5" width="17" height="15" rx="1.5"/><circle cx="8.6" cy="9.6" r="1.6"/>'
    '<path d="M4 17.2l5-4.4 3.4 3 3.6-4.2 4.3 4.8"/>',
    "undo": '<path d="M8.5 5 4 9.5 8.5 14M4 9.5h10.5a5 5 0 0 1 0 10H10"/>',
    "redo": '<path d="M15.5 5 20 9.5 15.5 14M20 9.5H9.5a5 5 0 0 0 0 10H14"/>',
}


def icon(name: str, color: QColor, ratio: float) -> QIcon:
    """Draw a tool in a color for a screen of so many device pixels per logical one; fainter where disabled."""
    made = QIcon(_drawn(name, color, ratio))
    faint = QColor(color)
    faint.setAlphaF(0.3)
    made.addPixmap(_drawn(name, faint, ratio), QIcon.Mode.Disabled)
    return made


def _drawn(name: str, color: QColor, ratio: float) -> QPixmap:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke-width="1.7" '
        f'stroke="{color.name()}" stroke-opacity="{color.alphaF():.2f}" stroke-linecap="round" '
        f'stroke-linejoin="round">{_DRAWINGS[name]}</svg>'
    )
    pixmap = QPixmap(round(_SIDE * ratio), round(_SIDE * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
