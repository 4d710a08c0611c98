"""A ring around what the Tab key reached; napari's own style shows none."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from qtpy.QtWidgets import QApplication, QFrame, QWidget

_MOVES = (QEvent.Type.Move, QEvent.Type.Resize)
_ENDS = (QEvent.Type.FocusOut, QEvent.Type.Hide, QEvent.Type.MouseButtonPress)


class Ring(QFrame):
    """Lies over a dock and takes no room; only the keyboard brings it, a click or a press of the mouse takes it away.

    Parameters
    ----------
    dock : QWidget
        In which it lies.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._around: QWidget | None = None
        self.setProperty("ring", True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        self._soon = QTimer(self)  # where the dock is laid out anew, once that is done
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(lambda: None if self._around is None else self._place(self._around))
        dock.installEventFilter(self)

    def follow(self, left: QWidget | None) -> None:
        """Lie around what has the focus now, if that is in the dock, and a key took it there.

        Qt moves the focus, too, where what had it is switched off or hidden.
        """
        if self._around is not None:
            self._around.removeEventFilter(self)
        focused, dock = QApplication.focusWidget(), self.parentWidget()
        by_key = left is not None and left.isEnabled() and left.isVisible()
        inside = by_key and focused is not None and dock is not None and dock.isAncestorOf(focused)
        self._around = focused if inside else None
        if self._around is not None:
            self._around.installEventFilter(self)
            self._place(self._around)
        self.setVisible(self._around is not None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay around it, and go with its focus."""
        if watched is self.parentWidget() and event.type() in (*_MOVES, QEvent.Type.LayoutRequest):
            self._soon.start()
        if watched is self._around and self._around is not None:
            if event.type() in _MOVES:
                self._place(self._around)
            elif event.type() in _ENDS:
                self.hide()
        return False

    def _place(self, widget: QWidget) -> None:
        dock = self.parentWidget()
        if dock is not None:
            place = widget.mapTo(dock, QPoint(0, 0))
            self.setGeometry(place.x() - 2, place.y() - 2, widget.width() + 4, widget.height() + 4)
            self.raise_()
