"""Small plots of the dock, painted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

ACCENT = QColor(86, 146, 190)
_RIM = 6.0  # logical pixels around a plot


class Plot(QWidget):
    """A plot that takes the width it is given and the colors of the theme."""

    def __init__(self, height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._height = height
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(height)

    def sizeHint(self) -> QSize:
        """Ask for the height that was wished."""
        return QSize(160, self._height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint within the rim, leaving a line for words below."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        self.draw(painter, QRectF(_RIM, _RIM, self.width() - 2 * _RIM, self.height() - 2 * _RIM - line))
        painter.end()

    def draw(self, painter: QPainter, room: QRectF) -> None:
        """Paint the plot."""
        raise NotImplementedError

    @property
    def ink(self) -> QColor:
        """The color of lines and words."""
        return self.palette().color(QPalette.ColorRole.WindowText)

    def faint(self, part: float = 0.5) -> QColor:
        """Return the color of what matters less."""
        color = QColor(self.ink)
        color.setAlphaF(part)
        return color

    def say(self, painter: QPainter, room: QRectF, text: str, where: Qt.AlignmentFlag) -> None:
        """Write a line below the plot."""
        painter.setPen(self.faint(0.75))
        below = QRectF(room.left(), room.bottom() + 1, room.width(), self.fontMetrics().height() + _RIM)
        said = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, int(room.width()))
        painter.drawText(below, int(where | Qt.AlignmentFlag.AlignTop), said)


class Prediction(Plot):
    """Prediction against measurement, one dot a sample."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(170, parent)
        self._points = np.empty((0, 2))
        self._errors: NDArray[np.float64] | None = None
        self._words = ""

    def show_points(
        self, measured: NDArray[np.float64], predicted: NDArray[np.float64], words: str,
        errors: NDArray[np.float64] | None = None,
    ) -> None:  # fmt: skip
        """Show (S,) measured and predicted values, and errors of measuring where they are known."""
        self._points, self._errors, self._words = np.column_stack([measured, predicted]), errors, words
        self.update()

    def draw(self, painter: QPainter, room: QRectF) -> None:
        """Paint the dots, and the line on which predictions would be perfect."""
        if not len(self._points):
            return
        reach = 0.0 if self._errors is None else float(np.nanmax(self._errors, initial=0.0))
        low, high = float(np.nanmin(self._points)) - reach, float(np.nanmax(self._points)) + reach
        span = (high - low) or 1.0
        place = self._placed((self._points - low) / span, room)
        painter.setPen(QPen(self.faint(0.4), 1, Qt.PenStyle.DashLine))
        painter.drawLine(room.bottomLeft(), room.topRight())
        painter.setPen(QPen(self.faint(0.6), 1))
        for (x, y), error in zip(place, [] if self._errors is None else self._errors.tolist()):
            half = error / span * (room.width() - 8)
            painter.drawLine(QPointF(x - half, y), QPointF(x + half, y))
        painter.setPen(QPen(self.faint(0.8), 0.7))
        painter.setBrush(ACCENT)
        for x, y in place:
            painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
        self.say(painter, room, self._words, Qt.AlignmentFlag.AlignHCenter)

    def _placed(self, shares: NDArray[np.float64], room: QRectF) -> list[tuple[float, float]]:
        x = room.left() + 4 + shares[:, 0] * (room.width() - 8)
        y = room.bottom() - 4 - shares[:, 1] * (room.height() - 8)
        return list(zip(x.tolist(), y.tolist()))


class Scatter(Plot):
    """Values of a column against the property, one dot an image; texts stand side by side."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(96, parent)
        self._shares = np.empty((0, 2))
        self._words = ("", "", "")

    def show_values(
        self, values: NDArray[Any], measured: NDArray[np.float64], left: str, words: str, right: str
    ) -> None:
        """Show (n,) numbers, NaN for none, against (n,) measured values; words for the ends and for the middle."""
        known = np.isfinite(values) & np.isfinite(measured)
        points = np.column_stack([values[known], measured[known]])
        spans = np.ptp(points, axis=0) if len(points) else np.ones(2)
        self._shares = (points - points.min(axis=0, initial=np.inf)) / np.where(spans > 0, spans, 1.0)
        self._words = (left, words, right)
        self.update()

    def draw(self, painter: QPainter, room: QRectF) -> None:
        """Paint the dots."""
        painter.setPen(QPen(self.faint(0.3), 1))
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        painter.setPen(Qt.PenStyle.NoPen)
        color = QColor(ACCENT)
        color.setAlphaF(0.75)
        painter.setBrush(color)
        for x, y in self._shares.tolist():
            across, up = room.left() + 4 + x * (room.width() - 8), room.bottom() - 4 - y * (room.height() - 8)
            painter.drawEllipse(QPointF(across, up), 2.4, 2.4)
        sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        for text, side in zip(self._words, sides):
            self.say(painter, room, text, side)


class Bars(Plot):
    """Bars of one or two histograms, with a mark."""

    def __init__(self, height: int = 70, parent: QWidget | None = None) -> None:
        super().__init__(height, parent)
        self._bars: list[NDArray[np.float64]] = []
        self._mark: float | None = None
        self._words = ("", "")

    def show_bars(
        self, bars: Sequence[NDArray[Any]], left: str = "", right: str = "", mark: float | None = None
    ) -> None:
        """Show bars side by side, each histogram to its own tallest; ``mark`` is a place from 0 to 1."""
        self._bars = [np.asarray(b, float) / max(float(np.max(b, initial=0)), 1e-12) for b in bars]
        self._mark, self._words = mark, (left, right)
        self.update()

    def draw(self, painter: QPainter, room: QRectF) -> None:
        """Paint the bars, the first histogram in color."""
        painter.setPen(Qt.PenStyle.NoPen)
        count = len(self._bars)
        for which, bars in enumerate(self._bars):
            painter.setBrush(ACCENT if which == 0 and count > 1 else self.faint(0.45))
            step = room.width() / max(len(bars), 1)
            wide = max(1.0, (step - 1) / count)
            for index, share in enumerate(bars.tolist()):
                tall = share * room.height()
                painter.drawRect(QRectF(room.left() + index * step + which * wide, room.bottom() - tall, wide, tall))
        if self._mark is not None:
            x = room.left() + self._mark * room.width()
            painter.setPen(QPen(QColor(214, 64, 69), 2))
            painter.drawLine(QPointF(x, room.top()), QPointF(x, room.bottom()))
        self.say(painter, room, self._words[0], Qt.AlignmentFlag.AlignLeft)
        self.say(painter, room, self._words[1], Qt.AlignmentFlag.AlignRight)
