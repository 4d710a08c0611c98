"""One micrograph at full resolution, alone in the viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from napari_micromap.atlas import Micrograph, Rows
from napari_micromap.montage.tiles import gray_window
from napari_micromap.problems import TooLarge
from napari_micromap.session import Session
from napari_micromap.sources.windows import whole_id
from napari_micromap.views.gallery.aside import Aside
from napari_micromap.views.gallery.borrowed import Borrowed
from napari_micromap.views.gallery.scene import OURS
from napari_micromap.work import Progress, Work

_AROUND = 2.5  # windows across the canvas when one is opened
_DRAWN = 40  # ms: until then others were drawn
_NEAR = 2048  # pixels around a window that are shown where the whole picture is too large for memory


@dataclass(frozen=True, eq=False)
class Whole:
    """A picture at full resolution with its data bar, and where in it the specimen is.

    Parameters
    ----------
    pixels : (h, w) or (h, w, 3)
    box : top, left, height, width
        Of the specimen: what lies over it (outlines, heat maps) begins there.
    """

    pixels: NDArray[Any]
    box: tuple[int, int, int, int]
    origin: tuple[int, int] = (0, 0)  # row and column of the first pixel, where only a part could be read
    is_window: bool = False

    @property
    def specimen(self) -> NDArray[Any]:
        """The picture without its data bar."""
        top, left, height, width = self.box
        return self.pixels[top : top + height, left : left + width]


class Opened:
    """Shows a picture in a layer of its own, or the very layer that it is a part of."""

    def __init__(self, viewer: Viewer, borrowed: Borrowed) -> None:
        self._viewer, self._borrowed = viewer, borrowed
        self.own: Image | None = None
        self.lent: Layer | None = None
        self._aside = Aside()
        self._leaving: Image | None = None  # hidden, and about to go
        self._soon = QTimer()
        self._soon.setSingleShot(True)
        self._soon.setInterval(_DRAWN)
        self._soon.timeout.connect(self._end_leaving)

    @property
    def layer(self) -> Layer | None:
        """The layer that shows it."""
        return self.own if self.own is not None else self.lent

    def show_pixels(
        self, whole: Whole, name: str, um_per_px: float | None, units: tuple[Any, ...], on_back: Any
    ) -> None:
        """Show a picture in a layer of our own, with a scale bar where the scale is known."""
        self.leave()
        self._end_leaving()
        self._aside.begin()
        self._viewer.layers.events.removing.connect(self._on_removing)
        pixels = whole.pixels
        scale = (um_per_px or 1.0,) * 2
        about = {**OURS, "specimen": whole.box, "origin": whole.origin}
        looks: dict[str, Any] = {}
        if pixels.ndim == 2:
            pixels = pixels.astype(np.uint8) if pixels.dtype == np.bool_ else pixels
            looks = {"contrast_limits": gray_window(whole.specimen), "colormap": "gray"}
        self.own = Image(pixels, rgb=pixels.ndim == 3, name=name, scale=scale, units=units, metadata=about, **looks)
        if pixels.ndim == 2 and np.issubdtype(pixels.dtype, np.integer) and pixels.dtype.itemsize == 1:
            self.own.contrast_limits_range = (0, 255)
        self.own.bind_key("Backspace", on_back, overwrite=True)
        self._viewer.layers.append(self.own)
        if um_per_px is not None:
            self._borrowed.set(self._viewer.canvas.overlays["scale_bar"], "visible", True)
        self._look_at(self.own)
        self.look_into(whole.box if whole.is_window else None)

    def look_into(self, box: tuple[int, int, int, int] | None) -> None:
        """Point the camera at a window of the picture that is shown, with some of what is around it."""
        layer = self.layer
        if box is None or layer is None:
            return
        camera, canvas = self._viewer.scene.camera, self._viewer.canvas.size
        pixel = np.array(layer.scale[-2:])
        middle = np.array(layer.translate[-2:]) + (np.array(box[:2]) + np.array(box[2:]) / 2 - 0.5) * pixel
        camera.center = (*camera.center[:-2], *map(float, middle))
        camera.zoom = float(min(canvas / (np.array(box[2:]) * pixel))) / _AROUND

    def rescale(self, um_per_px: float | None) -> None:
        """Give our own layer another scale, with the same part of it in sight."""
        if self.own is None:
            return
        camera, ratio = self._viewer.scene.camera, (um_per_px or 1.0) / float(self.own.scale[-1])
        center, zoom = tuple(float(place) * ratio for place in camera.center), camera.zoom / ratio
        self.own.scale = (um_per_px or 1.0,) * 2
        camera.center, camera.zoom = center, zoom
        self._borrowed.set(self._viewer.canvas.overlays["scale_bar"], "visible", um_per_px is not None)

    def show_layer(self, layer: Layer, index: tuple[int, ...], in_lengths: bool, on_back: Any) -> None:
        """Show a layer that the user loaded, its sliders at the slice; with a scale bar where it is in lengths."""
        self.leave()
        self._end_leaving()
        if in_lengths and "pixel" not in map(str, layer.units):
            self._borrowed.set(self._viewer.canvas.overlays["scale_bar"], "visible", True)
        self.lent = layer
        self._borrowed.set(layer, "visible", True)
        layer.bind_key("Backspace", on_back, overwrite=True)
        if index:
            dims = self._viewer.dims
            world = layer.data_to_world([*index, *(0,) * (layer.ndim - len(index))])
            point = list(dims.point)
            first = dims.ndim - layer.ndim
            point[first : first + len(index)] = (float(place) for place in world[: len(index)])
            self._borrowed.set(dims, "point", tuple(point))
        self._look_at(layer)

    def use_units(self, units: tuple[Any, ...], are_lengths: bool) -> None:
        """Agree with the user's layers; where those are in pixels, so is our own."""
        if self.own is not None and tuple(map(str, self.own.units)) != tuple(map(str, units)):
            self.own.units = units
            self.own.scale = self.own.scale if are_lengths else (1.0, 1.0)

    def leave(self) -> None:
        """Hide what is shown; our own layer goes when what takes its place was drawn."""
        if self.own is not None and self.own in self._viewer.layers:
            self.own.visible = False
            self._leaving, self.own = self.own, None
            self._soon.start()
        lent = self.lent
        self._let_go()
        if lent is not None and lent in self._viewer.layers:
            self._borrowed.set(lent, "visible", False)

    def drop(self) -> None:
        """Take our own layer out of the viewer, or let go of the user's as it is."""
        self._end_leaving()
        self._leaving, self.own = self.own, None
        self._end_leaving()
        self._let_go()

    def _let_go(self) -> None:
        lent, self.lent = self.lent, None
        if lent is not None:
            lent.bind_key("Backspace", None)

    def _end_leaving(self) -> None:
        self._soon.stop()
        if self._leaving is not None and self._leaving in self._viewer.layers:
            self._viewer.layers.remove(self._leaving)
        self._leaving = None
        self._viewer.layers.events.removing.disconnect(self._on_removing)
        self._aside.end()

    def _on_removing(self, event: Any) -> None:
        goes = self._viewer.layers[event.index]
        if goes is not self.own and goes is not self._leaving:
            self._aside.end()  # a layer of the user's goes: all that it held shall be found

    def _look_at(self, layer: Layer) -> None:
        self._borrowed.select([layer])
        self._viewer.fit_to_view(layers=[layer])


def read_whole(micrograph: Micrograph) -> Work[Whole]:
    """Read a micrograph at full resolution, with its data bar."""
    yield Progress("Opening", note=micrograph.name)
    window = micrograph.window
    try:
        pixels = micrograph.pixels()
    except TooLarge:
        if window is None:
            raise
        top, left, height, width = window
        first = max(0, top - _NEAR), max(0, left - _NEAR)
        pixels = micrograph.part((*first, height + 2 * _NEAR, width + 2 * _NEAR))
        return Whole(pixels, (top - first[0], left - first[1], height, width), first, True)
    return Whole(pixels, micrograph.box(*pixels.shape[:2]), is_window=window is not None)


def holds_windows(session: Session, rows: Rows) -> bool:
    """Say whether the current row and some of these are windows of one micrograph."""
    atlas, current = session.atlas, session.current
    if atlas.windows is None or current is None or not len(rows):
        return False
    return bool(np.char.startswith(atlas.ids[rows], whole_id(str(atlas.ids[current])) + "@").any())
