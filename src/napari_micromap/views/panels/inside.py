"""How what is selected differs from the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_micromap.labels import number
from napari_micromap.questions.inquiry import Answer
from napari_micromap.questions.scanning import MapScan
from napari_micromap.session import Session
from napari_micromap.views.controls import GAP, Line, Paragraph
from napari_micromap.views.listening import listen
from napari_micromap.views.plots import Bars
from napari_micromap.wording import quantity_of

_BINS = 12


class InsidePanel(QWidget):
    """The property inside against outside, and what the region may claim; live on every lasso."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._scan: MapScan | None = None
        self.heading = Line(muted=True)
        self.bars = Bars()
        self.sentence = Paragraph(muted=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP // 2)
        for widget in (self.heading, self.bars, self.sentence):
            layout.addWidget(widget)
        listen(self, session.selection.changed, lambda _: self._on_selection())
        listen(self, session.color_changed, lambda _: self._on_other())
        listen(self, session.map_changed, lambda _: self._on_other())
        listen(self, session.scope.changed, self._on_other)
        listen(self, session.questions.scanned, self._on_scan)
        listen(self, session.questions.answered, self._on_answer)  # a scan does not disturb a test
        self._on_selection()

    def _on_other(self) -> None:
        self._scan = None
        self._on_selection()

    def _on_answer(self, answer: Answer) -> None:
        self._on_selection()
        if self._scan is None and answer.property == self._session.color_by and not answer.units.categories:
            self._session.questions.scan_map()

    def _on_selection(self) -> None:
        session = self._session
        used = session.used
        chosen = session.selection.mask(len(session.atlas))[used]
        inside, outside = used[chosen], used[~chosen]
        values = session.colors_from if len(inside) else None  # texts of many take long to look through
        numbers = None if values is None else pd.to_numeric(values, errors="coerce").to_numpy(float, na_value=np.nan)
        known = numbers is not None and bool(np.isfinite(numbers[inside]).any())
        for widget in (self.heading, self.bars):
            widget.setVisible(known)
        self.sentence.setVisible(False)
        if not known or numbers is None:
            return
        finite = numbers[used][np.isfinite(numbers[used])]
        edges = np.histogram_bin_edges(finite, _BINS)
        bars = [np.histogram(numbers[r][np.isfinite(numbers[r])], edges)[0] for r in (inside, outside)]
        span = float(edges[-1] - edges[0])
        self.heading.say(f"{quantity_of(str(session.color_by))[0]}: blue inside, gray outside")
        self.bars.show_bars(bars, number(float(edges[0]), span), number(float(edges[-1]), span))
        self._show_sentence()
        if self._scan is None and session.atlas.roles.get(str(session.color_by)) in ("property", "processing"):
            session.questions.scan_map()

    def _on_scan(self, scan: MapScan | None) -> None:
        if scan is None or scan.property == self._session.color_by:
            self._scan = scan
            self._show_sentence()

    def _show_sentence(self) -> None:
        atlas, rows = self._session.atlas, self._session.selection.rows
        fits = self._scan is not None and len(rows) > 0 and self._scan.property == self._session.color_by
        self.sentence.setVisible(fits)
        if fits and self._scan is not None:
            self.sentence.setText(self._scan.sentence(self._session.selection.mask(len(atlas))))
