"""Where a property shows, over the opened micrograph."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.colors import colors_of_signed
from napari_micromap.session.where import Where
from napari_micromap.statistics.where import Split
from napari_micromap.views.listening import listen

NAME = "Where it shows: blue lowers, red raises"
OURS = {"micromap": "where"}
CERTAIN = 0.9  # share of refits that must agree on the sign for a place to be drawn strongly
STRONG, FAINT, BORDER = 0.62, 0.14, 0.35  # opacity; border cells see little of the picture, and are dimmed


class WhereOverlay:
    """One colored layer over the layer that shows the opened micrograph."""

    def __init__(self, owner: Any, viewer: Viewer, where: Where) -> None:
        self._viewer, self._where = viewer, where
        self._layer: Image | None = None
        self._under: Layer | None = None
        listen(owner, where.changed, self._on_where)

    def lie_over(self, layer: Layer | None) -> None:
        """Lie over this layer from now on; without one there is nothing to lie over."""
        if layer is not self._under:
            self._under = layer
            self._where.hide()
            self._take_away()

    def _on_where(self) -> None:
        split, under = self._where.split, self._under
        if split is None or under is None or under not in self._viewer.layers:
            self._take_away()
            return
        picture = painted(split, self._where.strongest)
        rows, columns = under.data.shape[:2]
        scale = np.array(under.scale[-2:]) * (rows / picture.shape[0], columns / picture.shape[1])
        # a cell's corner, not its middle, lies at the corner of the picture
        translate = np.array(under.translate[-2:]) + (scale - np.array(under.scale[-2:])) / 2
        self._take_away()
        self._layer = Image(
            picture, rgb=True, name=NAME, scale=scale, translate=translate, units=under.units[-2:],
            blending="translucent", interpolation2d="nearest", metadata=OURS,
        )  # fmt: skip
        active = self._viewer.layers.selection.active
        self._viewer.layers.append(self._layer)
        self._viewer.layers.selection.active = active

    def _take_away(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def painted(split: Split, strongest: float) -> NDArray[np.uint8]:
    """Return (h, w, 4) colors of the shares: one scale for all pictures, faint where the sign is not certain."""
    rgb = colors_of_signed(split.share, strongest)
    alpha = np.where(split.certain >= CERTAIN, STRONG, FAINT)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        alpha[edge] *= BORDER
    return np.dstack([rgb, (255 * alpha).astype(np.uint8)])
