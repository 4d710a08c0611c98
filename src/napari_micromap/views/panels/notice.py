"""One sentence to the user, with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from napari_micromap.views.controls import GAP, Paragraph, flat, link


class NoticePanel(QFrame):
    """Shows what went wrong, or what a user should know; goes when it is closed or answered by the next step."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = Paragraph()
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = link("Details", self._on_more)
        close = flat("✕", self.hide, "Close this message")
        close.setProperty("muted", True)
        self._act: Callable[[], object] = lambda: None
        self._in_passing = False
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.text)
        words.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 2, 4)
        row.setSpacing(GAP)
        row.addLayout(words, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def tell(
        self, sentence: str, action: str = "", act: Callable[[], object] | None = None, in_passing: bool = False
    ) -> None:
        """Show a sentence, and one thing to do beside it; in passing, it makes room for what the user does next."""
        self._show("told", sentence, action, act)
        self._in_passing = in_passing

    def make_room(self) -> None:
        """Go, if this was said in passing only."""
        if self._in_passing:
            self.hide()

    def tell_failure(self, sentence: str, details: Callable[[], object] | None = None) -> None:
        """Show what went wrong."""
        self._show("failed", sentence, "Details", details)

    def _show(self, kind: str, sentence: str, action: str, act: Callable[[], object] | None) -> None:
        self._in_passing = False
        self.setProperty("notice", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.text.setText(sentence)
        self.more.setText(action)
        self.more.setVisible(act is not None)
        self._act = act or (lambda: None)
        self.show()

    def _on_more(self) -> None:
        self._act()
