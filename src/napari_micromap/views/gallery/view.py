"""The gallery: the selected micrographs in the viewer, and one of them opened."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer
from psygnal import Signal

from napari_micromap.atlas import Atlas, Micrograph, Rows
from napari_micromap.montage import Arrangement, Filled, arrange_page, counts_on, whole_page
from napari_micromap.session import Session
from napari_micromap.views.gallery.ahead import Letters
from napari_micromap.views.gallery.borrowed import Borrowed, Camera
from napari_micromap.views.gallery.clicks import Clicks
from napari_micromap.views.gallery.opened import Opened, Whole, holds_windows, read_whole
from napari_micromap.views.gallery.page import Page
from napari_micromap.views.gallery.sharpening import Sharpening
from napari_micromap.views.gallery.surroundings import Surroundings, is_ours, layer_of

Mode: TypeAlias = Literal["closed", "gallery", "opened"]
# Each tile a whole micrograph with a scale bar of its own, or all cut to one scale, for which napari's bar is right.
TileScale: TypeAlias = Literal["fit", "same"]


class Gallery:
    """Shows the session's selection in the viewer, in pages, and one micrograph at full resolution.

    Parameters
    ----------
    viewer : Viewer
        Where they are shown; all that is borrowed of it is given back by :meth:`close`.
    session : Session
        Whose selection, current micrograph and colors are shown.
    """

    changed = Signal()  # mode or page

    def __init__(self, viewer: Viewer, session: Session) -> None:
        self._viewer: Viewer = getattr(viewer, "__wrapped__", viewer)  # napari hands docks a proxy
        self._session = session
        self._borrowed = Borrowed(self._viewer)
        self._around = Surroundings(self._viewer, session)
        self._page = Page(self._viewer, session, self._around)
        self._opened = Opened(self._viewer, self._borrowed)
        self.clicks = Clicks(self._viewer, session, self._row_at, self._row_meant)
        self._camera: Camera | None = None  # of the gallery, while a micrograph is opened
        self._mode: Mode = "closed"
        self._ids = session.atlas.ids
        self._sharpening = Sharpening(session, self._page, self._take)
        self._tile_scale: TileScale = "fit"
        self._sizes = session.atlas.um_per_px
        self._outdated = False  # the page behind an opened micrograph has tiles of another scale
        self._letters = Letters(self._viewer, session)
        self._connect()

    def _connect(self) -> None:
        session, viewer = self._session, self._viewer
        session.selection.changed.connect(self._on_selection)
        session.opened.connect(self._on_opened)
        session.atlas_changed.connect(self._on_atlas)
        for signal in (session.current_changed, session.color_changed, session.stale_changed, session.scope.changed):
            signal.connect(self._on_looks)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.events.theme.connect(self._on_theme)
        for event in self._looks():
            event.connect(self._sharpening.look)

    def dispose(self) -> None:
        """Close, and let go of viewer and session for good."""
        self.close()
        session, viewer = self._session, self._viewer
        session.selection.changed.disconnect(self._on_selection)
        session.opened.disconnect(self._on_opened)
        session.atlas_changed.disconnect(self._on_atlas)
        self._letters.dispose()
        for signal in (session.current_changed, session.color_changed, session.stale_changed, session.scope.changed):
            signal.disconnect(self._on_looks)
        viewer.layers.events.removed.disconnect(self._on_removed)
        viewer.layers.events.inserted.disconnect(self._on_inserted)
        viewer.events.theme.disconnect(self._on_theme)
        for event in self._looks():
            event.disconnect(self._sharpening.look)

    def _looks(self) -> tuple[Any, ...]:
        camera = self._viewer.scene.camera
        return camera.events.center, camera.events.zoom, self._viewer.canvas.events.size

    # ------------------------------------------------------------------ what is shown

    @property
    def mode(self) -> Mode:
        """Whether the gallery, one opened micrograph, or nothing of ours is shown."""
        return self._mode

    @property
    def can_go_back(self) -> bool:
        """Whether an opened micrograph hides a gallery."""
        return self._mode == "opened" and self._page.montage is not None

    @property
    def arrangement(self) -> Arrangement | None:
        """Which micrographs stand where on the page, in scene units."""
        return self._page.arrangement

    @property
    def layers(self) -> list[Layer]:
        """Our own layers in the viewer."""
        own = self._opened.own
        return [*self._page.scene.layers, *([] if own is None else [own])]

    @property
    def opened_layer(self) -> Layer | None:
        """The layer that shows an opened micrograph."""
        return self._opened.layer if self._mode == "opened" else None

    @property
    def page(self) -> int:
        """The page that is shown, counted from 0."""
        return 0 if self.arrangement is None else self.arrangement.page

    @property
    def pages(self) -> int:
        """How many pages the selection fills."""
        return 0 if self.arrangement is None else self.arrangement.pages

    @property
    def counts(self) -> str:
        """What of the selection is on the page: "1–100 of 2,310", or "23" where all are."""
        return "" if self.arrangement is None else counts_on(self.arrangement)

    @property
    def shared_contrast(self) -> bool:
        """Whether all tiles have the same black and white, which keeps their brightness comparable."""
        return self._page.shared_contrast

    @shared_contrast.setter
    def shared_contrast(self, shared: bool) -> None:
        if shared != self._page.shared_contrast:
            self._page.shared_contrast = shared
            self._page.relook()

    @property
    def tile_scale(self) -> TileScale:
        """Whether each tile shows a whole micrograph with its own scale bar, or all are cut to the same scale."""
        return self._tile_scale

    @tile_scale.setter
    def tile_scale(self, wanted: TileScale) -> None:
        if wanted != self._tile_scale:
            self._tile_scale = wanted
            if self._page.montage is not None:
                self.show(self.page)
            self.changed.emit()

    # ------------------------------------------------------------------ verbs

    def show(self, page: int = 0) -> None:
        """Show a page of the selection."""
        session = self._session
        rows, aspect, same = session.selection.rows, self._aspect(), self._tile_scale == "same"
        if not len(rows):
            return
        self._sharpening.rest()
        self._outdated = False
        session.run(
            lambda: arrange_page(session.atlas, rows, page, aspect, session.workshop.thumbnails, same),
            lane="gallery", done=self._on_arranged,
        )  # fmt: skip

    def next_page(self) -> None:
        """Turn to the next page, if there is one."""
        if self.page + 1 < self.pages:
            self.show(self.page + 1)

    def previous_page(self) -> None:
        """Turn to the page before, if there is one."""
        if self.page > 0:
            self.show(self.page - 1)

    def back(self) -> None:
        """Go from the opened micrograph to the gallery as it was, or, where there was none, close."""
        if self._mode != "opened":
            return
        if self._page.montage is None or self._camera is None:
            self.close()
            return self.show() if self._outdated else None
        self._borrowed.view_flat()
        self._camera.point(self._viewer)  # first, or labels are laid twice
        self._return_to_gallery()
        self._page.focus()
        self._mark()
        self._sharpening.wake()
        self.changed.emit()
        if self._outdated:
            self.show(self.page)

    def close(self) -> None:
        """Take all of ours out of the viewer and give back what was borrowed."""
        self._session.run.cancel("gallery")
        self._sharpening.rest()
        self.clicks.rest()
        self._borrowed.give_back()
        self._camera = None
        self._opened.drop()
        self._page.drop()
        if self._mode != "closed":
            self._mode = "closed"
            self.changed.emit()

    # ------------------------------------------------------------------ session to screen

    def _on_selection(self, rows: Rows) -> None:
        if self._mode == "opened" and holds_windows(self._session, rows):
            self._outdated = True  # they are outlined on the picture that stands there
        elif len(rows):
            self.show()
        else:
            self.close()

    def _on_atlas(self, atlas: Atlas) -> None:
        if np.array_equal(atlas.ids, self._ids):
            self._on_scales()
            self._page.decorate()
        else:
            self._ids, self._sizes = atlas.ids, atlas.um_per_px
            self.close()

    def _on_arranged(self, page: Filled) -> None:
        """Show what thumbnails show, and read files when that stands; where there are none, read at once."""
        if page.tiles:
            self._take(page)
        else:
            self._sharpening.read(whole_page(page.arrangement), page.arrangement)

    def _take(self, filled: Filled) -> None:
        """Show what was read; a new page takes the place of the one before."""
        if self._page.is_shown(filled):
            self._page.add(filled)
            return
        first = self._mode == "closed"
        self._borrowed.begin()
        self._borrowed.view_flat()
        if self._mode == "opened":
            self._return_to_gallery()
        self._hide_sources()
        self._mode = "gallery"
        self._page.show(filled)
        self._sharpening.wake()
        self._show_scale_bar()
        if first or self._borrowed.selection_untouched:
            self._mark()
        self.clicks.listen()
        self.changed.emit()

    def _on_looks(self, _: object = None) -> None:
        """Current micrograph, colors, exclusions or what is known of edited layers changed."""
        self._page.decorate()

    # ------------------------------------------------------------------ one micrograph, opened

    def _on_opened(self, row: int) -> None:
        micrograph = self._session.atlas[row]
        layer = layer_of(micrograph.live)
        if micrograph.live is not None and layer is not None and layer in self._viewer.layers:
            self._session.run.cancel("gallery")
            self._enter_opened()
            self._opened.show_layer(layer, micrograph.live.index, self._around.units()[1], self._on_backspace)
            self._opened.look_into(micrograph.window)
            return self.changed.emit()
        self._session.run(lambda: read_whole(micrograph), lane="gallery", done=partial(self._on_read, row, micrograph))

    def _on_read(self, row: int, micrograph: Micrograph, whole: Whole) -> None:
        self._enter_opened()
        units, are_lengths = self._around.units()
        um_per_px = float(self._session.atlas.um_per_px[row])
        known = are_lengths and um_per_px > 0
        self._opened.show_pixels(
            whole, micrograph.name, um_per_px if known else None,
            ("um", "um") if are_lengths else units, self._on_backspace,
        )  # fmt: skip
        self.changed.emit()

    def _enter_opened(self) -> None:
        self._sharpening.rest()
        self._borrowed.begin()
        self._borrowed.view_flat()
        if self._mode == "gallery":
            self._camera = Camera.of(self._viewer)
            self._page.scene.hide()
        self._hide_sources()
        self._borrowed.set(self._viewer.canvas.overlays["scale_bar"], "visible", False)
        self._mode = "opened"

    def _return_to_gallery(self) -> None:
        with self._viewer.layers.batched_update():  # napari puts its scene together once, not for each of them
            self._opened.leave()
            self._page.scene.unhide()
            self._hide_sources()
        self._show_scale_bar()
        self._mode = "gallery"

    def _hide_sources(self) -> None:
        """Hide the layers that the micrographs come from."""
        for layer in self._around.sources():
            if layer.visible and self._borrowed.untouched(layer, "visible"):
                self._borrowed.set(layer, "visible", False)

    def _show_scale_bar(self) -> None:
        """Show napari's scale bar where it is right for all tiles."""
        self._borrowed.set(self._viewer.canvas.overlays["scale_bar"], "visible", self._page.in_um)

    def _on_scales(self) -> None:
        """Show the scales that the atlas tells now, where they are others than before."""
        sizes = self._session.atlas.um_per_px
        before, self._sizes = self._sizes, sizes
        if np.array_equal(before, sizes, equal_nan=True):
            return
        if self._page.montage is not None and self._tile_scale == "same":
            if self._mode == "gallery":
                self.show(self.page)
            else:
                self._outdated = True
        row, known = self._session.current, self._around.units()[1]
        if self._mode == "opened" and row is not None and self._opened.own is not None:
            self._opened.rescale(float(sizes[row]) if known and sizes[row] > 0 else None)

    def _mark(self) -> None:
        """Select the gallery and, so that they are seen in the layer list, some of its sources."""
        image, arrangement = self._page.scene.image, self.arrangement
        if image is not None and arrangement is not None:
            self._borrowed.select([*self._around.marked(arrangement.rows), image])

    # ------------------------------------------------------------------ what the user does

    def _row_meant(self, position: tuple[float, ...]) -> int | None:
        """Return the row of the tile at a place, or the one that is opened."""
        return self._session.current if self._mode == "opened" else self._row_at(position)

    def _row_at(self, position: tuple[float, ...]) -> int | None:
        return self._page.row_at(position) if self._mode == "gallery" else None

    def _on_backspace(self, layer: Layer) -> None:
        self.back()

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        if self._page.scene.forget(layer):
            self._page.drop_soon()
            if self._mode == "gallery":
                self.close()
            else:
                self.changed.emit()
        elif layer is self._opened.layer:
            self._opened.drop()
            self.back()
        elif self._mode == "gallery" and self._session.atlas.live and not is_ours(layer):
            self._page.decorate()

    def _on_inserted(self, event: Any) -> None:
        if self._mode != "closed" and not is_ours(event.value):
            units, are_lengths = self._around.units()
            self._page.use_units()
            self._opened.use_units(("um", "um") if are_lengths else units, are_lengths)
            self._page.decorate()
            if self._mode == "gallery":
                self._show_scale_bar()

    def _on_theme(self, _: object) -> None:
        self._page.relook()

    def _aspect(self) -> float:
        height, width = self._viewer.canvas.size
        return float(width / max(height, 1))
