"""The page that stands in the viewer: its montage, and the looks of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.colors import Coloring, colors_of, outline_on, plain
from napari_micromap.montage import Arrangement, Filled, Grid, Montage, Want, captions, grid_for
from napari_micromap.session import Session
from napari_micromap.views.gallery.borrowed import Camera
from napari_micromap.views.gallery.scene import Scene
from napari_micromap.views.gallery.surroundings import Surroundings

_MARGIN = 0.95  # of the canvas, as napari leaves it


class Page:
    """Brings what was read of a page into the layers of a scene."""

    def __init__(self, viewer: Viewer, session: Session, around: Surroundings) -> None:
        self._viewer, self._session, self._around = viewer, session, around
        self.scene = Scene(viewer)
        self.montage: Montage | None = None
        self.shared_contrast = False
        self._fitted: tuple[Camera, tuple[int, int]] | None = None  # where we pointed, and the canvas' size then
        self._coloring: tuple[Atlas | None, str | None, Coloring] = (None, None, plain(0))

    @property
    def arrangement(self) -> Arrangement | None:
        """Which micrographs stand where."""
        return None if self.montage is None else self.montage.arrangement

    def is_shown(self, filled: Filled) -> bool:
        """Say whether this page is the one that stands there."""
        return self.arrangement is filled.arrangement and self.scene.image is not None

    def show(self, filled: Filled) -> None:
        """Show another page, as a whole."""
        self._look_at(filled.arrangement)
        colored = any(pixels.colored for pixels in filled.tiles.values())
        self.montage = Montage(
            filled.arrangement, self._grid(filled.arrangement), filled.tiles, colored, self._around.ground,
            self.shared_contrast,
        )  # fmt: skip
        self._put()
        if self.scene.image is not None:
            self.scene.image.visible = True
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
            colored = any(pixels.colored for pixels in self.montage.tiles.values())
            self.montage = self.montage.like(
                colored=colored, ground=self._around.ground, shared_contrast=self.shared_contrast
            )
            self._put()

    def focus(self) -> None:
        """Make the montage's pixels those of the screen again, after zoom or pan."""
        if self.montage is None or self.scene.image is None or not self._seen():
            return
        if not self.montage.grid.fits(*self._screen()):
            self.montage = self.montage.like(grid=self._grid(self.montage.arrangement))
            self.scene.show(self.montage, self._around.units()[0])

    def decorate(self) -> None:
        """Draw frames and labels anew."""
        if self.montage is None or self.scene.image is None:
            return
        session, arrangement = self._session, self.montage.arrangement
        rows = arrangement.rows
        troubles = {int(rows[tile]): pixels.trouble for tile, pixels in self.montage.tiles.items() if pixels.trouble}
        troubles |= self._around.gone(rows)
        out = session.scope.excluded(session.atlas)[rows]
        texts = captions(session.atlas, rows, session.color_by, session.stale, troubles, set(rows[out].tolist()))
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
        if self.montage is None or not self._seen():
            return []
        pixels, (top, left) = self._screen()
        height, width = (side / self._viewer.scene.camera.zoom for side in self._viewer.canvas.size)
        sight = top, top + height, left, left + width
        self.montage.forget_fine(self.montage.inside(sight))
        return self.montage.lacking(sight, pixels)

    def drop(self) -> None:
        """Take the page out of the viewer."""
        self.montage = None
        self.scene.remove()

    def drop_soon(self) -> None:
        """Take the page out of the viewer when the user has finished deleting layers."""
        self.montage = None
        self.scene.remove_soon()

    def _look_at(self, arrangement: Arrangement) -> None:
        """Point the camera so that the page fits into the canvas."""
        camera, (height, width) = self._viewer.scene.camera, self._viewer.canvas.size
        camera.center = (0.0, arrangement.height / 2, arrangement.width / 2)
        camera.zoom = _MARGIN * min(height / arrangement.height, width / arrangement.width)
        self._fitted = Camera.of(self._viewer), (height, width)

    def refit(self) -> None:
        """Fit the page again where the canvas got another size and the user has not looked elsewhere.

        napari's panels on the left grow with the first layer, just after the page was fitted.
        """
        if self.montage is None or self._fitted is None:
            return
        camera, size = self._fitted
        if tuple(self._viewer.canvas.size) != tuple(size) and Camera.of(self._viewer).close_to(camera):
            self._look_at(self.montage.arrangement)

    def _screen(self) -> tuple[float, tuple[float, float]]:
        """Return screen pixels a scene unit, and the place in the scene of the canvas' upper left corner."""
        camera, (height, width) = self._viewer.scene.camera, self._viewer.canvas.size
        y, x = camera.center[-2:]
        corner = float(y) - height / 2 / camera.zoom, float(x) - width / 2 / camera.zoom
        return float(camera.zoom) * self._around.pixels_a_point, corner

    def _grid(self, arrangement: Arrangement) -> Grid:
        return grid_for(arrangement, *self._screen())

    def _seen(self) -> bool:
        return self.scene.image is not None and self.scene.image.visible and self._viewer.dims.ndisplay == 2

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
