"""What a hand does with tiles: clicks and keys, as wishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from napari.viewer import Viewer
from psygnal import Signal

from napari_micromap.session import Session
from napari_micromap.views.gallery.mouse import Mouse

RowAt: TypeAlias = Callable[[tuple[float, ...]], int | None]  # of a place in the world


class Clicks:
    """Makes the clicked micrograph current, opens it, or tells what is wished for it.

    Parameters
    ----------
    viewer : Viewer
        Where is clicked.
    session : Session
        Which is told.
    row_at : callable
        Gives the row of the tile at a place.
    row_meant : callable
        Gives the row that is meant there, with or without tiles.
    """

    menu_wished = Signal(object)  # rows that were clicked with the right button
    exclude_wished = Signal(object)  # rows

    def __init__(self, viewer: Viewer, session: Session, row_at: RowAt, row_meant: RowAt) -> None:
        self._session, self._row_at, self._row_meant = session, row_at, row_meant
        mouse = Mouse(viewer, self._on_click, self._on_double_click, self._on_right_click, self._on_exclude)
        self.listen, self.rest = mouse.listen, mouse.rest

    def _on_click(self, position: tuple[float, ...]) -> bool:
        row = self._row_at(position)
        if row is not None:
            self._session.current = row
        return row is not None

    def _on_double_click(self, position: tuple[float, ...]) -> bool:
        row = self._row_at(position)
        if row is not None:
            self._session.open_micrograph(row)
        return row is not None

    def _on_right_click(self, position: tuple[float, ...]) -> bool:
        row = self._row_meant(position)
        if row is not None:
            self.menu_wished.emit(np.array([row]))
        return row is not None

    def _on_exclude(self, position: tuple[float, ...]) -> None:
        row = self._row_meant(position)
        if row is not None:
            self.exclude_wished.emit(np.array([row]))
