"""What a hand does on the map: strokes, modifiers, tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QPolygonF

from napari_micromap.session.selection import Mode

Tool: TypeAlias = Literal["lasso", "rectangle", "hand"]

CLICK_WITHIN = 4.0  # logical pixels that a hand may tremble in a click


@dataclass(slots=True)
class Stroke:
    """A lasso, rectangle or pan under way, in logical pixels of the canvas."""

    tool: Tool
    start: QPointF
    mode: Mode
    clickable: bool = True  # whether it picks a dot if it stays in place
    points: list[QPointF] = field(default_factory=list)
    far: bool = False  # whether it went farther than a click may

    def extend(self, to: QPointF) -> QPointF:
        """Follow the hand; returns the way since it was last told of, or since the start of a drag."""
        from_start = to - self.start
        last = self.points[-1] if self.far else self.start
        self.far = self.far or abs(from_start.x()) + abs(from_start.y()) > CLICK_WITHIN
        self.points.append(to)
        return to - last

    @property
    def outline(self) -> QPolygonF:
        """The area drawn so far."""
        if self.tool != "rectangle" or not self.points:
            return QPolygonF([self.start, *self.points])
        end = self.points[-1]
        return QPolygonF([self.start, QPointF(end.x(), self.start.y()), end, QPointF(self.start.x(), end.y())])

    @property
    def corners(self) -> NDArray[np.float64]:
        """The outline as a (k, 2) array."""
        return np.array([(point.x(), point.y()) for point in self.outline], np.float64)


def mode_of(modifiers: Qt.KeyboardModifier) -> Mode:
    """Return what the held keys mean: Shift adds, Alt or Ctrl removes."""
    # Alt-drag belongs to the window manager on many Linux desktops, so Ctrl does the same.
    if modifiers & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier):
        return "remove"
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return "add"
    return "replace"


def cursor_of(tool: Tool, stroke: Stroke | None, space: bool) -> Qt.CursorShape:
    """Return what the pointer looks like."""
    if stroke is not None and stroke.tool == "hand":
        return Qt.CursorShape.ClosedHandCursor
    return Qt.CursorShape.OpenHandCursor if space or tool == "hand" else Qt.CursorShape.CrossCursor
