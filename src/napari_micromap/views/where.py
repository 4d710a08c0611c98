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
from napari_micromap.views.specimens import box_of

OURS = {"micromap": "where"}
_FINE = 4.0  # scene units a pixel over the gallery: cells are larger


class WhereOverlay:
    """One colored layer over the layer that shows the opened micrograph, or over all tiles of a gallery's page."""

    def __init__(self, owner: Any, viewer: Viewer, where: Where) -> None:
        self._viewer, self._where = viewer, where
        self._layer: Image | None = None
        self._under: Layer | None = None
        self._page: Arrangement | None = None
        self._row: int | None = None
        listen(owner, where.changed, self._on_where)

    def lie_over(self, layer: Layer | None, row: int | None = None, page: Arrangement | None = None) -> None:
        """Lie over a layer from now on, which shows a row or a page; without one there is nothing to lie over."""
        if layer is not self._under or page is not self._page or row != self._row:
            self._under, self._row, self._page = layer, row, page
            self._where.hide()
            self._take_away()

    @property
    def row(self) -> int | None:
        """The row whose opened micrograph lies below."""
        return self._row

    def _on_where(self) -> None:
        under = self._under
        self._take_away()
        if not self._where.splits or under is None or under not in self._viewer.layers:
            return
        if self._page is not None:
            picture, scale, translate = self._over_page(self._page, float(under.metadata.get(UNIT, 1.0)))
        elif self._row is not None and self._row in self._where.splits:
            picture, scale, translate = self._over_one(under, self._row)
        else:
            return
        self._layer = Image(
            picture, rgb=True, name=self._where.title, scale=scale, translate=translate, units=under.units[-2:],
            blending="translucent", interpolation2d="nearest", metadata=OURS,
        )  # fmt: skip
        active = self._viewer.layers.selection.active
        self._viewer.layers.append(self._layer)
        self._viewer.layers.selection.active = active

    def _over_one(self, under: Layer, row: int) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[Any]]:
        picture = painted(self._where.splits[row], self._where.strongest)
        top, left, rows, columns = box_of(under, self._where.micrograph(row))
        pixel = np.array(under.scale[-2:])
        scale = pixel * (rows / picture.shape[0], columns / picture.shape[1])
        # a cell's corner, not its middle, lies at the corner of the picture
        return picture, scale, np.array(under.translate[-2:]) + pixel * (top, left) + (scale - pixel) / 2

    def _over_page(self, page: Arrangement, unit: float) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[Any]]:
        tiles = {
            tile: painted(self._where.splits[row], self._where.strongest)
            for tile, row in enumerate(page.rows.tolist())
            if row in self._where.splits
        }
        return over_page(page, tiles), np.full(2, _FINE * unit), np.full(2, _FINE / 2 * unit)

    def _take_away(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


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
