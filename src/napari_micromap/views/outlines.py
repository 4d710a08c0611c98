"""Outlines of what was counted, over the opened micrograph."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.questions.counting import Outline
from napari_micromap.session.outlines import Outlines
from napari_micromap.views.listening import listen
from napari_micromap.views.specimens import box_of

OURS = {"micromap": "outlines"}
COUNTED, LEFT_OUT = 1, 2
COLORS = {COUNTED: "#E69F00", LEFT_OUT: "#56B4E9", None: "transparent", 0: "transparent"}  # orange, sky blue
_SIDE_A_PIXEL = 700  # pixels of the longer side for each pixel that a line is wide


class OutlinesOverlay:
    """One layer of lines over the layer that shows the opened micrograph; it goes when that goes."""

    def __init__(self, owner: Any, viewer: Viewer, outlines: Outlines) -> None:
        self._viewer, self._outlines = viewer, outlines
        self._under: Layer | None = None
        self._row: int | None = None
        self.layer: Labels | None = None
        listen(owner, outlines.changed, self.draw)

    def lie_over(self, layer: Layer | None, row: int | None) -> None:
        """Lie over a layer that shows a row from now on; without one there is nothing to lie over."""
        if layer is not self._under or row != self._row:
            self._under, self._row = layer, row
            self.draw()

    def draw(self) -> None:
        """Show what was found, if it is of the micrograph below."""
        found, under = self._outlines.found, self._under
        self._take_away()
        if found is None or under is None or under not in self._viewer.layers or self._outlines.row != self._row:
            return
        labels = labels_of(found)
        top, left, _, _ = box_of(under, self._outlines.micrograph)
        pixel = np.array(under.scale[-2:])
        scale = pixel * found.step
        # a pixel's corner, not its middle, lies at the corner of the picture
        translate = np.array(under.translate[-2:]) + pixel * (top, left) + (scale - pixel) / 2
        self.layer = Labels(
            labels, name=f"Counted: {self._outlines.quantity}", scale=scale, translate=translate,
            units=under.units[-2:], opacity=1, colormap=DirectLabelColormap(color_dict=COLORS), metadata=OURS,
        )  # fmt: skip
        self.layer.contour = max(1, round(max(labels.shape) / _SIDE_A_PIXEL))
        self.layer.editable = False
        active = self._viewer.layers.selection.active
        self._viewer.layers.append(self.layer)
        self._viewer.layers.selection.active = active

    def _take_away(self) -> None:
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def labels_of(found: Outline) -> NDArray[np.uint8]:
    """Return (h, w) numbers: what was counted, and what was left out."""
    labels = np.where(found.mask, COUNTED, 0).astype(np.uint8)
    if found.out is not None:
        labels[found.out] = LEFT_OUT
    return labels
