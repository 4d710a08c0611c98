"""What is open: micrographs, their map, who is selected, what colors them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from psygnal import Signal

from napari_micromap.atlas import Atlas, Positions, empty_atlas
from napari_micromap.problems import Problem
from napari_micromap.session.maps import Map
from napari_micromap.session.selection import Selection
from napari_micromap.tables import telling_column


class State:
    """What is open, all of it about the same rows; it speaks only of real change, and knows nothing of work."""

    atlas_changed = Signal(object)  # Atlas
    map_changed = Signal(object)  # Map | None: what is to be shown now
    waiting_map_changed = Signal(object)  # Map | None: a final map that waits until the user wants it
    current_changed = Signal(object)  # int | None
    color_changed = Signal(object)  # str | None
    stale_changed = Signal(object)  # frozenset[str]: see `stale`

    def __init__(self) -> None:
        self.selection = Selection()
        self.property_seen = False  # whether a property has colored a map: exclusions after that may have followed it
        self._atlas = empty_atlas()
        self._map: Map | None = None
        self._waiting_map: Map | None = None
        self._current: int | None = None
        self._color_by: str | None = None
        self._map_touched = False
        self._stale: frozenset[str] = frozenset()

    @property
    def atlas(self) -> Atlas:
        """The micrographs and what is known of them."""
        return self._atlas

    @property
    def map(self) -> Map | None:
        """What the map shows."""
        return self._map

    @property
    def waiting_map(self) -> Map | None:
        """A final map that waits because the user is at work on the preview."""
        return self._waiting_map

    @property
    def current(self) -> int | None:
        """The row that was clicked or is opened; not the selection."""
        return self._current

    @current.setter
    def current(self, row: int | None) -> None:
        if row is not None and not 0 <= row < len(self._atlas):
            raise IndexError(row)
        if row != self._current:
            self._current = row
            self.current_changed.emit(row)

    @property
    def color_by(self) -> str | None:
        """The column that colors the map."""
        return self._color_by

    @color_by.setter
    def color_by(self, column: str | None) -> None:
        if column is not None and column not in self._atlas.columns:
            raise Problem(f"There is no column “{column}”; there are: {', '.join(map(str, self._atlas.columns))}.")
        if column != self._color_by:
            self._color_by = column
            self._note_property()
            self.color_changed.emit(column)

    @property
    def colors_from(self) -> pd.Series[Any] | None:
        """Values that color the map, one a row."""
        return None if self._color_by is None else self._atlas.columns[self._color_by]

    @property
    def stale(self) -> frozenset[str]:
        """Ids of micrographs whose layer was edited since they were read: the map does not know it."""
        return self._stale

    def mark_stale(self, ids: Iterable[str]) -> None:
        """Say that the layers of these micrographs were edited."""
        stale = self._stale.union(ids)
        if stale != self._stale:
            self._stale = stale
            self.stale_changed.emit(stale)

    def take_atlas(self, atlas: Atlas, placed: Positions | None = None) -> None:
        """Hold another state of the collection; rows are renumbered where they changed.

        ``placed``, (n, 2), says where new ones lie on the map.
        """
        if atlas is self._atlas:
            return
        before, self._atlas = self._atlas, atlas
        moved = None
        if len(before) and not np.array_equal(before.ids, atlas.ids):
            moved = self._renumber(pd.Index(atlas.ids).get_indexer(pd.Index(before.ids)), placed)
        self.atlas_changed.emit(atlas)
        if moved is not None:
            moved()
        if self._color_by is not None and self._color_by not in atlas.columns:
            self.color_by = telling_column(atlas)

    def take_others(self, atlas: Atlas) -> None:
        """Hold another collection, of which nothing is selected and no map is shown."""
        self.selection.forget()
        self.property_seen = False
        self.current = None
        was_stale, self._stale = self._stale, frozenset()
        self._color_by = telling_column(atlas)
        self._map = None  # before the atlas, so that no view sees one beside the other
        self.take_atlas(atlas)
        self.show_none()
        self.color_changed.emit(self._color_by)
        if was_stale:
            self.stale_changed.emit(self._stale)

    # ------------------------------------------------------------------ the map

    def touch_map(self) -> None:
        """Say that the user zoomed or works on the shown map, so that nothing may move it by itself."""
        self._map_touched = True

    def show(self, new: Map, touched: bool = False) -> None:
        """Show a map; none waits any more."""
        self._map, self._map_touched = new, touched
        self._note_property()
        if self._waiting_map is not None:
            self._waiting_map = None
            self.waiting_map_changed.emit(None)
        self.map_changed.emit(new)

    def show_none(self) -> None:
        """Take the map away."""
        self._map, self._map_touched = None, False
        waited, self._waiting_map = self._waiting_map, None
        self.map_changed.emit(None)
        if waited is not None:
            self.waiting_map_changed.emit(None)

    def show_waiting_map(self) -> None:
        """Show the final map that waited."""
        if self._waiting_map is not None:
            self.show(self._waiting_map)

    def offer(self, new: Map) -> None:
        """Show a final map; nothing moves under a hand, so it waits while the user works on the shown one."""
        if self._in_hand:
            self._waiting_map = new
            self.waiting_map_changed.emit(new)
        else:
            self.show(new)

    def preview(self, positions: Positions) -> None:
        """Show positions (n, 2) until there is a final map; dots that the user works on stay where they are."""
        new, shown = Map(positions, "Preview (PCA)", preview=True), self._map
        if len(positions) != len(self._atlas) or (shown is not None and not shown.preview):
            return  # it never takes the place of a final map
        if shown is None or not self._in_hand or not new.moves(shown):
            self.show(new, touched=self._map_touched)

    @property
    def map_to_turn_to(self) -> Positions | None:
        """The map that a new one is to be turned like, (n, 2); a preview that nobody saw turns nothing."""
        shown = self._map
        if shown is None or len(shown.positions) != len(self._atlas) or (shown.preview and not len(self.map_changed)):
            return None
        return shown.positions

    # ------------------------------------------------------------------ within

    @property
    def _in_hand(self) -> bool:
        """Whether the user works on the shown map, so that nothing may move."""
        return self._map is not None and (self._map_touched or len(self.selection) > 0)

    def _note_property(self) -> None:
        if self._map is not None and self._color_by is not None:
            self.property_seen |= self._atlas.roles.get(self._color_by) == "property"

    def _renumber(self, where: NDArray[np.intp], placed: Positions | None = None) -> Callable[[], None]:
        """Let map, selection and current mean the same micrographs as before; the result tells the views.

        All is right before the first of them hears of it. ``placed``, (n, 2), says where new ones lie on the final map.
        """
        n = len(self._atlas)
        had_map, had_waiting, current = self._map, self._waiting_map, self._current
        final = had_waiting or (None if had_map is None or had_map.preview else had_map)
        self._map, self._waiting_map = (
            None if one is None else one.renumbered(where, n, placed if one is final else None)
            for one in (had_map, had_waiting)
        )
        self._current = None if current is None or where[current] < 0 else int(where[current])
        selected = self.selection.renumber(where)

        def tell() -> None:
            if had_map is not None:
                self.map_changed.emit(self._map)
            if had_waiting is not None:
                self.waiting_map_changed.emit(self._waiting_map)
            if selected:
                self.selection.changed.emit(self.selection.rows)
            if self._current != current:
                self.current_changed.emit(self._current)

        return tell
