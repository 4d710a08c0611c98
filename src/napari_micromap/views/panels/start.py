"""The empty dock: where micrographs can come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from napari_micromap.views.controls import GAP, Paragraph, push


class StartPanel(QWidget):
    """A drop zone and the ways to open a set of micrographs.

    Parameters
    ----------
    recent : callable
        Gives the paths that were opened last, when the list is asked for.
    """

    folder_wanted = Signal()
    session_wanted = Signal()
    layers_wanted = Signal()
    example_wanted = Signal()
    path_wanted = Signal(object)  # Path of a recent one

    def __init__(self, recent: Callable[[], Iterable[Path]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.zone = DropZone()
        self.zone.clicked.connect(self.folder_wanted)
        self.open_folder = push(
            "Open folder…",
            self.folder_wanted.emit,
            "Open all micrographs of a folder and of the folders in it: TIFF, PNG, JPEG, BMP, WebP.\n"
            "Files are only read, never changed.",
        )
        self.open_session = push(
            "Open saved map…", self.session_wanted.emit, "Go on with a map that was saved: its folder NAME.micromap."
        )
        self.use_layers = push(
            "Use open images",
            self.layers_wanted.emit,
            "Take the image layers of this viewer: each layer, and each picture of a stack, is a micrograph.",
        )
        self.try_example = push(
            "Try example",
            self.example_wanted.emit,
            "Make synthetic micrographs of thin films, each with a made-up critical current density.",
        )
        self.recent = push("Recent ▾", lambda: None, "What was opened before")
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._recent = recent
        self._menu.aboutToShow.connect(self._fill_menu)
        self.recent.setMenu(self._menu)
        self._build()

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP)
        for k, button in enumerate((self.open_folder, self.open_session, self.use_layers, self.try_example)):
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            grid.addWidget(button, k // 2, k % 2)
            grid.setColumnStretch(k % 2, 1)
        self.recent.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        grid.addWidget(self.recent, 2, 0, 1, 2)
        hint = Paragraph(
            "See your micrographs as a map: similar ones lie close together, colored by what you measured.", muted=True
        )
        hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GAP)
        layout.addWidget(self.zone)
        layout.addLayout(grid)
        layout.addWidget(hint)
        layout.addStretch(1)

    def show_recent(self) -> None:
        """Offer the list of recent ones only where there are some."""
        self.recent.setVisible(any(True for _ in self._recent()))

    def _fill_menu(self) -> None:
        fill_with_paths(self._menu, self._recent(), self.path_wanted.emit)


class DropZone(QFrame):
    """A field that says what can be dropped, and opens a folder when it is clicked."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("dropZone", True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        first = QLabel("Drop a folder or table here")
        first.setProperty("strong", True)
        second = QLabel("or a saved map")
        second.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 28, 8, 28)
        layout.setSpacing(2)
        for label in (first, second):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(label)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Take a click as the wish for a folder."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.pos()):
            self.clicked.emit()

    def show_dropping(self, dropping: bool) -> None:
        """Show that what is held over the dock can be dropped."""
        if self.property("dropping") != dropping:
            self.setProperty("dropping", dropping)
            self.style().unpolish(self)
            self.style().polish(self)


def fill_with_paths(menu: QMenu, paths: Iterable[Path], wanted: Callable[[Path], object]) -> None:
    """Fill a menu with paths, named shortly."""
    menu.clear()
    for path in paths:
        action = menu.addAction(f"{path.parent.name}/{path.name}" if path.parent.name else path.name)
        action.setToolTip(str(path))
        action.triggered.connect(lambda _=False, path=path: wanted(path))
    if menu.isEmpty():
        menu.addAction("Nothing yet").setEnabled(False)
