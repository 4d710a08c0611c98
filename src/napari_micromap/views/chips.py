"""The pieces of an example name, to be clicked."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QToolButton, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.session import Session
from napari_micromap.tables.names import file_names, name_pieces, pieces_of, stem_of
from napari_micromap.views.controls import GAP, Flow, name_width
from napari_micromap.views.listening import listen
from napari_micromap.wording import examples

_MOST_PIECES = 12
_LONGEST = 110  # logical pixels


class PieceChips(Flow):
    """An example name cut into pieces; the one that is clicked names the sample, the others become columns."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._names: tuple[object, ...] = ()
        self._pieces = name_pieces([])
        self.chips: dict[str, QToolButton] = {}
        # Below the field of the sample, not below its name.
        self.flow.setContentsMargins(name_width(self) + GAP, 0, 0, 0)
        listen(self, session.atlas_changed, self._on_atlas)
        self._on_atlas(session.atlas)

    def _on_atlas(self, atlas: Atlas) -> None:
        names = (id(atlas.ids), len(atlas))
        if names != self._names:
            self._names = names
            self._fill(atlas)
        sample = atlas.sample_column
        for name, chip in self.chips.items():
            chip.setChecked(name == sample)
        # A table that names the samples knows better than the names of files.
        self.setVisible(self.flow.count() > 1 and bool(self.chips) and (sample is None or sample in self.chips))

    def _fill(self, atlas: Atlas) -> None:
        while (item := self.flow.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        self.chips = {}
        if not len(atlas):
            return
        names = file_names(atlas)
        self._pieces = name_pieces(names)
        folder = str(atlas.columns["folder"].iat[0] or "")
        if atlas.columns["folder"].nunique() > 1 and folder:
            self._add("folder", PurePath(folder).name + " /", examples(atlas.columns["folder"]))
        for place, piece in enumerate(pieces_of(stem_of(names[0]))[:_MOST_PIECES], start=1):
            name = f"piece {place}"
            if name in self._pieces:
                self._add(name, piece, examples(self._pieces[name]))
            else:
                alike = QLabel(self._short(piece))
                alike.setProperty("muted", True)
                alike.setToolTip("The same in all names")
                self.flow.addWidget(alike)

    def _add(self, name: str, text: str, said: str) -> None:
        chip = QToolButton()
        chip.setProperty("chip", True)
        chip.setCheckable(True)
        chip.setText(self._short(text).replace("&", "&&"))
        chip.setToolTip(f"Click if this names the sample: {said}.\nThe other pieces become columns.")
        chip.clicked.connect(partial(self._on_click, name))
        self.chips[name] = chip
        self.flow.addWidget(chip)

    def _short(self, text: str) -> str:
        return str(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, _LONGEST))

    def _on_click(self, name: str) -> None:
        if name == "folder":
            self._session.sample_column = name
        else:
            self._session.sample_from_name(name)
        self._on_atlas(self._session.atlas)  # a click on the one that was checked would uncheck it
