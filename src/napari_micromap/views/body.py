"""The map, and what stands around it: above and below, or beside it where the dock is wide."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from napari_micromap.views.controls import GAP

_WIDE = 660  # logical pixels from which on there is room beside the map
_BESIDE = 330  # logical pixels, at least, for what stands beside it
_MAP_SHARE = 3, 2  # of the width, for the map and for what stands beside it


class Body(QWidget):
    """Puts what it is given around the map; nothing but the places differ between a narrow and a wide dock.

    Parameters
    ----------
    above, below : iterable of QWidget
        From top to bottom. In a wide dock they stand beside the map.
    map_, legend : QWidget
        The legend lies in the map's layout; in a wide dock it moves to what is below.
    """

    rearranged = Signal()

    def __init__(self, above: Iterable[QWidget], map_: QWidget, legend: QWidget, below: Iterable[QWidget]) -> None:
        super().__init__()
        self._above, self._below = _column(above), _column(below)
        _layout_of(self._below).setStretch(0, 1)  # what room there is belongs to the tabs, none to messages
        self._map, self._legend = map_, legend
        self._has_map = False
        self.is_wide = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP + 2)
        self._arrange()

    def show_map(self, has_map: bool) -> None:
        """Make room for the map, or take it away."""
        if has_map != self._has_map:
            self._has_map = has_map
            self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the width that there is."""
        super().resizeEvent(event)
        if (self._has_map and self.width() >= _WIDE) != self.is_wide:
            self._arrange()

    def _arrange(self) -> None:
        self.is_wide = wide = self._has_map and self.width() >= _WIDE
        grid, above, below = self._grid, self._above, self._below
        for widget in (above, self._map, below):
            grid.removeWidget(widget)
        if wide:
            grid.addWidget(self._map, 0, 0, 2, 1)
            grid.addWidget(above, 0, 1)
            grid.addWidget(below, 1, 1)
        else:
            for row, widget in enumerate((above, self._map, below)):
                grid.addWidget(widget, row, 0)
        for column, share in enumerate(_MAP_SHARE if wide else (1, 0)):
            grid.setColumnStretch(column, share)
        for row in range(4):  # the last one is empty: without a map, all stands at the top
            grid.setRowStretch(row, int(row == (1 if self._has_map else 3)))
        grid.setColumnMinimumWidth(1, _BESIDE if wide else 0)
        fixed, yielding = QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred
        # Below each other only the map gives way, beside it what is below.
        above.setSizePolicy(yielding, fixed if self._has_map else yielding)
        below.setSizePolicy(yielding, fixed if self._has_map and not wide else yielding)
        _lay_into(below if wide else self._map, self._legend, 0 if wide else -1)
        self.rearranged.emit()


def _column(widgets: Iterable[QWidget]) -> QWidget:
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP + 2)
    for widget in widgets:
        layout.addWidget(widget)
    return column


def _lay_into(column: QWidget, widget: QWidget, place: int) -> None:
    _layout_of(column).insertWidget(place, widget)


def _layout_of(column: QWidget) -> QVBoxLayout:
    layout = column.layout()
    assert isinstance(layout, QVBoxLayout)
    return layout
