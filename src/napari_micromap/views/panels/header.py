"""What is open, in one line, with *Save* and a menu."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.session import Session
from napari_micromap.views.controls import Line, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counts_of, name_of


class HeaderPanel(QWidget):
    """The name of the set and its counts; a click on the arrow folds the check card away."""

    folded = Signal(bool)
    save_wanted = Signal()

    def __init__(self, session: Session, menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.fold = QToolButton()
        self.fold.setProperty("flat", True)
        self.fold.setCheckable(True)
        self.fold.setToolTip("Samples, table, and how the map is made")
        self.title = Line()
        self.title.setProperty("strong", True)
        self.counts = Line(muted=True)
        self.save = push("Save", self.save_wanted.emit, "Save this map as a folder that can be opened again")
        self.menu = QToolButton()
        self.menu.setText("⋯")
        self.menu.setProperty("flat", True)
        self.menu.setToolTip("Open, add a table, save as …")
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu.setMenu(menu)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.title)
        words.addWidget(self.counts)
        row = side_by_side(self.fold)
        row.addLayout(words, 1)
        row.addWidget(self.save)
        row.addWidget(self.menu)
        self.setLayout(row)
        self.fold.toggled.connect(self._on_fold)
        self.show_folded(False)
        listen(self, session.atlas_changed, self._on_atlas)
        listen(self, session.scope.changed, lambda: self._on_atlas(session.atlas))
        listen(self, session.saving.changed, lambda _: self._on_atlas(session.atlas))
        self._on_atlas(session.atlas)

    @property
    def is_folded(self) -> bool:
        """Whether the check card is folded away."""
        return not self.fold.isChecked()

    def show_folded(self, folded: bool) -> None:
        """Show the check card as folded away or not."""
        self.fold.setChecked(not folded)
        self._on_fold(not folded)

    def show_foldable(self, foldable: bool) -> None:
        """Offer to fold the check card away."""
        self.fold.setVisible(foldable)

    def _on_fold(self, open_: bool) -> None:
        self.fold.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
        self.folded.emit(not open_)

    def _on_atlas(self, atlas: Atlas) -> None:
        saved = self._session.saving.folder
        self.title.say(saved.stem if saved is not None else name_of(atlas), str(saved or name_of(atlas)))
        used = self._session.used
        said = counts_of(atlas, used)
        # "35 of 43 images of 19 films"
        self.counts.say(said if len(used) == len(atlas) else said.replace(" image", f" of {len(atlas):,} image", 1))
        self.save.setEnabled(len(atlas) > 0)
