"""A scale set by a line drawn on an opened micrograph."""

from __future__ import annotations

from collections.abc import Callable

from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_micromap.problems import Problem
from napari_micromap.scaling import rows_scaled_alike
from napari_micromap.session import Session
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.gallery.ruler import Ruler
from napari_micromap.views.listening import listen
from napari_micromap.views.panels.known_length import KnownLengthWindow, window_for


class ScaleSetting:
    """Opens a micrograph, has a line drawn on it, asks its length, and puts the pen away.

    Parameters
    ----------
    owner : QWidget
        What the window belongs to.
    viewer : Viewer
    session : Session
    gallery : Gallery
        What opens micrographs.
    tell : callable
        Shows a sentence about what cannot be done.
    """

    def __init__(
        self, owner: QWidget, viewer: Viewer, session: Session, gallery: Gallery, tell: Callable[[str], object]
    ) -> None:
        self._owner, self._session, self._gallery, self._tell = owner, session, gallery, tell
        self.ruler = Ruler(viewer, self._on_drawn)
        self.window: KnownLengthWindow | None = None
        self._row: int | None = None  # that is asked about
        self._pixels = 0.0
        listen(owner, gallery.changed, self._on_gallery)

    def begin(self, row: int | None = None) -> None:
        """Ask for the scale of a row, or of the opened one."""
        wanted = self._session.current if row is None else row
        if wanted is None:
            return
        self.end()
        self._row = wanted
        if self._gallery.opened_layer is not None and self._session.current == wanted:
            self._start()
        else:
            self._session.open_micrograph(wanted)  # it goes on when that is opened

    def end(self) -> None:
        """Put pen and window away."""
        window, self.window, self._row, self._pixels = self.window, None, None, 0.0
        self.ruler.put_away()
        if window is not None:
            window.close()

    def _start(self) -> None:
        layer, row = self._gallery.opened_layer, self._row
        if layer is None or row is None:
            return
        atlas = self._session.atlas
        self.window = window_for(str(atlas.columns["file"].iat[row]), len(rows_scaled_alike(atlas, row)), self._owner)
        self.window.told.connect(self._on_told)
        self.window.finished.connect(lambda _: self._on_window_closed())
        self.ruler.take(layer)

    def _on_gallery(self) -> None:
        """Begin when the wanted one is opened; end when another or the gallery takes its place."""
        opened = self._gallery.opened_layer is not None and self._session.current == self._row
        if self._row is None:
            return
        if self.window is None:
            if opened:
                self._start()
        elif not opened:
            self.end()

    def _on_drawn(self, pixels: float) -> None:
        self._pixels = pixels
        if self.window is not None:
            self.window.show_pixels(pixels)

    def _on_told(self, length: float, unit: str, whole_kind: bool) -> None:
        row, pixels = self._row, self._pixels
        if row is None:
            return
        try:
            self._session.scales.by_line(row, pixels, length, unit, whole_kind)
        except Problem as problem:
            self._tell(str(problem))
        else:
            self.end()

    def _on_window_closed(self) -> None:
        if self.window is not None:
            self.window = None
            self.end()
