"""The small toolbar over the map."""

from __future__ import annotations

from qtpy.QtCore import QSize, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from napari_micromap.views.controls import Line
from napari_micromap.views.map.gestures import Tool
from napari_micromap.views.map.icons import icon

_TOOLS: tuple[tuple[Tool, str], ...] = (
    ("lasso", "Lasso: draw around dots to select them.\nShift adds, Alt or Ctrl removes, Esc selects nothing."),
    ("rectangle", "Rectangle: drag over dots to select them.\nShift adds, Alt or Ctrl removes, Esc selects nothing."),
    ("hand", "Hand: drag to move the map (or hold Space, or use the middle button); the wheel zooms."),
)
_PICTURES = (
    "Pictures: zoom in, and where there is room dots become pictures, the most typical ones first.\n"
    "Their frames have the colors of the dots. Selected dots stay in sight."
)


class Toolbar(QWidget):
    """Tools, fit, undo and redo, and a line of counts."""

    tool_picked = Signal(str)  # Tool
    fit_wished = Signal()
    pictures_wished = Signal(bool)  # whether dots become pictures as one zooms in
    undo_wished = Signal()
    redo_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        group = QButtonGroup(self)
        for tool, tip in _TOOLS:
            button = self._add(tool, tip)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, tool=tool: self.tool_picked.emit(tool))
            group.addButton(button)
        row.addSpacing(6)
        self._add("fit", "Show all dots (Home)").clicked.connect(lambda: self.fit_wished.emit())
        self._pictures = self._add("pictures", _PICTURES)
        self._pictures.setCheckable(True)
        self._pictures.setChecked(True)
        self._pictures.toggled.connect(lambda on: self.pictures_wished.emit(on))
        row.addSpacing(6)
        self._add("undo", "Undo the last selection, exclusion or filter (Ctrl+Z)").clicked.connect(
            lambda: self.undo_wished.emit()
        )
        self._add("redo", "Redo it (Ctrl+Shift+Z)").clicked.connect(lambda: self.redo_wished.emit())
        self._counts = Line(muted=True)
        row.addSpacing(6)
        row.addWidget(self._counts, 1)
        self._buttons["lasso"].setChecked(True)

    @property
    def pictures(self) -> bool:
        """Whether dots become pictures as one zooms in."""
        return bool(self._pictures.isChecked())

    def show_steps(self, can_undo: bool, can_redo: bool) -> None:
        """Say whether there is something to undo or redo."""
        self._buttons["undo"].setEnabled(can_undo)
        self._buttons["redo"].setEnabled(can_redo)

    def show_counts(self, text: str) -> None:
        """Say how many dots there are."""
        self._counts.say(text)

    def set_color(self, color: QColor) -> None:
        """Draw the icons in this color."""
        for name, button in self._buttons.items():
            button.setIcon(icon(name, color, self.devicePixelRatioF()))

    def _add(self, name: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("flat", True)
        button.setAutoRaise(True)
        button.setIconSize(QSize(18, 18))
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(":")[0].partition(" (")[0])
        self._buttons[name] = button
        layout = self.layout()
        assert layout is not None
        layout.addWidget(button)
        return button
