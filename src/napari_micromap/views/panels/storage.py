"""What is kept on disk, how much, where; and letting it go."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from napari_micromap.labels import bytes_label
from napari_micromap.places import cache_bytes
from napari_micromap.session import Session
from napari_micromap.store.room import Kept, kept_in
from napari_micromap.views.controls import GAP, Paragraph, push, side_by_side
from napari_micromap.views.listening import listen

_WHAT = {
    "embeddings": "What the network saw: with it, a set that was mapped before is mapped again in seconds",
    "thumbnails": "Small pictures for the map, the gallery and the table",
    "measurements": "What was counted in micrographs",
    "other": "Made-up films, and what was opened last",
}


class StorageWindow(QDialog):
    """Place and size of what is kept, and *Clear*.

    Parameters
    ----------
    session : Session
    open_preferences : callable
        Opens napari's Preferences, where place and limit can be changed.
    """

    def __init__(self, session: Session, open_preferences: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Storage")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session, self._folder = session, session.workshop.cache
        self.told = Paragraph()
        self.sizes = {name: QLabel() for name in _WHAT}
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * GAP)
        for row, (name, tip) in enumerate(_WHAT.items()):
            words = QLabel(name.capitalize())
            words.setToolTip(tip)
            self.sizes[name].setToolTip(tip)
            self.sizes[name].setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(words, row, 0)
            grid.addWidget(self.sizes[name], row, 1)
        grid.setColumnStretch(2, 1)
        self.clear = push(
            "Clear", self._on_clear, "Let go of embeddings and thumbnails; they are made again when needed"
        )
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GAP)
        layout.addWidget(self.told)
        layout.addLayout(grid)
        layout.addWidget(Paragraph("Your images, tables and saved maps lie elsewhere and are not touched.", muted=True))
        layout.addStretch(1)
        layout.addLayout(
            side_by_side(
                self.clear,
                push("Show folder", self._on_folder, "Open it in the file manager"),
                push("Preferences…", open_preferences, "Another folder, or another limit"),
                1,
                push("Close", self.close),
            )
        )
        listen(self, session.cleared, self.show_kept)
        self.show_kept(kept_in(self._folder))
        self.resize(520, 240)

    def show_kept(self, kept: Kept) -> None:
        """Show sizes."""
        limit = bytes_label(cache_bytes())
        self.told.setText(f"What was computed is kept in {self._folder}; embeddings take {limit} at most.")
        for name, label in self.sizes.items():
            label.setText(bytes_label(kept.get(name, 0)))
        self.clear.setEnabled(True)

    def _on_clear(self) -> None:
        self.clear.setEnabled(False)
        self._session.clear_kept()

    def _on_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
