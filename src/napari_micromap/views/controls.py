"""Small controls that several panels use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QPaintEvent, QResizeEvent
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)
from superqt import QElidingLabel, QFlowLayout

GAP = 6  # logical pixels between things that belong together


@dataclass(frozen=True)
class Choice:
    """One line of a combo box; a line without a label parts groups."""

    label: str
    value: Any = None
    tip: str = ""


class ChoiceBox(QComboBox):
    """A combo box that never asks for more width than it is given, and fills itself when it is opened.

    It shows what it is told (:meth:`show_choice`) and speaks only of what a user picks.
    """

    picked = Signal(object)  # the value of a Choice

    def __init__(self, fill: Callable[[], Iterable[Choice]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fill = fill
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setMaxVisibleItems(24)
        self.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.activated.connect(self._on_activated)

    def show_choice(self, choice: Choice) -> None:
        """Show a choice, whether a user picked it or not."""
        self.clear()
        self._add(choice)
        self.setCurrentIndex(0)
        self._explain()

    @property
    def value(self) -> Any:
        """The value that is shown."""
        return self.currentData()

    def showPopup(self) -> None:
        """Fill the list, then open it."""
        shown = self.value
        self.clear()
        for choice in self._fill():
            self._add(choice)
        self.setCurrentIndex(max(0, self.findData(shown)) if shown is not None else 0)
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text with its middle left out where it is too long; Qt would cut off the unit."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        room: QRect = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideMiddle, room.width() - 4
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def _add(self, choice: Choice) -> None:
        if not choice.label:
            self.insertSeparator(self.count())
            return
        self.addItem(choice.label, choice.value)
        self.setItemData(self.count() - 1, choice.tip or choice.label, Qt.ItemDataRole.ToolTipRole)

    def _on_activated(self, index: int) -> None:
        self._explain()
        self.picked.emit(self.itemData(index))

    def _explain(self) -> None:
        tip = self.itemData(self.currentIndex(), Qt.ItemDataRole.ToolTipRole)
        self.setToolTip(str(tip or ""))


class Line(QElidingLabel):
    """One line of text that is shortened where there is no room, with the whole of it as its tooltip."""

    def __init__(self, text: str = "", muted: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setProperty("muted", muted)
        self.say(text)

    def say(self, text: str, tip: str | None = None) -> None:
        """Show a text."""
        self.setText(text)
        self.setToolTip(text if tip is None else tip)

    def sizeHint(self) -> QSize:
        """Ask for the width of the whole text, so that it comes back when there is room again."""
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 4, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Be narrow if need be, but never low: the feet of letters would be cut off."""
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())


class Paragraph(QLabel):
    """A text that wraps, and can be selected."""

    def __init__(self, text: str = "", muted: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("muted", muted)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for the height that the text needs at this width."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Ask for no more than the height that the text needs at this width; Qt would guess a narrow column."""
        hint = super().sizeHint()
        return QSize(hint.width(), min(hint.height(), self.minimumHeight() or hint.height()))

    def setText(self, text: str) -> None:
        """Show a text, and ask for the height that it needs."""
        super().setText(text)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(0)  # Qt would never answer with less than what was asked for before
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))


class Roomy(QScrollArea):
    """Takes the height of what is in it where there is room, and scrolls up and down where there is not."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("roomy", True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setWidget(content)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it can be reached, and is scrolled to
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Ask for the height of the content."""
        content = self.widget()
        high = content.heightForWidth(max(240, self.width())) if content.hasHeightForWidth() else -1
        return QSize(240, max(high, content.sizeHint().height()))

    def minimumSizeHint(self) -> QSize:
        """Do with little."""
        return QSize(120, min(40, self.widget().sizeHint().height()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask anew when the content grows or shrinks."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return False

    def bring_up(self, widget: QWidget | None = None) -> None:
        """Scroll to the top, or until a widget stands there, once the content is as high as it will be."""
        place = 0 if widget is None else widget.y()
        QTimer.singleShot(0, lambda: self.verticalScrollBar().setValue(place))

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go to what the Tab key reaches; a button that is switched off while it works takes nobody elsewhere."""
        left, place = QApplication.focusWidget(), self.verticalScrollBar().value()
        moved = bool(super().focusNextPrevChild(forward))
        if left is not None and not left.isEnabled():
            self.verticalScrollBar().setValue(place)
        self.horizontalScrollBar().setValue(0)
        return moved


class Flow(QWidget):
    """Small things in lines, as many in a line as fit; it asks for the height that they need at its width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.flow = QFlowLayout(self)
        self.flow.setContentsMargins(0, 0, 0, 0)
        self.flow.setHorizontalSpacing(4)
        self.flow.setVerticalSpacing(3)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def line_up(self, *widgets: QWidget) -> None:
        """Show these and no others, in this order; what is hidden takes no room, not even the gap beside it."""
        while (item := self.flow.takeAt(0)) is not None:
            if (before := item.widget()) is not None and before not in widgets:
                before.hide()
        for widget in widgets:
            self.flow.addWidget(widget)
            widget.show()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Ask for the height that is needed at this width."""
        return QSize(120, self.heightForWidth(max(120, self.width())))

    def minimumSizeHint(self) -> QSize:
        """Do with no less."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask anew: at another width there are other lines."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


def link(text: str, on_click: Callable[[], object], tip: str = "") -> QToolButton:
    """Make a text that can be clicked."""
    button = QToolButton()
    button.setText(text)
    button.setProperty("link", True)
    button.setToolTip(tip)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.clicked.connect(lambda: on_click())
    return button


def flat(text: str, on_click: Callable[[], object], tip: str = "") -> QToolButton:
    """Make a small button without a face of its own."""
    button = QToolButton()
    button.setText(text)
    button.setProperty("flat", True)
    button.setToolTip(tip)
    button.clicked.connect(lambda: on_click())
    return button


def push(text: str, on_click: Callable[[], object], tip: str = "", main: bool = False) -> QPushButton:
    """Make a button; ``main`` for the one that a panel is about."""
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setProperty("main", main)
    button.clicked.connect(lambda: on_click())
    return button


def side_by_side(*widgets: QWidget | int | None, into: QLayout | None = None) -> QHBoxLayout:
    """Put widgets in a row; a number is a stretch, None nothing."""
    row = QHBoxLayout() if into is None else into
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(GAP)
    for widget in widgets:
        if isinstance(widget, int):
            row.addStretch(widget)
        elif widget is not None:
            row.addWidget(widget, 1 if isinstance(widget, Line | ChoiceBox) else 0)
    return row


def field_name(text: str, tip: str) -> QLabel:
    """Make the name in front of a field; those below one another are equally wide."""
    label = QLabel(text)
    label.setToolTip(tip)
    label.setMinimumWidth(name_width(label))
    return label


def name_width(widget: QWidget) -> int:
    """Return how wide the names in front of fields are, so that all fields begin at the same place."""
    metrics = widget.fontMetrics()
    return max(int(metrics.horizontalAdvance(widest)) for widest in ("Property", "Data bar")) + 3 * GAP
