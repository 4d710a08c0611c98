"""What stands over the dots, and where: rings, a region, words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from qtpy.QtCore import QPointF, QRect
from qtpy.QtGui import QColor, QPainter, QPolygonF

from napari_micromap.views.map import marks
from napari_micromap.views.map.dots import DARK, Ground
from napari_micromap.views.map.scene import Scene

Region: TypeAlias = tuple[float, float, float, str]  # x, y, radius on the map, and words beside it


@dataclass(slots=True)
class Overlay:
    """Painted anew at each paint; the dots beneath are not drawn again for it."""

    ground: Ground = DARK
    pointed: int | None = None  # the row under the pointer, ringed once
    current: int | None = None  # the row that is ringed twice
    region: Region | None = None
    sentence: str = ""  # in the middle, where there are no dots
    caption: str = ""  # in the corner

    def paint(self, painter: QPainter, rect: QRect, scene: Scene, moving: bool, stroke: QPolygonF | None) -> None:
        """Paint all over the dots of a scene, and a lasso that is under way."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong, behind = QColor(*self.ground.strong), QColor(*self.ground.rgb)
        if not scene.empty and not moving:
            self._paint_region(painter, scene, strong, behind)
        for row, twice in ((self.current, True), (self.pointed, False)):
            if row is not None and (place := scene.place_of(row)) is not None:
                marks.paint_mark(painter, place, scene.dot / 2, scene.box_of(row), strong, twice)
        if stroke is not None:
            marks.paint_outline(painter, stroke)
        if self.sentence:
            marks.paint_sentence(painter, rect, self.sentence, strong)
        if self.caption:
            marks.paint_caption(painter, rect, self.caption, strong, behind)

    def _paint_region(self, painter: QPainter, scene: Scene, color: QColor, behind: QColor) -> None:
        if self.region is None:
            return
        x, y, radius, words = self.region
        (left, top), (right, _) = scene.camera.to_screen(np.array([[x, y], [x + radius, y]]), scene.size)
        reach = float(right - left) + scene.dot / 2 + 1
        marks.paint_region(painter, QPointF(left, top), reach, words, color, behind)
