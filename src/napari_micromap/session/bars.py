"""Data bars that a user corrected."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from napari_micromap.microscopy.cropping import Side, side_of
from napari_micromap.problems import Problem

if TYPE_CHECKING:
    from napari_micromap.session.model import Session


class DataBars:
    """Says how thick data bars are where header and pixels are wrong."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._corrected: dict[str, int] = {}

    @property
    def corrected(self) -> Mapping[str, int]:
        """How thick data bars are that the user corrected, by micrograph; the atlas says on which side."""
        return MappingProxyType(self._corrected)

    def correct(self, rows: ArrayLike, bar_rows: int, side: Side = "bottom") -> None:
        """Correct the data bar of some micrographs; a map that was made with the wrong one goes.

        Parameters
        ----------
        rows : (k,) int
        bar_rows : int
            Pixels from the side inwards; 0 for none.
        side : "bottom", "top", "left" or "right"
        """
        chosen: Any = np.asarray(rows, np.intp)
        atlas = self._session.atlas
        columns = atlas.columns.iloc[chosen]
        along = "width" if side in ("left", "right") else "height"
        if bar_rows < 0 or (bar_rows >= columns[along].to_numpy(float, na_value=np.inf)).any():
            raise Problem(f"A data bar of {bar_rows} rows leaves nothing of the image; give a smaller number.")
        elsewhere = columns["bar_side"].map(side_of) != side if bar_rows and "bar_side" in columns else False
        if ((columns["bar_rows"] != bar_rows) | elsewhere).any():
            self.note(dict.fromkeys(map(str, atlas.ids[chosen]), int(bar_rows)))
            self._session.take_atlas(atlas.with_bar_rows(chosen, bar_rows, side))
            self._session.let_map_go()

    def note(self, corrected: Mapping[str, int]) -> None:
        """Remember corrections that the atlas has already, by micrograph."""
        self._corrected.update(corrected)

    def state(self) -> dict[str, int]:
        """Return the corrections, ready for JSON."""
        return dict(self._corrected)

    def restore(self, state: object) -> None:
        """Take over what :meth:`state` gave; what does not fit is left out."""
        told = state if isinstance(state, dict) else {}
        self._corrected = {str(id_): int(rows) for id_, rows in told.items() if isinstance(rows, int)}

    def forget(self) -> None:
        """Start anew, with nothing corrected."""
        self._corrected = {}
