"""A list of differences, each with its effect and interval as a line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import QModelIndex, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen, QResizeEvent
from qtpy.QtWidgets import QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTreeWidget, QTreeWidgetItem, QWidget

from napari_micromap.questions.comparing import Comparison, Difference, Shares
from napari_micromap.views.plots import ACCENT
from napari_micromap.wording import quantity_of, spoken_column

_ROW = 22  # logical pixels
_NARROW = 470  # below this width the means stand in the tooltip only
_NAME, _MEANS, _EFFECT = range(3)
_DIFFERENCE = Qt.ItemDataRole.UserRole  # the Difference or Shares of a line
_MOST, _LEAST = 4.0, 1.0  # ends of the axis, in spreads: what lies beyond gets an arrow


class Forest(QTreeWidget):
    """Differences by size of effect, then the shares of words; speaks only of what a user picks."""

    picked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHeaderLabels(["Differs in", "", "Effect"])
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.header().setStretchLastSection(False)
        self.header().setSectionsMovable(False)
        self._line = _Line(self)
        self.setItemDelegateForColumn(_EFFECT, self._line)

    def show_comparison(self, comparison: Comparison | None) -> None:
        """List the differences of a comparison; what was chosen stays so."""
        before = self.chosen()
        self.clear()
        if comparison is None:
            return
        self._line.end = _end_of(comparison.differences)
        self.setHeaderLabels(["Differs in", f"{comparison.a.name} · {comparison.b.name}", "Lower · Effect · Higher"])
        self.headerItem().setToolTip(
            _EFFECT,
            f"Difference in spreads between {comparison.noun}s (Hedges' g), with its 95 % interval; to the right, "
            f"{comparison.a.name} is higher. Gray: the interval reaches across zero, or there is none.",
        )
        for one in comparison.differences:
            in_a, in_b = one.amounts
            self._add(quantity_of(one.name)[0], f"{in_a} · {in_b}", one, comparison.sentence(one))
        for shares in comparison.shares:
            value, in_a_share, in_b_share = shares.values[0]
            means = f"{100 * in_a_share:.0f} % · {100 * in_b_share:.0f} %"
            said = "\n".join(f"{v}: {100 * a:.0f} % · {100 * b:.0f} %" for v, a, b in shares.values)
            self._add(f"{spoken_column(shares.name)}: {value}", means, shares, said)
        if before is not None:
            self.choose(before.name)

    def chosen(self) -> Difference | Shares | None:
        """Return what the chosen line is about."""
        item = self.currentItem()
        return None if item is None else item.data(_NAME, _DIFFERENCE)

    def choose(self, name: str) -> None:
        """Choose the line of a quantity, if there is one."""
        for index in range(self.topLevelItemCount()):
            item = self.topLevelItem(index)
            if item is not None and item.data(_NAME, _DIFFERENCE).name == name:
                self.setCurrentItem(item)
                return

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell that a line was clicked."""
        super().mousePressEvent(event)
        if self.itemAt(event.pos()) is not None:
            self.picked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tell that keys went to another line."""
        before = self.currentItem()
        super().keyPressEvent(event)
        if self.currentItem() is not before:
            self.picked.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out the means where there is no room for them."""
        super().resizeEvent(event)
        width = self.viewport().width()
        narrow = width < _NARROW
        self.setColumnHidden(_MEANS, narrow)
        effect = round(width * (0.45 if narrow else 0.3))
        means = 0 if narrow else round(width * 0.34)
        for column, wide in ((_EFFECT, effect), (_MEANS, means), (_NAME, width - effect - means)):
            self.header().setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.header().resizeSection(column, wide)

    def _add(self, name: str, means: str, about: Difference | Shares, tip: str) -> None:
        item = QTreeWidgetItem([name, means, ""])
        item.setData(_NAME, _DIFFERENCE, about)
        item.setData(_EFFECT, _DIFFERENCE, about)
        for column in range(3):
            item.setToolTip(column, tip)
        self.addTopLevelItem(item)


class _Line(QStyledItemDelegate):
    """Paints an effect as a dot, its interval as a line, and zero."""

    end = _LEAST

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(80, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().paint(painter, option, index)
        about = index.data(_DIFFERENCE)
        room = QRectF(option.rect).adjusted(8, 0, -8, 0)
        ink = QColor(option.palette.color(QPalette.ColorRole.Text))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        faint = QColor(ink)
        faint.setAlphaF(0.35)
        painter.setPen(QPen(faint, 1))
        painter.drawLine(QPointF(self._x(0, room), room.top()), QPointF(self._x(0, room), room.bottom()))
        if isinstance(about, Difference):
            self._draw(painter, room, about, ink)
        painter.restore()

    def _draw(self, painter: QPainter, room: QRectF, about: Difference, ink: QColor) -> None:
        contrast, middle = about.contrast, room.center().y()
        color = QColor(ACCENT) if contrast.clear else QColor(ink)
        color.setAlphaF(1.0 if contrast.clear else 0.45)
        if np.isfinite([contrast.effect_low, contrast.effect_high]).all():
            painter.setPen(QPen(color, 2))
            low, high = self._x(contrast.effect_low, room), self._x(contrast.effect_high, room)
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        effect = contrast.effect
        if not np.isfinite(effect):  # no spread between samples, or one sample a side
            effect = float(np.sign(contrast.difference)) * 2 * self.end
        place = QPointF(self._x(effect, room), middle)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        if abs(effect) > self.end:
            way = 1 if effect > 0 else -1
            painter.drawPolygon([place + QPointF(way * 6, 0), place + QPointF(0, -5), place + QPointF(0, 5)])
        else:
            painter.drawEllipse(place, 4, 4)

    def _x(self, effect: float, room: QRectF) -> float:
        share: float = (max(-self.end, min(self.end, effect)) + self.end) / (2 * self.end)
        return float(room.left() + share * room.width())


def _end_of(differences: Sequence[Difference]) -> float:
    """Return where the axis ends: all effects within, as far as they are not huge."""
    effects = [abs(one.contrast.effect) for one in differences if np.isfinite(one.contrast.effect)]
    return float(np.clip(1.15 * max(effects, default=_LEAST), _LEAST, _MOST))
