"""The moment at which a window is closed for good."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication, QWidget


class Leaving(QObject):
    """Calls something once when a window was closed, or the application ends.

    A window that is asked to close may refuse; only when it hides after that it is gone.
    """

    def __init__(self, window: QWidget, leave: Callable[[], object]) -> None:
        super().__init__(window)
        self._leave: Callable[[], object] | None = leave
        self._asked = False
        window.installEventFilter(self)
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.leave)

    def leave(self) -> None:
        """Call it now, unless that happened before."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch the window."""
        if event.type() == QEvent.Type.Close:
            self._asked = True
            if not watched.isVisible():
                self.leave()
        elif event.type() == QEvent.Type.Hide and self._asked and not event.spontaneous():
            self.leave()
        return False
