"""A session as it is at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Positions, Rows
from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.session.named import Named
from napari_micromap.store.thumbnails import Thumbnails


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What is shared of a session; it stays as it is while the user goes on, so work on it can run beside a window.

    Parameters
    ----------
    atlas : Atlas
    positions : (n, 2) float32
        Of the map as it is shown.
    title : str
        Of the map: "UMAP".
    color_by : str or None
    selected : rows
    shown : (n,) bool
        What the filters keep.
    reasons : mapping of row to str
        The excluded micrographs that the filters keep, and why they are left out.
    filters : tuple of str
        In words, as on their chips.
    after_property : int
        How many of the excluded were left out after a property had been shown.
    named : tuple of Named
    state : mapping
        What a saved session keeps beside the atlas.
    thumbnails : Thumbnails
    """

    atlas: Atlas
    positions: Positions
    title: str
    color_by: str | None
    selected: Rows
    shown: NDArray[np.bool_]
    reasons: Mapping[int, str]
    filters: tuple[str, ...]
    after_property: int
    named: tuple[Named, ...]
    state: Mapping[str, Any]
    thumbnails: Thumbnails

    @classmethod
    def of(cls, session: Session) -> Snapshot:
        """Look at a session that has a map."""
        if session.map is None:
            raise Problem("Make the map first; then there is something to share.")
        atlas, shown = session.atlas, session.shown
        rows = {str(id_): row for row, id_ in enumerate(atlas.ids.tolist())}
        reasons = {rows[i]: e.reason for i, e in session.scope.exclusions.items() if i in rows and shown[rows[i]]}
        return cls(
            atlas=atlas,
            positions=session.map.positions,
            title=session.map.title,
            color_by=session.color_by,
            selected=session.selection.rows,
            shown=np.array(shown, bool),
            reasons=dict(sorted(reasons.items())),
            filters=tuple(one.label for one in session.scope.filters),
            after_property=session.scope.after_property(atlas),
            named=tuple(session.named),
            state=session.saving.state(),
            thumbnails=session.workshop.thumbnails,
        )

    @property
    def rows(self) -> Rows:
        """Rows that stand on the map: kept by the filters, and placed."""
        placed = np.isfinite(self.positions).all(axis=1)
        return np.flatnonzero(self.shown & placed).astype(np.intp)

    @property
    def used(self) -> Rows:
        """Rows that take part: kept by the filters and not excluded."""
        used = self.shown.copy()
        used[list(self.reasons)] = False
        return np.flatnonzero(used).astype(np.intp)
