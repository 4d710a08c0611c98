"""What napari needs for its first layers, brought in ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Points, Vectors
from napari.viewer import Viewer
from qtpy.QtCore import QObject, QTimer

from napari_micromap.montage import PER_PAGE, captions
from napari_micromap.session import Map, Session
from napari_micromap.work import Progress, Work

_BETWEEN = 40  # ms between two letters
_OF_BARS = frozenset("0125 nµm no scale")  # letters on scale bars


def bring_in() -> Work[None]:
    """Import and fill what napari else does at the first gallery, under the user's hand: units alone take 0.2 s.

    The layers that are made here are seen by nobody: no viewer knows of them.
    """
    yield Progress("Getting ready")
    import PIL.Image  # noqa: F401  tiles are read by it

    yield Progress("Getting ready")
    from napari.components import histogram  # noqa: F401  of an Image's controls

    yield Progress("Getting ready")
    looks: dict[str, Any] = {"units": ("um", "um"), "scale": (1.0, 1.0)}
    Image([np.zeros((4, 4), np.uint8), np.zeros((2, 2), np.uint8)], multiscale=True, **looks)
    yield Progress("Getting ready")
    Vectors(np.ones((2, 2, 2)), edge_color=np.ones((2, 4)), vector_style="line", **looks)
    yield Progress("Getting ready")
    text = {"string": "{label}", "color": {"feature": "ink"}, "scaling": True}
    Points(np.zeros((1, 2)), features={"label": ["a"], "ink": ["#ffffff"]}, text=text, **looks)


class Letters(QObject):
    """Draws the letters of labels in napari's font while the map is looked at, one at a time.

    Else all of them are drawn at the first gallery, 10 ms each.

    Parameters
    ----------
    viewer : Viewer
        In whose canvas they will be needed.
    session : Session
        Whose micrographs will be labeled.
    """

    def __init__(self, viewer: Viewer, session: Session) -> None:
        super().__init__()
        self._viewer, self._session = viewer, session
        self._coming: list[str] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_BETWEEN)
        self._timer.timeout.connect(self._draw_one)
        session.map_changed.connect(self._on_map)

    def dispose(self) -> None:
        """Draw no more."""
        self._session.map_changed.disconnect(self._on_map)
        self._timer.stop()

    def _on_map(self, shown: Map | None) -> None:
        atlas = self._session.atlas
        if shown is not None and len(atlas):
            rows = np.linspace(0, len(atlas) - 1, PER_PAGE).astype(np.intp)
            said = captions(atlas, rows, self._session.color_by)
            self._coming = sorted(set(_OF_BARS.union(*said)))
            self._timer.start()

    def _draw_one(self) -> None:
        # napari tells its font nowhere else; where it does so no more, letters are drawn when they are needed.
        canvas = getattr(getattr(self._viewer.window, "_qt_viewer", None), "canvas", None)
        font_info = getattr(canvas, "font_info", None)
        if not self._coming or font_info is None:
            self._timer.stop()
            return
        font_info().font_manager.get_font(font_info().face)[self._coming.pop()]
