"""Loaded layers and their sliders, linked to the current micrograph."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer

from napari_micromap.atlas import Atlas
from napari_micromap.session import Session

_FEW = 8  # micrographs of a layer whose pixels are compared on the spot when the layer gets new data


class LayerLinks:
    """Rings the dot of the layer, or slice, that the user works on; never touches the selection.

    Parameters
    ----------
    viewer : Viewer
        Whose active layer and sliders are watched.
    session : Session
        Whose ``current`` follows them; it also learns which layers were edited since they were read.
    """

    def __init__(self, viewer: Viewer, session: Session) -> None:
        self._viewer: Viewer = getattr(viewer, "__wrapped__", viewer)
        self._session = session
        self._rows: WeakKeyDictionary[Layer, dict[tuple[int, ...], int]] = WeakKeyDictionary()
        self._last: int | None = None
        session.atlas_changed.connect(self._on_atlas)
        self._viewer.layers.selection.events.active.connect(self._on_hand)
        self._viewer.dims.events.point.connect(self._on_hand)
        self._on_atlas(session.atlas)

    def dispose(self) -> None:
        """Let go of viewer and session for good."""
        self._session.atlas_changed.disconnect(self._on_atlas)
        self._viewer.layers.selection.events.active.disconnect(self._on_hand)
        self._viewer.dims.events.point.disconnect(self._on_hand)
        self._let_go()

    def _let_go(self) -> None:
        for layer in list(self._rows):
            layer.events.data.disconnect(self._on_data)
        self._rows.clear()

    def _on_atlas(self, atlas: Atlas) -> None:
        self._let_go()
        for row, id_ in enumerate(atlas.ids) if atlas.live else ():
            live = atlas.live.get(str(id_))
            if live is not None and isinstance(live.layer, Layer):
                self._rows.setdefault(live.layer, {})[live.index] = row
        for layer in self._rows:
            layer.events.data.connect(self._on_data)
        self._last = self._row_in_hand()  # what was active before there was a map is no wish

    def _on_hand(self, _: object) -> None:
        """Another layer or slice: napari repeats itself, and gives back what it took; only real change counts."""
        row = self._row_in_hand()
        if row is not None and row != self._last:
            self._last = row
            self._session.current = row

    def _row_in_hand(self) -> int | None:
        layer = self._viewer.layers.selection.active
        slices = None if layer is None else self._rows.get(layer)
        if layer is None or not slices:
            return None
        place = np.asarray(layer.world_to_data(self._viewer.dims.point[-layer.ndim :]))
        index = tuple(int(step) for step in np.rint(place[: layer.ndim - 2]))
        return slices.get(index)

    def _on_data(self, event: Any) -> None:
        """Remember which micrographs were edited."""
        rows = list(self._rows.get(event.source, {}).values())
        ids = [str(id_) for id_ in self._session.atlas.ids[rows]]
        if len(ids) <= _FEW:
            ids = [id_ for id_ in ids if self._session.atlas.live[id_].changed]
        self._session.mark_stale(ids)
