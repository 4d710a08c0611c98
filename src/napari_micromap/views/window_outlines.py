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
from napari_micromap.views.overlays import Overlay, first_pixel

OURS = {"micromap": "windows"}
SELECTED, OPENED = "#F0E442", "#56B4E9"  # yellow, sky blue: seen on gray, and told apart by everybody
_THIN = 400.0  # how often a line's width fits into the picture, at most; thicker would hide what it surrounds


class WindowOutlines(Overlay):
    """Lines around windows of the opened picture."""

    def __init__(self, owner: Any, viewer: Viewer, session: Session) -> None:
        super().__init__(viewer)
        self._session = session
        listen(owner, session.selection.changed, lambda _: self.draw())

    def made(self, under: Layer) -> Layer | None:
        """Outline the selected windows of the picture below, and the one that was opened."""
        atlas, row = self._session.atlas, self.row
        if atlas.windows is None or row is None:
            return None
        opened = outlines_of(atlas.windows[row])
        others = self._session.selection.rows
        selected = outlines_of(atlas.windows[others[_of_same(atlas, others, row)]])
        lines = np.concatenate([selected, opened])
        colors = [SELECTED] * len(selected) + [OPENED] * len(opened)
        side = float(atlas.windows[row][2:].min())
        width = min(side / 60, max(under.extent.data[1] - under.extent.data[0]) / _THIN)
        pixel = np.array(under.scale[-2:])
        lines[:, 0] -= 0.5  # a pixel's corner, not its middle, is where a window begins
        return Vectors(
            lines * pixel, edge_width=width * float(pixel.mean()), edge_color=colors, vector_style="line", opacity=1,
            translate=first_pixel(under), name="Selected windows", units=under.units[-2:], metadata=OURS,
        )  # fmt: skip


def _of_same(atlas: Atlas, rows: Any, row: int) -> Any:
    return np.char.startswith(atlas.ids[rows], whole_id(str(atlas.ids[row])) + "@")
