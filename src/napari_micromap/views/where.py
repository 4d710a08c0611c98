"""Where a property shows, over the opened micrograph or the gallery."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.montage import Arrangement
from napari_micromap.questions.locating import painted
from napari_micromap.session.where import Where
from napari_micromap.views.gallery.scene import UNIT
from napari_micromap.views.listening import listen
from napari_micromap.views.overlays import Overlay, place_over

OURS = {"micromap": "where"}
_FINE = 4.0  # scene units a pixel over the gallery: cells are larger


class WhereOverlay(Overlay):
    """Colors over the opened micrograph, or over all tiles of a gallery's page."""

    def __init__(self, owner: Any, viewer: Viewer, where: Where) -> None:
        super().__init__(viewer)
        self._where = where
        self._page: Arrangement | None = None
        listen(owner, where.changed, self.draw)

    def lie_over(self, layer: Layer | None, row: int | None = None, page: Arrangement | None = None) -> None:
        """Lie over a layer from now on, which shows a row or a page; what was shown over another one goes."""
        if layer is self._under and page is self._page and row == self.row:
            return
        self._page = page
        super().lie_over(layer, row)
        below = page.rows.tolist() if page is not None else [] if row is None or layer is None else [row]
        self._where.look_at(below, gallery=page is not None)

    def made(self, under: Layer) -> Layer | None:
        """Make colors of the page, or of the row, if it was looked at."""
        where = self._where
        if self._page is not None and where.splits:
            unit = float(under.metadata.get(UNIT, 1.0))
            tiles = {
                tile: painted(where.splits[row], where.strongest)
                for tile, row in enumerate(self._page.rows.tolist())
                if row in where.splits
            }
            picture, place = over_page(self._page, tiles), (np.full(2, _FINE * unit), np.full(2, _FINE / 2 * unit))
        elif self._page is None and self.row is not None and self.row in where.splits:
            picture = painted(where.splits[self.row], where.strongest)
            place = place_over(under, where.micrograph(self.row), picture.shape)
        else:
            return None
        return Image(
            picture, rgb=True, name=where.title, scale=place[0], translate=place[1], units=under.units[-2:],
            blending="translucent", interpolation2d="nearest", metadata=OURS,
        )  # fmt: skip


def over_page(page: Arrangement, tiles: dict[int, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return (h, w, 4) colors of a whole page from those of its tiles; where no tile is, nothing is seen."""
    canvas = np.zeros((int(np.ceil(page.height / _FINE)), int(np.ceil(page.width / _FINE)), 4), np.uint8)
    for tile, colors in tiles.items():
        top, left, height, width = page.boxes[tile]
        cut = (0.0, 0.0, 1.0, 1.0) if page.cuts is None else page.cuts[tile]
        y = (np.arange(canvas.shape[0]) + 0.5) * _FINE
        x = (np.arange(canvas.shape[1]) + 0.5) * _FINE
        down, across = (np.flatnonzero((v >= a) & (v < a + n)) for v, a, n in ((y, top, height), (x, left, width)))
        rows = ((cut[0] + (y[down] - top) / height * cut[2]) * len(colors)).astype(int)
        columns = ((cut[1] + (x[across] - left) / width * cut[3]) * colors.shape[1]).astype(int)
        picked = colors[rows.clip(0, len(colors) - 1)][:, columns.clip(0, colors.shape[1] - 1)]
        canvas[down[0] : down[-1] + 1, across[0] : across[-1] + 1] = picked
    return canvas
