"""The page that stands in the viewer: its montage, and the looks of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.colors import Coloring, colors_of, outline_on, plain
from napari_micromap.montage import Arrangement, Filled, Montage, Want, captions
from napari_micromap.session import Session
from napari_micromap.views.gallery.scene import Scene
from napari_micromap.views.gallery.surroundings import Surroundings


class Page:
    """Brings what was read of a page into the layers of a scene."""

    def __init__(self, viewer: Viewer, session: Session, around: Surroundings) -> None:
        self._viewer, self._session, self._around = viewer, session, around
        self.scene = Scene(viewer)
        self.montage: Montage | None = None
        self.shared_contrast = False
        self._coloring: tuple[Atlas | None, str | None, Coloring] = (None, None, plain(0))

    @property
    def arrangement(self) -> Arrangement | None:
        """Which micrographs stand where."""
        return None if self.montage is None else self.montage.arrangement

    def is_shown(self, filled: Filled) -> bool:
        """Say whether this page is the one that stands there."""
        return self.arrangement is filled.arrangement and self.scene.image is not None

    def show(self, filled: Filled) -> None:
        """Show another page."""
        colored = any(pixels.colored for pixels in filled.tiles.values())
        self.montage = Montage(filled.arrangement, filled.tiles, colored, self._around.ground, self.shared_contrast)
        self._put()
        self._mark_changed(filled)

    def add(self, filled: Filled) -> None:
        """Show what was read since, of the same page."""
        assert self.montage is not None
        if not self.montage.colored and any(pixels.colored for pixels in filled.tiles.values()):
            self.montage.tiles.update(filled.tiles)
            self.relook()
        else:
            self.montage.put(filled.tiles)
            self.scene.refresh()
        if any(pixels.trouble for pixels in filled.tiles.values()):
            self.decorate()
        self._mark_changed(filled)

    def relook(self) -> None:
        """Compose the page anew: the canvas, its contrast or its kind is another."""
        if self.montage is not None and self.scene.image is not None:
            tiles = self.montage.tiles
            colored = any(pixels.colored for pixels in tiles.values())
            self.montage = self.montage.like(
                tiles, colored=colored, ground=self._around.ground, shared_contrast=self.shared_contrast
            )
            self._put()

    def decorate(self) -> None:
        """Draw frames and labels anew."""
        if self.montage is None or self.scene.image is None:
            return
        session, arrangement = self._session, self.montage.arrangement
        rows = arrangement.rows
        troubles = {int(rows[tile]): pixels.trouble for tile, pixels in self.montage.tiles.items() if pixels.trouble}
        troubles |= self._around.gone(rows)
        texts = captions(session.atlas, rows, session.color_by, session.stale, troubles)
        current = None if session.current is None else arrangement.tile_of(session.current)
        ink = outline_on(self._around.ground)
        self.scene.decorate(arrangement, self._colors()[rows], texts, current, ink, self._around.units()[0])

    def row_at(self, position: tuple[float, ...]) -> int | None:
        """Return the row whose tile is at a place in the world."""
        image = self.scene.image
        if self.montage is None or image is None or not image.visible:
            return None
        y, x = (float(place) for place in position[-2:])
        tile = self.montage.arrangement.tile_at(y, x)
        return None if tile is None else int(self.montage.arrangement.rows[tile])

    def wants_in_sight(self) -> list[Want]:
        """Return the tiles that are seen and could be finer; forget the fine pixels of others where they are many."""
        image, montage = self.scene.image, self.montage
        if image is None or montage is None or not image.visible or self._viewer.dims.ndisplay != 2:
            return []
        (top, left), (bottom, right) = np.asarray(image.corner_pixels)[:, -2:].tolist()
        region = int(image.data_level), top, bottom + 1, left, right + 1
        montage.forget_fine(montage.inside(*region))
        return montage.lacking(*region)

    def drop(self) -> None:
        """Take the page out of the viewer."""
        self.montage = None
        self.scene.remove()

    def _put(self) -> None:
        assert self.montage is not None
        self.scene.show(self.montage, self._around.units()[0])
        self.decorate()

    def _colors(self) -> NDArray[np.uint8]:
        """Return the map's color of each row; made once for an atlas and a column."""
        atlas, column = self._session.atlas, self._session.color_by
        if self._coloring[0] is not atlas or self._coloring[1] != column:
            values: Any = self._session.colors_from
            self._coloring = (atlas, column, plain(len(atlas)) if values is None else colors_of(values))
        return self._coloring[2].rgb

    def _mark_changed(self, filled: Filled) -> None:
        """Tell the session of layers that turned out to be edited when they were read."""
        rows = [int(filled.arrangement.rows[tile]) for tile, pixels in filled.tiles.items() if pixels.changed]
        if rows:
            self._session.mark_stale(map(str, self._session.atlas.ids[rows]))
