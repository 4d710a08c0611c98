"""What is selected, and how to walk through its gallery."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_micromap.session import Session
from napari_micromap.views.controls import GAP, Choice, ChoiceBox, Flow, Line, Paragraph, flat, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counts_of

_TILE_SCALES = {
    "fit": Choice("Fit", "fit", "Whole images, each with its own scale bar"),
    "same": Choice("Same scale", "same", "Images cut so that all have the same scale, with one scale bar for all"),
}


_PATIENCE = 2000  # ms
Mode: TypeAlias = Literal["closed", "gallery", "opened"]


class SelectedPanel(QWidget):
    """One line of counts, and one of buttons while the gallery stands in the viewer."""

    gallery_wanted = Signal()
    back_wanted = Signal()
    close_wanted = Signal()
    next_wanted = Signal()  # page
    previous_wanted = Signal()
    exclude_wanted = Signal()
    where_wanted = Signal()
    scale_wanted = Signal()
    tile_scale_wanted = Signal(str)  # "fit" or "same"

    def __init__(self, session: Session, names: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.names = names
        self.exclude = push(
            "Exclude ▾", self.exclude_wanted.emit, "Leave them out, with a reason (X); undone by Ctrl+Z"
        )
        self.counts = Line()
        self.hint = Line("Draw around dots to see those images", muted=True)
        self.clear = flat("✕", session.selection.clear, "Select nothing (Esc)")
        self.before = flat("‹", self.previous_wanted.emit, "The page before")
        self.page = QLabel()
        self.page.setProperty("muted", True)
        self.after = flat("›", self.next_wanted.emit, "The next page")
        self.where = push(
            "Where?",
            self.where_wanted.emit,
            "Show where in these images the tested property shows: what raises its prediction, and what lowers it",
        )
        self.scale = push("Scale…", self.scale_wanted.emit, "Set the scale: draw a line of known length on this image")
        self.tile_scale = ChoiceBox(lambda: _TILE_SCALES.values())
        self.tile_scale.picked.connect(self.tile_scale_wanted.emit)
        self.show_tile_scale("fit")
        self.back = push("Back to gallery", self.back_wanted.emit, "Show the gallery again as it was (Backspace)")
        self.close_gallery = push(
            "Close gallery", self.close_wanted.emit, "Show the viewer as it was before; the selection stays"
        )
        self.see = push("Show gallery", self.gallery_wanted.emit, "Show what is selected in the viewer again")
        self.buttons = Flow()  # on a narrow dock they take two lines
        self.buttons.line_up(
            self.before, self.page, self.after, self.tile_scale, self.where, self.scale, self.back, self.close_gallery,
            self.see,
        )  # fmt: skip
        self.see.hide()
        self._waiting = QTimer(self)  # for a gallery that does not come by itself: of a map that was opened, or failed
        self._waiting.setSingleShot(True)
        self._waiting.setInterval(_PATIENCE)
        self._waiting.timeout.connect(self._on_waited)
        self._mode: Mode = "closed"
        self.tile_scale.setMinimumContentsLength(len("Same scale"))
        self.tile_scale.setMaximumWidth(self.tile_scale.fontMetrics().horizontalAdvance("Same scale") + 60)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP // 2)
        layout.addLayout(side_by_side(self.counts, self.hint, self.names, self.exclude, self.clear))
        layout.addWidget(self.buttons)
        self.where_note = Paragraph(muted=True)
        layout.addWidget(self.where_note)
        listen(self, session.selection.changed, lambda _: self._on_other_selection())
        listen(self, session.atlas_changed, lambda _: self._on_selection())
        listen(self, session.named.changed, self._on_selection)
        listen(self, session.scope.changed, self._on_selection)
        listen(self, session.where.changed, self._on_where)
        self._on_selection()
        self._on_where()
        self.show_gallery("closed", 0, 1, False)

    def show_gallery(self, mode: Mode, page: int, pages: int, can_go_back: bool) -> None:
        """Show the buttons that make sense now; ``page`` counts from 0."""
        before, self._mode = self._mode, mode
        if mode == "closed":
            # A new selection brings its gallery itself; only one that was closed has to be asked for.
            offered = before != "closed" or not self.see.isHidden()
            self._line_up(*([self.see] if offered and len(self._session.selection) else []))
        elif mode == "opened":
            self._line_up(self.where, self.scale, *([self.back] if can_go_back else []), self.close_gallery)
        else:
            turning = [self.before, self.page, self.after] if pages > 1 else []
            self._line_up(*turning, self.tile_scale, self.where, self.close_gallery)
        # beside the buttons of an opened image there is no room for more on a narrow dock
        self.close_gallery.setText("Close" if mode == "opened" else "Close gallery")
        self.page.setText(f"{page + 1:,} of {pages:,}")
        self.before.setEnabled(page > 0)
        self.after.setEnabled(page + 1 < pages)

    def show_tile_scale(self, tile_scale: str) -> None:
        """Show whether tiles are whole or cut to one scale."""
        self.tile_scale.show_choice(_TILE_SCALES[tile_scale])

    def _line_up(self, *buttons: QWidget) -> None:
        self.buttons.line_up(*buttons)
        self.buttons.setVisible(bool(buttons))

    def _on_other_selection(self) -> None:
        if not self.see.isHidden():
            self._line_up()
        self._waiting.start()
        self._on_selection()

    def _on_waited(self) -> None:
        if self._mode == "closed" and len(self._session.selection):
            self._line_up(self.see)

    def _on_where(self) -> None:
        self.where_note.setText(self._session.where.note)
        self.where_note.setVisible(bool(self.where_note.text()))

    def _on_selection(self) -> None:
        atlas, rows = self._session.atlas, self._session.selection.rows
        for widget in (self.clear, self.counts, self.exclude):
            widget.setVisible(len(rows) > 0)
        self.names.setVisible(len(rows) > 0 or len(self._session.named) > 0)
        self.hint.setVisible(not len(rows))
        out = int(self._session.scope.excluded(atlas)[rows].sum())
        self.counts.say(counts_of(atlas, np.asarray(rows)) + (f" · {out:,} excluded" if out else ""))
