"""What is counted in the opened micrograph, as outlines, if that is wished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_micromap.atlas import Micrograph
from napari_micromap.descriptors.measuring import Measuring
from napari_micromap.questions.counting import Outline, outline

if TYPE_CHECKING:
    from napari_micromap.session.model import Session


class Outlines:
    """The outlines of one quantity; once wished, they are there in every micrograph that is opened, until hidden."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self.quantity: str | None = None
        self.measuring = Measuring()
        self.found: Outline | None = None
        self.row: int | None = None  # that `found` is of
        session.opened.connect(self._on_opened)

    @property
    def micrograph(self) -> Micrograph | None:
        """What was outlined, which knows where its specimen lies."""
        return None if self.row is None or self.row >= len(self._session.atlas) else self._session.atlas[self.row]

    def show(self, quantity: str, measuring: Measuring | None = None) -> None:
        """Outline what is counted for a quantity, in the current micrograph and in those that are opened later."""
        self.quantity, self.measuring = quantity, measuring or self.measuring
        if self._session.current is not None:
            self._find(self._session.current)

    def hide(self) -> None:
        """Outline nothing any more."""
        if self.quantity is not None or self.found is not None:
            self.quantity = self.found = self.row = None
            self._session.run.cancel("outlines")
            self.changed.emit()

    def _on_opened(self, row: int) -> None:
        if self.quantity is not None:
            self._find(row)

    def _find(self, row: int) -> None:
        micrograph, quantity, measuring = self._session.atlas[row], str(self.quantity), self.measuring

        def done(found: Outline) -> None:
            if self.quantity == quantity:
                self.found, self.row = found, row
                self.changed.emit()

        self._session.run(lambda: outline(micrograph, quantity, measuring), lane="outlines", done=done)
