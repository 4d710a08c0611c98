"""What was opened, what is the sample, which table: all that is asked before a map is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from napari_micromap.atlas import Atlas
from napari_micromap.pipeline import Joined
from napari_micromap.session import Session
from napari_micromap.session.before import bars_of, scales_of
from napari_micromap.tables import name_pieces, sample_candidates
from napari_micromap.tables.names import file_names
from napari_micromap.views.beside import TablesBeside
from napari_micromap.views.chips import PieceChips
from napari_micromap.views.controls import GAP, Choice, ChoiceBox, Line, field_name, link, push, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.wording import counted, examples, sample_noun


class CheckPanel(QWidget):
    """The check card; *Make map* is its one button.

    Parameters
    ----------
    session : Session
    more : QWidget
        What stands under *More*.
    """

    table_wanted = Signal()
    this_table_wanted = Signal(object)  # Path of one that lies in the folder
    map_wanted = Signal()
    unreadable_wanted = Signal()
    unmatched_wanted = Signal()
    bars_wanted = Signal()
    scales_wanted = Signal()
    use_only_wanted = Signal(str)  # column
    same_scale_wanted = Signal()
    own_scales_wanted = Signal()

    def __init__(self, session: Session, more: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.unreadable = link("", self.unreadable_wanted.emit, "List them, each with the reason")
        self.sample = ChoiceBox(self._sample_choices)
        self.samples = QLabel()
        self.samples.setProperty("muted", True)
        self.pieces = PieceChips(session)
        self.bars = link("", self.bars_wanted.emit, "Look at some, and correct them")
        self.scales = link("", self.scales_wanted.emit, "Tell the scale where no file does, or correct it")
        self.warning = Line()
        self.use_only = push("Use only…", lambda: self.use_only_wanted.emit(self._mixed_by), "Use only one of them")
        self._mixed_by = ""
        self.mixed = QWidget()
        self.same_scale = push(
            "Same scale for all",
            self.same_scale_wanted.emit,
            "Bring all images to the coarsest scale, so that structures are compared at equal size",
        )
        self.own_scales = push("Undo", self.own_scales_wanted.emit, "Take each image at its own scale again")
        mixed = QVBoxLayout(self.mixed)
        mixed.setContentsMargins(0, 0, 0, 0)
        mixed.setSpacing(GAP)
        mixed.addWidget(self.warning)
        mixed.addLayout(side_by_side(self.same_scale, self.own_scales, self.use_only, 1))
        self._one_scale = self._busy = False
        self.add_table = push(
            "Add table…",
            self.table_wanted.emit,
            "A CSV or TSV file with what you measured: one row an image, or one row a sample.\n"
            "It is matched by file name, folder, or a piece of the name.",
        )
        self.matched = link("", self.unmatched_wanted.emit, "List what matched and what did not")
        self.beside = TablesBeside(session, self.this_table_wanted.emit)
        self.make_map = push("Make map", self.map_wanted.emit, main=True)
        self.duration = Line(muted=True)
        self.more = QToolButton()
        self.more.setProperty("link", True)
        self.more.setCheckable(True)
        self.more.setToolTip("Feature extractor, layout, seed: the defaults are good for a first map")
        self._more_below = more
        self._build()
        self.sample.picked.connect(self._on_sample)
        self.more.toggled.connect(self._on_more)
        self._on_more(False)
        listen(self, session.atlas_changed, self._on_atlas)
        listen(self, session.tables.changed, self._on_joined)
        listen(self, session.scope.changed, self._show_scales)
        self._on_atlas(session.atlas)
        self._on_joined(session.tables.joined)

    # ------------------------------------------------------------------ build

    def _build(self) -> None:
        sample = field_name(
            "Sample",
            "The specimen that a micrograph shows. Several micrographs of one sample share what you measured on it.",
        )
        table = field_name("Table", "What you measured")
        self.make_map.setMinimumWidth(120)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.unreadable, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(side_by_side(sample, self.sample, self.samples))
        layout.addWidget(self.pieces)
        bars = field_name("Data bar", "The strip with scale and settings that microscopes write below an image")
        layout.addLayout(side_by_side(bars, self.bars, 1))
        scale = field_name("Scale", "Size of a pixel, as the microscope wrote it into the file, or as you say")
        layout.addLayout(side_by_side(scale, self.scales, 1))
        layout.addWidget(self.mixed)
        layout.addLayout(side_by_side(table, self.add_table, self.matched, 1))
        layout.addWidget(self.beside)
        layout.addSpacing(2)
        layout.addLayout(side_by_side(self.make_map, self.duration))
        layout.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._more_below)

    # ------------------------------------------------------------------ show

    def show_duration(self, said: str) -> None:
        """Show how long the map will take."""
        self.duration.say(said)

    def show_busy(self, busy: bool) -> None:
        """Offer to make a map where there are images, and nothing is made already."""
        self._busy = busy
        self.make_map.setEnabled(len(self._session.atlas) > 0 and not busy)

    def show_one_scale(self, one: bool) -> None:
        """Say whether all images are brought to one scale; then it is told, and nothing to be warned of."""
        self._one_scale = one
        self._show_scales()

    def show_made(self, made: bool) -> None:
        """Name the button by whether there is a map already."""
        self.make_map.setText("Make map anew" if made else "Make map")

    def _on_atlas(self, atlas: Atlas) -> None:
        bad = len(atlas.unreadable)
        self.unreadable.setVisible(bad > 0)
        self.unreadable.setText(f"⚠ {counted(bad, 'file')} could not be read ▸")
        name = atlas.sample_column
        self.sample.show_choice(_choice(name, atlas.columns[name]) if name else Choice("none"))
        samples = atlas.samples
        self.samples.setVisible(samples is not None)
        self.samples.setText("" if samples is None else counted(int(samples.nunique()), sample_noun(atlas)))
        self.show_busy(self._busy)
        self._show_bars(atlas)
        self._show_scales()

    def _show_bars(self, atlas: Atlas) -> None:
        bars = bars_of(atlas)
        said = f"on {bars.found:,} of {len(atlas):,}" if bars.found else "none found"
        doubtful = f" · {len(bars.to_check):,} to check" if len(bars.to_check) else ""
        self.bars.setText(f"{said}{doubtful} ▸")

    def _show_scales(self) -> None:
        used = self._session.used
        told = scales_of(self._session.atlas, used)
        self.scales.setText(f"{told.words} ▸")
        self.mixed.setVisible(told.mixed)
        self.same_scale.setVisible(not self._one_scale)
        self.own_scales.setVisible(self._one_scale)
        self._mixed_by = told.column
        if self._one_scale:
            self.warning.say("✓ All are brought to one scale", "The map compares fields of equal size, at equal scale.")
            return
        what = "magnifications" if told.column == "magnification" else "pixel sizes"
        self.warning.say(
            f"⚠ {told.groups:,} {what}",
            f"The largest is {told.factor:.3g} times the smallest. The map would be sorted by magnification rather "
            "than by structure; bring them to the same scale, or use images of one only.",
        )

    def _on_joined(self, joined: Joined | None) -> None:
        self.matched.setVisible(joined is not None)
        if joined is not None:
            match = joined.match
            self.matched.setText(f"{len(match.matched):,} of {len(match.micrograph_codes):,} matched ▸")
            self.matched.setToolTip(joined.sentence)

    def _sample_choices(self) -> Iterator[Choice]:
        atlas = self._session.atlas
        yield Choice("none", None, "Each micrograph stands for itself")
        pieces = name_pieces(file_names(atlas)) if len(atlas) else None
        for name in sample_candidates(atlas):
            values = atlas.columns.get(name)
            if values is None and pieces is not None:
                values = pieces.get(name)
            if values is not None:
                yield _choice(name, values)

    # ------------------------------------------------------------------ ask

    def _on_sample(self, name: str | None) -> None:
        self._session.sample_column = name

    def _on_more(self, shown: bool) -> None:
        self.more.setText("More ▾" if shown else "More ▸")
        self._more_below.setVisible(shown)


def _choice(name: str, values: pd.Series[Any]) -> Choice:
    """Show a column by its name, and a piece of the name by what it says."""
    said = examples(values)
    if name.startswith("piece ") and name[6:].isdecimal():
        return Choice(f"{said} ({name} of the name)", name, f"{name} of the file name: {said}")
    return Choice(name, name, f"{name}: {said}")
