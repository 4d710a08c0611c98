"""One dot a sample: where its images lie, and how far apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_micromap.colors import colors_of, plain
from napari_micromap.session import Session
from napari_micromap.views.controls import GAP, Choice, ChoiceBox, Paragraph, field_name, flat, link, side_by_side
from napari_micromap.views.listening import listen
from napari_micromap.views.plots import Plot
from napari_micromap.wording import sample_noun, title_of
from napari_micromap.work import Progress


class SampleMap(Plot):
    """Centroids of samples, with rings as wide as their images lie apart."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(230, parent)
        self.centers: NDArray[np.float64] = np.empty((0, 2))
        self._spreads: NDArray[np.float64] = np.empty(0)
        self._colors: NDArray[np.uint8] = np.empty((0, 3), np.uint8)
        self.arrows: list[tuple[int, int]] = []
        self._words = ""

    def show_samples(
        self, centers: NDArray[np.float64], spreads: NDArray[np.float64], colors: NDArray[np.uint8],
        arrows: list[tuple[int, int]], words: str,
    ) -> None:  # fmt: skip
        """Show (S, 2) centroids, (S,) spreads in units of the map, (S, 3) colors, and arrows between samples."""
        self.centers, self._spreads, self._colors, self.arrows, self._words = centers, spreads, colors, arrows, words
        self.update()

    def draw(self, painter: QPainter, room: QRectF) -> None:
        """Paint rings, arrows, dots."""
        if not len(self.centers):
            return
        low, high = self.centers.min(axis=0), self.centers.max(axis=0)
        spans = np.maximum(high - low, 1e-9)
        scale = min((room.width() - 24) / spans[0], (room.height() - 24) / spans[1])
        middle = (low + high) / 2
        x = room.center().x() + (self.centers[:, 0] - middle[0]) * scale
        y = room.center().y() - (self.centers[:, 1] - middle[1]) * scale
        painter.setClipRect(room.adjusted(-4, -4, 4, 4))
        for i in range(len(x)):
            color = QColor(*map(int, self._colors[i]))
            ring = QColor(color)
            ring.setAlphaF(0.35)
            painter.setPen(QPen(ring, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = float(self._spreads[i] * scale)
            painter.drawEllipse(QPointF(x[i], y[i]), radius, radius)
        painter.setPen(QPen(self.faint(0.6), 1.2))
        for one, other in self.arrows:
            _arrow(painter, QPointF(x[one], y[one]), QPointF(x[other], y[other]))
        painter.setPen(QPen(self.faint(0.9), 0.8))
        for i in range(len(x)):
            painter.setBrush(QColor(*map(int, self._colors[i])))
            painter.drawEllipse(QPointF(x[i], y[i]), 4.5, 4.5)
        painter.setClipping(False)
        self.say(painter, room, self._words, Qt.AlignmentFlag.AlignHCenter)


class SamplesPanel(QWidget):
    """The map by sample, with arrows along a processing column."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._told_of = session.map
        self.along = ChoiceBox(self._choices)
        self.along.show_choice(Choice("no arrows", None))
        self.plot = SampleMap()
        self.plot.setToolTip("A dot in the middle of the images of each, a ring as wide as they lie apart on the map")
        self.hint = Paragraph("Say which column names the sample, and make the map.", muted=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.setSpacing(GAP)
        tip = "A column of processing: arrows lead from one value to the next, between the middles of their samples"
        layout.addLayout(side_by_side(field_name("Arrows", tip), self.along))
        layout.addWidget(self.plot)
        layout.addWidget(self.hint)
        self.reliable = link(
            "Where can this map be read?", self._on_reliable,
            "Colors the map by how many of the most similar images it keeps near each one, also when it is made again "
            "from other random starts",
        )  # fmt: skip
        self.told = Paragraph(muted=True)
        self.told.hide()
        self.cancel = flat("Cancel", lambda: session.run.cancel("reliability"), "Stop; the map stays as it is")
        self.cancel.hide()
        layout.addLayout(side_by_side(self.reliable, 1, self.cancel))
        layout.addWidget(self.told)
        layout.addStretch(1)
        self.along.picked.connect(lambda _: self.show_now())
        for signal in (session.map_changed, session.color_changed, session.atlas_changed):
            listen(self, signal, lambda _: self.show_now())
        listen(self, session.scope.changed, self.show_now)
        listen(self, session.questions.reliability_told, self._on_told)
        listen(self, session.questions.looking_again, self._on_looking_again)
        self.show_now()

    def show_now(self) -> None:
        """Show the samples as the session has them."""
        session = self._session
        atlas, shown, samples = session.atlas, session.map, session.atlas.samples
        self.reliable.setVisible(shown is not None and atlas.neighbors is not None)
        if self._told_of is not shown:  # another map: what was said is not of this one
            self._told_of = shown
            self.told.hide()
        able = shown is not None and samples is not None and len(shown.positions) == len(atlas)
        self.plot.setVisible(able)
        self.hint.setVisible(not able)
        if not able or shown is None or samples is None:
            return
        used = session.used
        rows = used[np.isfinite(shown.positions[used]).all(axis=1) & samples.iloc[used].notna().to_numpy(bool)]
        codes, names = pd.factorize(samples.iloc[rows].astype(str))
        if not len(names):
            self.plot.show_samples(np.empty((0, 2)), np.empty(0), np.empty((0, 3), np.uint8), [], "")
            return
        count = np.bincount(codes)
        points = shown.positions[rows].astype(float)
        centers = np.column_stack([np.bincount(codes, points[:, axis]) / count for axis in (0, 1)])
        spreads = np.sqrt(np.bincount(codes, ((points - centers[codes]) ** 2).sum(axis=1)) / count)
        first = np.unique(codes, return_index=True)[1]
        values = session.colors_from
        coloring = plain(len(atlas)) if values is None else colors_of(values)
        words = f"{len(names):,} {sample_noun(atlas)}s · ring: spread of its images"
        self.plot.show_samples(centers, spreads, coloring.rgb[rows[first]], self._arrows(rows[first], centers), words)

    def show_busy(self, busy: bool) -> None:
        """Show whether the map is being made again; what ended without a word leaves none."""
        self.cancel.setVisible(busy)
        self.reliable.setEnabled(not busy)
        if not busy and self.told.text().endswith(" …"):
            self.told.hide()

    def _arrows(self, rows: NDArray[np.intp], centers: NDArray[np.float64]) -> list[tuple[int, int]]:
        """Lead from the sample nearest to the middle of each value's samples to that of the next value."""
        column = self.along.value
        if column is None or column not in self._session.atlas.columns:
            return []
        values = pd.to_numeric(self._session.atlas.columns[column].iloc[rows], errors="coerce").to_numpy(float)
        steps = np.unique(values[np.isfinite(values)])
        middles = []
        for step in steps:
            members = np.flatnonzero(values == step)
            away = np.linalg.norm(centers[members] - centers[members].mean(axis=0), axis=1)
            middles.append(int(members[np.argmin(away)]))
        return list(pairwise(middles))

    def _on_reliable(self) -> None:
        self.told.setText("Making the map again from other random starts …")
        self.told.show()
        self._session.questions.show_reliability()

    def _on_looking_again(self, progress: Progress) -> None:
        steps = f": {progress.done + 1} of {progress.total}" if progress.total > 1 else ""
        self.told.setText(f"{progress.stage}{steps} …")

    def _on_told(self, sentence: str) -> None:
        self.told.setText(sentence)
        self.told.show()

    def _choices(self) -> Iterator[Choice]:
        atlas = self._session.atlas
        yield Choice("no arrows", None)
        for name in map(str, atlas.columns):
            if atlas.roles.get(name) == "processing" and pd.api.types.is_numeric_dtype(atlas.columns[name]):
                yield Choice(title_of(name), name)


def _arrow(painter: QPainter, start: QPointF, end: QPointF) -> None:
    painter.drawLine(start, end)
    way = np.array([end.x() - start.x(), end.y() - start.y()])
    length = float(np.linalg.norm(way))
    if length < 8:
        return
    way /= length
    tip = np.array([end.x(), end.y()]) - 6 * way
    for side in (1, -1):
        barb = tip - 6 * way + side * 3.5 * np.array([-way[1], way[0]])
        painter.drawLine(QPointF(*tip), QPointF(*barb))
