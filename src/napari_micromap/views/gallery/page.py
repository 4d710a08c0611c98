"""The page that stands in the viewer: its montage, and the looks of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.colors import Coloring, colors_of, outline_on, plain
from napari_micromap.montage import (
    Arrangement,
    Filled,
    Grid,
    Montage,
    TileBars,
    Want,
    captions,
    grid_for,
    only_unknown,
    tile_bars,
)
from napari_micromap.session import Session
from napari_micromap.views.gallery.borrowed import Camera
from napari_micromap.views.gallery.scene import Looks, Scene
from napari_micromap.views.gallery.surroundings import Surroundings

_MARGIN = 0.95  # of the canvas, as napari leaves it
_BAR_ROOM = 40  # pixels at the foot of the canvas, for napari's scale bar


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
        self.scene.unit = self._unit(filled.arrangement)
        self._look_at(filled.arrangement)
        colored = any(pixels.colored for pixels in filled.tiles.values())
        self.montage = Montage(
            filled.arrangement, self._grid(filled.arrangement), filled.tiles, colored, self._around.ground,
            self.shared_contrast,
        )  # fmt: skip
        self._put()
        if self.scene.image is not None and not self.scene.image.visible:
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
            self.scene.show(self.montage, self._units())

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
        looks = Looks(arrangement, self._colors()[rows], texts, self._bars(arrangement), current, ink)
        self.scene.decorate(looks, self._units())

    def row_at(self, position: tuple[float, ...]) -> int | None:
        """Return the row whose tile is at a place in the world."""
        image = self.scene.image
        if self.montage is None or image is None or not image.visible:
            return None
        y, x = (float(place) / self.scene.unit for place in position[-2:])
        tile = self.montage.arrangement.tile_at(y, x)
        return None if tile is None else int(self.montage.arrangement.rows[tile])

    def wants_in_sight(self) -> list[Want]:
        """Return the tiles that are seen and could be finer; forget the fine pixels of others where they are many."""
        if self.montage is None or not self._seen():
            return []
        pixels, (top, left) = self._screen()
        zoom = self._viewer.scene.camera.zoom * self.scene.unit
        height, width = (side / zoom for side in self._viewer.canvas.size)
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
        unit, below = self.scene.unit, _BAR_ROOM if arrangement.um_per_unit is not None else 0
        zoom = _MARGIN * min(max(1, height - below) / arrangement.height, width / arrangement.width) / unit
        camera.center = (0.0, arrangement.height / 2 * unit + below / 2 / zoom, arrangement.width / 2 * unit)
        camera.zoom = zoom
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
        unit = self.scene.unit
        zoom = float(camera.zoom) * unit
        y, x = (float(place) / unit for place in camera.center[-2:])
        return zoom * self._around.pixels_a_point, (y - height / 2 / zoom, x - width / 2 / zoom)

    @property
    def in_um(self) -> bool:
        """Whether the page stands in the viewer in lengths, so that napari's own scale bar is right for all tiles."""
        return self.arrangement is not None and self.arrangement.um_per_unit is not None and self._around.units()[1]

    def _unit(self, arrangement: Arrangement) -> float:
        """Return how much of the world a scene unit of a page is: a length where all tiles have the same scale."""
        um_in_world = self._around.um_in_world()
        return 1.0 if arrangement.um_per_unit is None or not um_in_world else arrangement.um_per_unit * um_in_world

    def use_units(self) -> None:
        """Agree with the user's layers, which came or went."""
        self.scene.use_units(self._units())
        if self.montage is not None and self._unit(self.montage.arrangement) != self.scene.unit:
            self.scene.unit = self._unit(self.montage.arrangement)
            self._look_at(self.montage.arrangement)
            self.montage = self.montage.like(grid=self._grid(self.montage.arrangement))
            self._put()

    def _units(self) -> tuple[Any, ...]:
        return self._around.units()[0]

    def _bars(self, arrangement: Arrangement) -> TileBars:
        widths = arrangement.boxes[:, 3]
        um_per_unit = self._session.atlas.um_per_px[arrangement.rows] * arrangement.sizes[:, 1] / widths
        return only_unknown(um_per_unit) if self.in_um else tile_bars(um_per_unit, widths)

    def _grid(self, arrangement: Arrangement) -> Grid:
        return grid_for(arrangement, *self._screen())

    def _seen(self) -> bool:
        return self.scene.image is not None and self.scene.image.visible and self._viewer.dims.ndisplay == 2

    def _put(self) -> None:
        assert self.montage is not None
        self.scene.show(self.montage, self._units())
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
