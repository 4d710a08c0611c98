"""Saving a map, and asking before one that is not saved would go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.store.recent import remember
from napari_micromap.views import asking
from napari_micromap.views.dropped import ENDING
from napari_micromap.views.whereto import beside
from napari_micromap.wording import counts_of, name_of

Then = Callable[[], object]


class Saving:
    """Saves a session, asking where to, and asks before unsaved work would go.

    Parameters
    ----------
    window : QWidget
        What dialogs belong to.
    session : Session
    tell : callable
        Shows a sentence about what cannot be done.
    """

    def __init__(self, window: QWidget, session: Session, tell: Callable[[str], object]) -> None:
        self._window, self._session, self._tell = window, session, tell
        self.say: Callable[[str], object] = lambda sentence: None  # what went well

    def save(self, then: Then | None = None) -> None:
        """Save where it was saved before, else ask where; go on once it is saved."""
        if self._session.saving.folder is None:
            self.save_as(then)
        else:
            self._save_to(self._session.saving.folder, then)

    def save_as(self, then: Then | None = None) -> None:
        """Ask where to save."""
        if not len(self._session.atlas):
            self._tell("Open some micrographs first; then there is something to save.")
            return
        before = self._session.saving.folder
        folder = beside(self._session) or Path.home()
        suggested = before or folder / f"{name_of(self._session.atlas)}{ENDING}"
        asking.ask_where_to_save(self._window, suggested, lambda path: self._save_to(path, then))

    def settled(self, then: Then) -> None:
        """Do something that lets the open map go: at once where it is saved, else when the user has decided."""
        if self._session.saving.unsaved:
            self.ask(then)
        else:
            then()

    def ask(self, then: Then) -> QMessageBox:
        """Ask whether to save first, to go on without, or to stay; go on once it is saved."""
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Save the map?")
        atlas, folder = self._session.atlas, self._session.saving.folder
        box.setText(f"The map of “{name_of(atlas) if folder is None else folder.name}” is not saved.")
        box.setInformativeText(
            f"{counts_of(atlas)}. What the network saw is kept in any case; the map, named selections, exclusions, "
            "tables, tags and corrections would be lost."
        )
        keep = box.addButton("Save", QMessageBox.ButtonRole.AcceptRole)
        lose = box.addButton("Don’t save", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(keep)
        keep.clicked.connect(lambda: self.save(then))
        lose.clicked.connect(lambda: then())
        box.open()
        return box

    def _save_to(self, path: Path, then: Then | None) -> None:
        path = path if path.suffix == ENDING else path.with_name(path.name + ENDING)

        def saved() -> None:
            self.say(f"Saved as {path.name} in {path.parent}.")
            if then is not None:
                then()

        try:
            self._session.saving.save(path, saved)
        except Problem as problem:
            self._tell(str(problem))
        else:
            remember(path)


class BeforeClosing(QObject):
    """Holds a window that is being closed until the user has said what is to become of unsaved work.

    Only a user is asked: a script that closes the viewer has closed its canvas before, and means it.

    Parameters
    ----------
    window : QMainWindow
        napari's.
    session : Session
    saving : Saving
        Asks.
    """

    def __init__(self, window: Any, session: Session, saving: Saving) -> None:
        super().__init__(window)
        self._window, self._session, self._saving = window, session, saving
        self._settled = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask when the window is to close."""
        if event.type() != QEvent.Type.Close or watched is not self._window or self._settled:
            return False
        if not (self._session.saving.unsaved and self._window._qt_viewer.isVisible()):
            return False
        event.ignore()
        self._saving.ask(self._close)
        return True

    def _close(self) -> None:
        self._settled = True
        self._window.close(quit_app=getattr(self._window, "_quit_app", False))
        self._settled = self._window.isHidden()
