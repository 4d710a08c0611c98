"""Scales that no header tells: what burnt-in bars say, or a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QCloseEvent, QPixmap
from qtpy.QtWidgets import QDialog, QFrame, QLabel, QVBoxLayout, QWidget

from napari_micromap.atlas import OWN_COLUMNS, Atlas
from napari_micromap.scaling import MEANINGS, BarGroup, BarGroups, Meaning
from napari_micromap.session import Session
from napari_micromap.session.before import scales_of
from napari_micromap.session.scales import rows_to_look_at
from napari_micromap.views.controls import GAP, Choice, ChoiceBox, Line, Paragraph, Roomy, push, side_by_side
from napari_micromap.views.lengths import LengthEdit
from napari_micromap.views.listening import listen
from napari_micromap.views.pixmaps import image_of
from napari_micromap.views.trying import trying
from napari_micromap.wording import counted
from napari_micromap.work import Progress

_SHOWN = 40  # groups: nobody types more
_WIDEST, _TALLEST, _MOST_ENLARGED = 420, 64, 2  # logical pixels of a bar's picture


class ScalesWindow(QDialog):
    """Groups of identical scale bars, each to be told once; or a column that tells the scale.

    Parameters
    ----------
    session : Session
    parent : QWidget
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Scale")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session = session
        self._ids = session.atlas.ids
        self._looking = True
        self.heading = Paragraph()
        self.problem = Paragraph()
        self.cards: list[BarCard] = []
        self.column = ChoiceBox(self._columns)
        self.meaning = ChoiceBox(lambda: (Choice(said, said) for said in MEANINGS))
        self.use = push("Use", self._on_use, "Take the scale of each image from this column")
        self._cards = QWidget()
        self._list = QVBoxLayout(self._cards)
        self._build()
        listen(self, session.atlas_changed, self._on_atlas)
        self._on_atlas(session.atlas)
        rows = rows_to_look_at(session.atlas)
        session.scales.look_for_bars(self._on_found, self._on_progress, rows, lambda: self._looking)

    def _build(self) -> None:
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(GAP)
        self._list.addStretch(1)
        self.column.show_choice(Choice("choose a column"))
        self.meaning.show_choice(Choice(MEANINGS[0], MEANINGS[0]))
        self.problem.hide()
        layout = QVBoxLayout(self)
        layout.setSpacing(GAP + 2)
        layout.addWidget(self.heading)
        layout.addWidget(Roomy(self._cards), 1)
        layout.addLayout(side_by_side(QLabel("From a column"), self.column, QLabel("is"), self.meaning, self.use))
        layout.addWidget(self.problem)
        close = push("Close", self.close)
        for button in (self.use, close):
            button.setAutoDefault(False)  # Enter belongs to the length that is typed
        layout.addLayout(side_by_side(1, close))
        self.resize(520, 520)

    # ------------------------------------------------------------------ show

    def _on_atlas(self, atlas: Atlas) -> None:
        if not np.array_equal(atlas.ids, self._ids):
            self.close()
            return
        told = scales_of(atlas)
        said = f"{told.known:,} of {counted(told.total, 'image')} have a scale."
        if self.cards:
            said += " Type what these scale bars say; once is enough for all images with the same bar."
        elif self._looking:
            said += " Looking for scale bars in the images…"
        else:
            said += (
                " No scale bar was found for sure. Open an image and choose Set scale… to draw along a known length, "
                "or take a column that tells it."
            )
        self.heading.setText(said)
        for card in self.cards:
            card.show_scale(atlas)

    def _on_progress(self, progress: Progress) -> None:
        if isinstance(progress.partial, BarGroups):
            self._show_groups(progress.partial)

    def _on_found(self, groups: BarGroups) -> None:
        if self._looking:
            self._looking = False
            self._show_groups(groups)

    def _show_groups(self, groups: BarGroups) -> None:
        """Show the groups so far; a card that stands there stays, so that nothing moves under a typing hand."""
        known = {card.first: card for card in self.cards}
        for group in list(groups)[:_SHOWN]:
            card = known.get(group.rows[0])
            if card is None:
                card = BarCard(group, self._on_entered)
                self.cards.append(card)
                self._list.insertWidget(self._list.count() - 1, card)
            card.show_group(group)
        self._on_atlas(self._session.atlas)

    def _columns(self) -> Iterator[Choice]:
        atlas = self._session.atlas
        for name in map(str, atlas.columns):
            values = atlas.columns[name]
            if name not in OWN_COLUMNS and pd.api.types.is_numeric_dtype(values) and values.notna().any():
                yield Choice(name, name)

    # ------------------------------------------------------------------ ask

    def _on_entered(self, group: BarGroup, length: float, unit: str) -> None:
        self._try(lambda: self._session.scales.by_bar(group.rows, group.pixels, length, unit))

    def _on_use(self) -> None:
        name, meaning = self.column.value, self.meaning.value
        if name is None:
            self._say("Choose the column first; there is one when a table with it has been added.")
            return
        chosen: Meaning = meaning
        self._try(lambda: self._session.scales.by_column(name, chosen))

    def _try(self, verb: Callable[[], object]) -> None:
        if trying(self._say)(verb):
            self.problem.hide()

    def _say(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop looking."""
        self._looking = False
        super().closeEvent(event)


class BarCard(QFrame):
    """The picture of one bar, how many images have it, and what it says."""

    def __init__(self, group: BarGroup, entered: Callable[[BarGroup, float, str], object]) -> None:
        super().__init__()
        self.group, self.first = group, group.rows[0]
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.picture = QLabel()
        self.picture.setPixmap(_pixmap(group.bar.picture))
        self.said = QLabel()
        self.names = Line(muted=True)
        self.length = LengthEdit()
        self.scale = QLabel()
        self.scale.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP)
        layout.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(side_by_side(self.said, self.length, self.scale, self.names))
        self.length.entered.connect(lambda length, unit: entered(self.group, length, unit))

    def show_group(self, group: BarGroup) -> None:
        """Show how many images have this bar."""
        self.group = group
        self.said.setText(f"{counted(len(group.rows), 'image')}: this bar is")

    def show_scale(self, atlas: Atlas) -> None:
        """Show what was said of it."""
        rows = [row for row in self.group.rows if row < len(atlas)]
        sizes = atlas.um_per_px[rows]
        same = len(sizes) > 0 and bool(np.ptp(sizes) <= 1e-9 * sizes[0]) if np.isfinite(sizes).all() else False
        self.scale.setText(_size_words(float(sizes[0])) if same else "")
        if same and self.length.length is None:
            self.length.show_um(float(sizes[0]) * self.group.pixels)
        names = atlas.columns["file"].iloc[rows].astype(str).tolist()
        self.names.say(", ".join(names[:3]) + ("…" if len(names) > 3 else ""), "\n".join(names[:30]))


def _size_words(um_per_px: float) -> str:
    return f"✓ {um_per_px * 1e3:.3g} nm/px" if um_per_px < 1 else f"✓ {um_per_px:.3g} µm/px"


def _pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    height, width = picture.shape
    zoom = min(_MOST_ENLARGED, _WIDEST / width, _TALLEST / height)
    return QPixmap.fromImage(image_of(picture)).scaled(
        max(1, round(width * zoom)), max(1, round(height * zoom)),
        Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation,
    )  # fmt: skip
