"""Tables that lie in the opened folder: offered, never added unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QMenu, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.pipeline import Joined
from napari_micromap.session import Session
from napari_micromap.views.controls import GAP, Line, name_width, push, side_by_side
from napari_micromap.views.listening import listen


class TablesBeside(QWidget):
    """A line that names the table and a button that adds it; of several, the button offers each.

    Parameters
    ----------
    session : Session
    wanted : callable
        Takes the path of the one to add.
    """

    def __init__(self, session: Session, wanted: Callable[[Path], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._wanted = session, wanted
        self._ids: object = None
        self.found: list[Path] = []
        self.words = Line(muted=True)
        self.add = push("Add it", self._on_add, "Read it, and put its values beside the images")
        row = side_by_side(self.words, self.add)
        row.setContentsMargins(name_width(self) + GAP, 0, 0, 0)
        self.setLayout(row)
        self.hide()
        self._soon = QTimer(self)  # a saved session says which tables it has only after its images
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        listen(self, session.atlas_changed, self._on_atlas)
        listen(self, session.tables.changed, self._on_joined)
        self._on_atlas(session.atlas)

    def _on_atlas(self, atlas: Atlas) -> None:
        if atlas.ids is not self._ids:
            self._ids = atlas.ids
            self._soon.start()

    def _on_joined(self, joined: Joined | None) -> None:
        self._soon.start()

    def _look(self) -> None:
        self._session.tables.look_beside(self._show)

    def _show(self, found: list[Path]) -> None:
        self.found = found
        one = len(found) == 1
        said = f"{found[0].name} lies in this folder" if one else f"{len(found)} tables lie in this folder"
        self.words.say(said, "\n".join(map(str, found)))
        self.add.setText("Add it" if one else "Add one ▾")
        self.setVisible(bool(found))

    def _on_add(self) -> None:
        if len(self.found) == 1:
            self._wanted(self.found[0])
            return
        menu = QMenu(self)
        for path in self.found:
            menu.addAction(path.name.replace("&", "&&")).triggered.connect(
                lambda _=False, path=path: self._wanted(path)
            )
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.add.mapToGlobal(self.add.rect().bottomLeft()))
