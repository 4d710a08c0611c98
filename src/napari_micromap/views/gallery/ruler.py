"""A line drawn along a known length on an opened micrograph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Layer, Shapes
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.views.gallery.scene import OURS

NAME = "Known length"
_WIDE = 3.0  # screen pixels
_COLOR = "#ffd400"


class Ruler:
    """A layer of our own in which one line can be drawn; it leaves no trace when it is put away.

    Parameters
    ----------
    viewer : Viewer
    on_drawn : callable
        Gets the line's length in pixels of the micrograph, each time it changes; 0 while there is none.
    """

    def __init__(self, viewer: Viewer, on_drawn: Callable[[float], object]) -> None:
        self._viewer, self._on_drawn = viewer, on_drawn
        self._layer: Shapes | None = None
        self._selected: set[Layer] = set()

    @property
    def layer(self) -> Shapes | None:
        """The layer that is drawn in, while it is out."""
        return self._layer

    def take(self, over: Layer) -> None:
        """Lay a drawing layer over one that shows a micrograph, ready for a line."""
        self.put_away()
        self._selected = set(self._viewer.layers.selection)
        scale, translate = np.array(over.scale[-2:], float), np.array(over.translate[-2:], float)
        width = _WIDE / float(self._viewer.scene.camera.zoom) / float(scale[-1])
        self._layer = Shapes(
            ndim=2, name=NAME, scale=scale, translate=translate, units=over.units[-2:], edge_color=_COLOR,
            edge_width=width, metadata=OURS,
        )  # fmt: skip
        # What is drawn next takes these, too.
        self._layer.current_edge_width, self._layer.current_edge_color = width, _COLOR
        self._layer.events.data.connect(self._on_data)
        self._viewer.layers.append(self._layer)
        self._viewer.layers.selection = {self._layer}
        self._layer.mode = "add_line"

    def put_away(self) -> None:
        """Take the layer out of the viewer; what was selected before is selected again."""
        layer, self._layer = self._layer, None
        if layer is None:
            return
        layer.events.data.disconnect(self._on_data)
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        self._viewer.layers.selection = {one for one in self._selected if one in self._viewer.layers}
        self._selected = set()

    def _on_data(self, event: Any) -> None:
        if self._layer is not None:
            lines: list[NDArray[np.float64]] = self._layer.data
            self._on_drawn(length_of(lines[-1]) if lines else 0.0)


def length_of(line: NDArray[np.floating]) -> float:
    """Return how long a line of (2 or more, 2) places is, from its first to its last."""
    return float(np.linalg.norm(np.asarray(line[-1], float)[-2:] - np.asarray(line[0], float)[-2:]))
