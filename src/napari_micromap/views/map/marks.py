"""What is painted over the dots: rings, lasso, words."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRect, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from napari_micromap.views.map.camera import Place
from napari_micromap.views.map.raster import Box

ACCENT = QColor(80, 160, 235)
_EDGE = 8  # logical pixels between words and the border


def paint_ring(painter: QPainter, at: QPointF, radius: float, color: QColor) -> None:
    """Ring what lies under the pointer."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 1.5))
    painter.drawEllipse(at, radius + 2.5, radius + 2.5)


def paint_double_ring(painter: QPainter, at: QPointF, radius: float, color: QColor) -> None:
    """Ring the current dot twice, so that it is not taken for a selected one."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color, 1.75))
    painter.drawEllipse(at, radius + 4.25, radius + 4.25)
    painter.setPen(QPen(color, 1.25))
    painter.drawEllipse(at, radius + 7.75, radius + 7.75)


def paint_mark(painter: QPainter, place: Place, radius: float, box: Box | None, color: QColor, twice: bool) -> None:
    """Ring a dot or frame the picture that stands for it: once under the pointer, twice where it is current."""
    if box is None:
        (paint_double_ring if twice else paint_ring)(painter, QPointF(*place), radius, color)
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for away, width in ((2.5, 1.75), (5.75, 1.25)) if twice else ((1.0, 1.5),):
        painter.setPen(QPen(color, width))
        painter.drawRect(QRectF(*box).adjusted(-away, -away, away, away))


def paint_outline(painter: QPainter, outline: QPolygonF) -> None:
    """Paint a lasso or a rectangle under way: a thin line, and what it holds slightly tinted."""
    inside = QColor(ACCENT)
    inside.setAlphaF(0.14)
    painter.setBrush(inside)
    painter.setPen(QPen(ACCENT, 1.25, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPolygon(outline, Qt.FillRule.WindingFill)


def paint_region(painter: QPainter, at: QPointF, radius: float, words: str, color: QColor, ground: QColor) -> None:
    """Outline a disc of the map with a dashed line, and say beside it why."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    behind = QColor(ground)
    behind.setAlphaF(0.8)
    painter.setPen(QPen(behind, 3.5))
    painter.drawEllipse(at, radius, radius)
    painter.setPen(QPen(color, 1.5, Qt.PenStyle.DashLine))
    painter.drawEllipse(at, radius, radius)
    metrics, device = painter.fontMetrics(), painter.device()
    width, height = metrics.horizontalAdvance(words), metrics.height()
    left = min(max(at.x() - width / 2, _EDGE), device.width() - width - _EDGE)
    above = at.y() - radius - height - 4
    top = above if above >= _EDGE else min(at.y() + radius + 4, device.height() - height - _EDGE)
    box = QRectF(left, top, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(behind)
    painter.drawRoundedRect(box.adjusted(-4, -1, 4, 1), 3, 3)
    painter.setPen(color)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), words)


def paint_sentence(painter: QPainter, rect: QRect, text: str, color: QColor) -> None:
    """Write a quiet sentence in the middle."""
    quiet = QColor(color)
    quiet.setAlphaF(0.55)
    painter.setPen(quiet)
    inner = QRectF(rect.adjusted(24, 24, -24, -24))
    painter.drawText(inner, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)


def paint_caption(painter: QPainter, rect: QRect, text: str, color: QColor, ground: QColor) -> None:
    """Write into the lower right corner, on a ground that keeps it readable over dots."""
    font = QFont(painter.font())
    font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85))
    painter.setFont(font)
    metrics = painter.fontMetrics()
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width() - 2 * _EDGE)
    width, height = metrics.horizontalAdvance(text), metrics.height()
    box = QRectF(rect.right() - width - _EDGE, rect.bottom() - height - _EDGE / 2, width + 2, height)
    behind, quiet = QColor(ground), QColor(color)
    behind.setAlphaF(0.7)
    quiet.setAlphaF(0.6)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(behind)
    painter.drawRoundedRect(box.adjusted(-4, -1, 3, 1), 3, 3)
    painter.setPen(quiet)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)
