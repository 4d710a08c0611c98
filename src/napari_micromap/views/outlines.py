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
from napari_micromap.views.overlays import Overlay, place_over

OURS = {"micromap": "outlines"}
COUNTED, LEFT_OUT = 1, 2
COLORS = {COUNTED: "#E69F00", LEFT_OUT: "#56B4E9", None: "transparent", 0: "transparent"}  # orange, sky blue
_SIDE_A_PIXEL = 700  # pixels of the longer side for each pixel that a line is wide


class OutlinesOverlay(Overlay):
    """Lines around what was counted in the opened micrograph."""

    def __init__(self, owner: Any, viewer: Viewer, outlines: Outlines) -> None:
        super().__init__(viewer)
        self._outlines = outlines
        listen(owner, outlines.changed, self.draw)

    def made(self, under: Layer) -> Layer | None:
        """Make lines of what was found, if it is of the micrograph below."""
        found = self._outlines.found
        if found is None or self._outlines.row != self.row:
            return None
        labels = labels_of(found)
        scale, translate = place_over(under, self._outlines.micrograph, found.step)
        layer = Labels(
            labels, name=f"Counted: {self._outlines.quantity}", scale=scale, translate=translate,
            units=under.units[-2:], opacity=1, colormap=DirectLabelColormap(color_dict=COLORS), metadata=OURS,
        )  # fmt: skip
        layer.contour = max(1, round(max(labels.shape) / _SIDE_A_PIXEL))
        layer.editable = False
        return layer


def labels_of(found: Outline) -> NDArray[np.uint8]:
    """Return (h, w) numbers: what was counted, and what was left out."""
    labels = np.where(found.mask, COUNTED, 0).astype(np.uint8)
    if found.out is not None:
        labels[found.out] = LEFT_OUT
    return labels
