"""Outlines of the selected windows, over the large picture they were cut from."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Layer, Vectors
from napari.viewer import Viewer

from napari_micromap.atlas import Atlas
from napari_micromap.montage.outlining import outlines_of
from napari_micromap.session import Session
from napari_micromap.sources.windows import whole_id
from napari_micromap.views.listening import listen

OURS = {"micromap": "windows"}
SELECTED, OPENED = "#F0E442", "#56B4E9"  # yellow, sky blue: seen on gray, and told apart by everybody
_THIN = 400.0  # how often a line's width fits into the picture, at most; thicker would hide what it surrounds


class WindowOutlines:
    """One layer of lines over the layer that shows the opened micrograph; it goes when that goes."""

    def __init__(self, owner: Any, viewer: Viewer, session: Session) -> None:
        self._viewer, self._session = viewer, session
        self._under: Layer | None = None
        self._row: int | None = None
        self.layer: Vectors | None = None
        listen(owner, session.selection.changed, lambda _: self.draw())

    def lie_over(self, layer: Layer | None, row: int | None) -> None:
        """Lie over a layer that shows a row from now on; without one there is nothing to lie over."""
        if layer is not self._under or row != self._row:
            self._under, self._row = layer, row
            self.draw()

    def draw(self) -> None:
        """Outline the selected windows of the picture below, and the one that was opened."""
        self.take_away()
        atlas, under, row = self._session.atlas, self._under, self._row
        if atlas.windows is None or under is None or row is None or under not in self._viewer.layers:
            return
        opened = outlines_of(atlas.windows[row])
        others = self._session.selection.rows
        selected = outlines_of(atlas.windows[others[_of_same(atlas, others, row)]])
        lines = np.concatenate([selected, opened])
        colors = [SELECTED] * len(selected) + [OPENED] * len(opened)
        side = float(atlas.windows[row][2:].min())
        width = min(side / 60, max(under.extent.data[1] - under.extent.data[0]) / _THIN)
        pixel = np.array(under.scale[-2:])
        lines[:, 0] -= 0.5  # a pixel's corner, not its middle, is where a window begins
        self.layer = Vectors(
            lines * pixel, edge_width=width * float(pixel.mean()), edge_color=colors, vector_style="line", opacity=1,
            translate=_origin(under), name="Selected windows", units=under.units[-2:], metadata=OURS,
        )  # fmt: skip
        active = self._viewer.layers.selection.active
        self._viewer.layers.append(self.layer)
        self._viewer.layers.selection.active = active

    def take_away(self) -> None:
        """Take the lines out of the viewer."""
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def _origin(under: Layer) -> Any:
    """Return where the first pixel of the whole picture is, of which the layer may show a part."""
    first = np.array(under.metadata.get("origin", (0, 0)), float)
    return np.array(under.translate[-2:]) - first * np.array(under.scale[-2:])


def _of_same(atlas: Atlas, rows: Any, row: int) -> Any:
    return np.char.startswith(atlas.ids[rows], whole_id(str(atlas.ids[row])) + "@")
