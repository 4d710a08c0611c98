"""What else is in the viewer: source layers, units, colors of the canvas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtGui import QGuiApplication

from napari_micromap.atlas import LivePixels
from napari_micromap.session import Session

_MOST_MARKED = 20  # layers in the layer list: napari takes its time for each


class Surroundings:
    """Answers what the gallery must know of layers that are not its own."""

    def __init__(self, viewer: Viewer, session: Session) -> None:
        self._viewer, self._session = viewer, session

    @property
    def ground(self) -> tuple[int, int, int]:
        """Color of the canvas."""
        red, green, blue = (round(255 * float(part)) for part in self._viewer.canvas.background_color[:3])
        return red, green, blue

    @property
    def pixels_a_point(self) -> float:
        """Pixels of the screen in one of the canvas' own: more than one where the screen is very fine."""
        app = QGuiApplication.instance()
        return float(app.devicePixelRatio()) if isinstance(app, QGuiApplication) else 1.0

    def sources(self, rows: NDArray[np.intp] | None = None) -> list[Layer]:
        """Return the layers in the viewer that the session's micrographs, or those of some rows, come from."""
        atlas = self._session.atlas
        lives: Iterable[LivePixels | None] = atlas.live.values()
        if rows is not None and atlas.live:
            lives = (atlas.live.get(str(id_)) for id_ in atlas.ids[rows])
        found = dict.fromkeys(layer for live in lives if (layer := layer_of(live)) is not None)
        here = set(self._viewer.layers)
        return [layer for layer in found if layer in here]

    def marked(self, rows: NDArray[np.intp]) -> list[Layer]:
        """Return the source layers of some rows that are to be marked in the layer list."""
        return self.sources(rows)[:_MOST_MARKED]

    def gone(self, rows: NDArray[np.intp]) -> dict[int, str]:
        """Return the rows whose layer is no longer in the viewer, and what to say of it."""
        atlas = self._session.atlas
        if not atlas.live:
            return {}
        here = set(self._viewer.layers)
        lives = {int(row): atlas.live.get(str(atlas.ids[row])) for row in rows}
        return {
            row: f"The layer “{live.layer_name}” is gone."
            for row, live in lives.items()
            if live is not None and layer_of(live) not in here
        }

    def units(self) -> tuple[tuple[Any, ...], bool]:
        """Return units of (y, x) that agree with the user's layers, and whether they are lengths.

        napari drops all units where a layer in pixels lies beside one in micrometers.
        """
        others = [layer for layer in self._viewer.layers if not is_ours(layer)]
        if not others:
            return ("um", "um"), True
        units = self._viewer.layers.get_extent(others).units
        if units is None:
            return ("pixel", "pixel"), False
        plane = tuple(units[-2:])
        return plane, all(unit.is_compatible_with("meter") for unit in plane)

    def um_in_world(self) -> float:
        """Return how much of the world a µm is, 0 where the world is in pixels."""
        units, are_lengths = self.units()
        if not are_lengths:
            return 0.0
        return 1.0 if isinstance(units[-1], str) else 1.0 / float((1.0 * units[-1]).to("um").magnitude)


def layer_of(live: LivePixels | None) -> Layer | None:
    """Return the layer that pixels come from, None where it is gone."""
    layer = getattr(live, "layer", None)
    return layer if isinstance(layer, Layer) else None


def is_ours(layer: Layer) -> bool:
    """Tell the gallery's own layers from the user's."""
    return "micromap" in layer.metadata
