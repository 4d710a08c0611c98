"""What the colors of the map mean."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPen, QResizeEvent
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from napari_micromap.colors import Coloring
from napari_micromap.views.controls import Line
from napari_micromap.views.map.about import short_name_of
from napari_micromap.views.map.dots import DARK, Ground, lines_around
from napari_micromap.views.map.gestures import mode_of
from napari_micromap.views.map.packed import Rgb, packed
from napari_micromap.views.pixmaps import circle, image_of
from napari_micromap.wording import title_of

_BAR = 10  # logical pixels, height of the colorbar
_LINES = 4.5  # of categories, at most; the half one says that there are more
_LONGEST = 150  # logical pixels, width of a category's name at most
_MISSING = -1  # code of micrographs without a value


class Legend(QWidget):
    """A colorbar with its limits, or categories with their counts; and how many micrographs have no value."""

    entry_clicked = Signal(int, str)  # code of a category, or -1 for those without a value; Mode

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ground: Ground = DARK
        self._coloring: Coloring | None = None
        self._title = Line()
        self._missing = _entry_button()
        self._missing.clicked.connect(lambda: self._on_entry(_MISSING))
        self._bar = Colorbar()
        self._entries = EntryList()
        self._entries.clicked.connect(self._on_entry)
        heading = QHBoxLayout()
        heading.setSpacing(6)
        heading.addWidget(self._title, 1)
        heading.addWidget(self._missing)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 0)
        column.setSpacing(2)
        column.addLayout(heading)
        column.addWidget(self._bar)
        column.addWidget(self._entries)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def show_coloring(self, coloring: Coloring | None, synthetic: bool = False) -> None:
        """Say what these colors mean; None where there is no map."""
        self._coloring = coloring
        told = coloring is not None and bool(coloring.quantity)
        self.setVisible(told)
        if coloring is None or not told:
            return
        self._title.say(
            title_of(coloring.quantity) + (" · synthetic" if synthetic else ""), self._explained(coloring, synthetic)
        )
        count = coloring.missing_count
        self._missing.setVisible(count > 0)
        name = self.fontMetrics().elidedText(
            short_name_of(title_of(coloring.quantity)), Qt.TextElideMode.ElideRight, _LONGEST // 2
        )
        self._missing.setText(f"no {name}: {count:,}".replace("&", "&&"))
        self._missing.setToolTip(f"Select the {count:,} images without a value")
        self._missing.setIcon(_ring(self._ground, self.devicePixelRatioF()))
        self._bar.setVisible(coloring.kind == "continuous")
        self._bar.show_coloring(coloring)
        self._entries.setVisible(bool(coloring.entries))
        self._entries.show_coloring(coloring, self._ground)

    def set_ground(self, ground: Ground) -> None:
        """Say on which ground the dots lie."""
        self._ground = ground
        self._bar.set_ground(ground)
        if self._coloring is not None and self._coloring.quantity:
            self._entries.show_coloring(self._coloring, ground)
            self._missing.setIcon(_ring(ground, self.devicePixelRatioF()))

    def _explained(self, coloring: Coloring, synthetic: bool) -> str:
        made_up = "\nSynthetic: these values were made up by a generator." if synthetic else ""
        return f"Colored by {title_of(coloring.quantity)}{made_up}"

    def _on_entry(self, code: int) -> None:
        self.entry_clicked.emit(code, mode_of(QApplication.keyboardModifiers()))


class Colorbar(QWidget):
    """The colors of a scale, between its limits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._coloring: Coloring | None = None
        self._ground: Ground = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_coloring(self, coloring: Coloring) -> None:
        """Show the scale of these colors."""
        self._coloring = coloring
        self.update()

    def set_ground(self, ground: Ground) -> None:
        """Outline the bar as the dots are."""
        self._ground = ground
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for one line of text, and the bar beside it."""
        return QSize(200, self.fontMetrics().height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint low limit, colors, high limit, and a tick at each round value."""
        coloring = self._coloring
        if coloring is None or coloring.ramp is None:
            return
        low, high = coloring.end_labels
        metrics = self.fontMetrics()
        left, right = metrics.horizontalAdvance(low) + 6, metrics.horizontalAdvance(high) + 6
        bar = QRectF(left, (self.height() - _BAR) / 2, max(20, self.width() - left - right), _BAR)
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(middle | Qt.AlignmentFlag.AlignLeft), low)
        painter.drawText(self.rect(), int(middle | Qt.AlignmentFlag.AlignRight), high)
        ramp = coloring.ramp[None].copy()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(bar, image_of(ramp))
        line = QColor(*self._ground.strong)
        line.setAlphaF(0.35)
        painter.setPen(QPen(line, 1))
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
        for part, _ in coloring.ticks():
            if 0.02 < part < 0.98:
                x = bar.left() + part * bar.width()
                painter.drawLine(QPointF(x, bar.bottom() - 4), QPointF(x, bar.bottom() - 1))
        painter.end()


class EntryList(QScrollArea):
    """Categories with their colors and counts, as many in a line as fit."""

    clicked = Signal(int)  # code

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("roomy", True)  # else napari pads it, and a scroll bar comes for what would fit
        self._list = QWidget()
        self._flow = QFlowLayout(self._list)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setHorizontalSpacing(2)
        self._flow.setVerticalSpacing(0)
        self.setWidget(self._list)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self._list.setAutoFillBackground(False)

    def show_coloring(self, coloring: Coloring, ground: Ground) -> None:
        """List the categories of these colors."""
        while (item := self._flow.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for code, entry in enumerate(coloring.entries):
            button = _entry_button()
            name = self.fontMetrics().elidedText(entry.label, Qt.TextElideMode.ElideMiddle, _LONGEST)
            button.setText(f"{name} ({entry.count:,})".replace("&", "&&"))
            button.setIcon(_dot(entry.color, ground, self.devicePixelRatioF()))
            button.setToolTip(f"{entry.label}: click to select its {entry.count:,} images; Shift adds, Ctrl removes")
            button.clicked.connect(lambda _=False, code=code: self.clicked.emit(code))
            self._flow.addWidget(button)
        self._take_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the height that the lines need at this width."""
        super().resizeEvent(event)
        self._take_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take another height when the list changed, or got another font."""
        handled = bool(super().eventFilter(watched, event))
        if event.type() == QEvent.Type.LayoutRequest:
            self._take_height()
        return handled

    def _take_height(self) -> None:
        needed = self._flow.heightForWidth(max(1, self.viewport().width()))
        line = self._flow.itemAt(0).sizeHint().height() if self._flow.count() else 1
        self.setFixedHeight(max(1, min(needed, round(_LINES * line))))


def _entry_button() -> QToolButton:
    button = QToolButton()
    button.setProperty("flat", True)
    button.setAutoRaise(True)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setIconSize(QSize(11, 11))
    return button


def _dot(color: Rgb, ground: Ground, ratio: float) -> QIcon:
    line = lines_around(np.array([packed(color)]), ground)
    red, green, blue, _ = line.view(np.uint8).tolist()
    return circle(QColor(*color), QPen(QColor(red, green, blue), 1), ratio)


def _ring(ground: Ground, ratio: float) -> QIcon:
    return circle(QColor(0, 0, 0, 0), QPen(QColor(*ground.missing), 1.5), ratio)
