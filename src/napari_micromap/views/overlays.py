"""A layer of ours over the layer that shows a micrograph."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.atlas import Micrograph
from napari_micromap.views.specimens import box_of

Place = tuple[NDArray[np.float64], NDArray[np.float64]]  # scale and translate of a layer, two numbers each


class Overlay:
    """One layer over another; it goes when that goes, and leaves the active layer as it is.

    What inherits says in :meth:`made` what lies there, and calls :meth:`draw` when that changed.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._under: Layer | None = None
        self.row: int | None = None  # whose micrograph is shown below
        self.layer: Layer | None = None

    def lie_over(self, layer: Layer | None, row: int | None = None) -> None:
        """Lie over a layer that shows a row from now on; without one there is nothing to lie over."""
        if layer is not self._under or row != self.row:
            self._under, self.row = layer, row
            self.draw()

    def draw(self) -> None:
        """Show what there is now."""
        self.take_away()
        if self._under is None or self._under not in self._viewer.layers:
            return
        self.layer = self.made(self._under)
        if self.layer is not None:
            active = self._viewer.layers.selection.active
            self._viewer.layers.append(self.layer)
            self._viewer.layers.selection.active = active

    def take_away(self) -> None:
        """Take the layer out of the viewer."""
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def made(self, under: Layer) -> Layer | None:
        """Make the layer that is to lie over this one; None where there is nothing to show."""
        raise NotImplementedError


def place_over(under: Layer, micrograph: Micrograph | None, cell: float | tuple[int, ...]) -> Place:
    """Return where cells lie that cover the specimen in a layer.

    Parameters
    ----------
    cell : float or tuple
        How many pixels of the layer a cell is wide, or of how many rows and columns of cells there are.
    """
    top, left, rows, columns = box_of(under, micrograph)
    pixel = np.array(under.scale[-2:], float)
    scale = pixel * (np.array((rows, columns)) / cell[:2] if isinstance(cell, tuple) else cell)
    # a cell's corner, not its middle, lies at the corner of the picture
    return scale, np.array(under.translate[-2:]) + pixel * (top, left) + (scale - pixel) / 2


def first_pixel(under: Layer) -> Any:
    """Return where the first pixel of the whole picture is, of which a layer may show a part."""
    first = np.array(under.metadata.get("origin", (0, 0)), float)
    return np.array(under.translate[-2:]) - first * np.array(under.scale[-2:])
