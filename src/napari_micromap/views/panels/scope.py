"""Which filters are on, and how many images are left out."""

from __future__ import annotations

from functools import partial

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QToolButton, QWidget

from napari_micromap.session import Session
from napari_micromap.session.scope import Filter
from napari_micromap.views.controls import Flow, link, push
from napari_micromap.views.listening import listen
from napari_micromap.wording import counted

_LONGEST = 190  # logical pixels, width of a chip's words at most


class ScopePanel(Flow):
    """Chips of the filters, each removed by a click, and what is excluded; hidden where there is neither."""

    excluded_wanted = Signal()  # the list of them
    map_wanted = Signal()  # of what is used only

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.chips: list[QToolButton] = []
        self.excluded = link("", self.excluded_wanted.emit, "List them with their reasons; take some back")
        self.make_map = push(
            "Make map of these",
            self.map_wanted.emit,
            "Filters or exclusions changed since this map was made: lay it out anew, by these images alone",
        )
        self.line_up(self.excluded, self.make_map)
        for signal in (session.scope.changed, session.atlas_changed, session.map_changed):
            listen(self, signal, lambda *_: self._on_scope())
        self._on_scope()

    def _on_scope(self) -> None:
        session, scope = self._session, self._session.scope
        before, self.chips = self.chips, [self._chip(one) for one in scope.filters]
        out = int(scope.excluded(session.atlas).sum())
        self.excluded.setText(f"{out:,} excluded ▸")
        shown: list[QWidget] = [*self.chips, *([self.excluded] if out else [])]
        if session.map_is_of_others and len(session.used):
            shown.append(self.make_map)
        self.line_up(*shown)
        for chip in before:
            chip.deleteLater()
        self.setVisible(bool(shown))

    def _chip(self, one: Filter) -> QToolButton:
        chip = QToolButton()
        chip.setProperty("chip", True)
        said = self.fontMetrics().elidedText(one.label, Qt.TextElideMode.ElideMiddle, _LONGEST)
        chip.setText(f"✕ {said}".replace("&", "&&"))
        kept = counted(int(np.count_nonzero(one.mask(self._session.atlas))), "image")
        chip.setToolTip(f"Only {one.label} ({one.column}): {kept}. Click to use the others again.")
        chip.clicked.connect(partial(self._session.scope.drop_filter, one.column))
        return chip
