"""Scales that a user gives: typed bars, drawn lines, columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.corrections import BY_BAR, BY_LINE, BY_TABLE
from napari_micromap.microscopy.bar import BY_USER
from napari_micromap.problems import Problem
from napari_micromap.scaling import (
    LEAST,
    MOST,
    BarGroups,
    Meaning,
    depends_on_scale,
    in_um,
    read_bars,
    rows_scaled_alike,
    rows_without_scale,
    sizes_from_column,
)
from napari_micromap.session.history import Undoable
from napari_micromap.work import Progress

if TYPE_CHECKING:
    from napari_micromap.session.model import Session

Scale: TypeAlias = tuple[float, str | None]  # µm per px, NaN where unknown, and where it is from


class Scales(Undoable[Mapping[str, Scale]]):
    """Gives micrographs a scale where no header does; each step can be undone."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def give(self, rows: ArrayLike, um_per_px: ArrayLike, scale_from: str = BY_USER) -> None:
        """Say how large a pixel of some micrographs is.

        Parameters
        ----------
        rows : (k,) int
        um_per_px : float or (k,) float
            Micrometers; NaN takes a scale away.
        scale_from : str
            Where it is from: the column of that name says it.
        """
        atlas = self._session.atlas
        chosen: Rows = np.atleast_1d(np.asarray(rows, np.intp))
        sizes = np.broadcast_to(np.asarray(um_per_px, float), chosen.shape)
        known = np.isfinite(sizes)
        if not ((sizes[known] >= LEAST) & (sizes[known] <= MOST)).all():
            raise Problem("Pixels of this size are beyond any microscope; look at the number and its unit again.")
        ids = [str(id_) for id_ in atlas.ids[chosen]]
        before_sizes = atlas.um_per_px[chosen]
        origins = atlas.columns["scale_from"].tolist() if "scale_from" in atlas.columns else [None] * len(atlas)
        before = {i: (float(s), origins[row]) for i, s, row in zip(ids, before_sizes, chosen.tolist(), strict=True)}
        after = {i: (float(s), scale_from if np.isfinite(s) else "") for i, s in zip(ids, sizes, strict=True)}
        if len(chosen) and any(not _same(before[i], after[i]) for i in ids):
            self._note_step(before, after)
            self._session.history.note(self)
            self._put(after)

    def by_bar(self, rows: ArrayLike, pixels: ArrayLike, length: float, unit: str = "µm") -> None:
        """Say what a burnt-in scale bar says: its line is so many pixels long, and means this length."""
        self.give(rows, in_um(length, unit) / np.asarray(pixels, float), BY_BAR)

    def by_line(self, row: int, pixels: float, length: float, unit: str = "µm", whole_kind: bool = False) -> None:
        """Say how long a line is that was drawn on a micrograph; it may speak for all of its kind."""
        if not pixels >= 2:
            raise Problem("The line is too short to measure by; draw one along the scale bar.")
        rows = rows_scaled_alike(self._session.atlas, row) if whole_kind else np.array([row], np.intp)
        self.give(rows, in_um(length, unit) / pixels, BY_LINE)

    def by_column(self, column: str, meaning: Meaning = "µm per px", rows: ArrayLike | None = None) -> None:
        """Take scales from a column; micrographs without a number there keep what they have.

        Parameters
        ----------
        column : str
        meaning : "µm per px", "nm per px", "field width in µm", "… in mm" or "… in nm"
            What its numbers are.
        rows : optional
            Only these.
        """
        sizes = sizes_from_column(self._session.atlas, column, meaning)
        told = np.flatnonzero(np.isfinite(sizes))
        chosen = told if rows is None else np.intersect1d(told, np.asarray(rows, np.intp))
        self.give(chosen, sizes[chosen], BY_TABLE)

    def look_for_bars(
        self,
        done: Callable[[BarGroups], object],
        progress: Callable[[Progress], object],
        rows: ArrayLike | None = None,
        wanted_still: Callable[[], bool] = lambda: True,
    ) -> None:
        """Look for burnt-in scale bars on rows, or on all without a scale, and group those that are the same.

        It ends early, with what is found so far, when it is not wanted any more.
        """
        atlas = self._session.atlas
        wanted: Rows = rows_without_scale(atlas) if rows is None else np.asarray(rows, np.intp)
        self._session.run(lambda: read_bars(atlas, wanted, wanted_still), lane="scales", done=done, progress=progress)

    # ------------------------------------------------------------------ within

    def _put(self, state: Mapping[str, Scale]) -> None:
        atlas = self._session.atlas
        rows = atlas.rows_of(list(state))
        said = [state[str(id_)] for id_ in atlas.ids[rows]]
        scaled = atlas.with_scale(rows, np.array([size for size, _ in said]), [origin for _, origin in said])
        stale = depends_on_scale(atlas) and not np.array_equal(scaled.um_per_px, atlas.um_per_px, equal_nan=True)
        self._session.take_atlas(scaled.with_embeddings(None, {}) if stale else scaled)
        if stale:
            self._session.let_map_go()

    def forget(self) -> None:
        """Start anew, with no step to undo."""
        self._forget_steps()


def rows_to_look_at(atlas: Atlas) -> Rows:
    """Return the rows whose burnt-in bars say something new: without a scale, or with one that was typed."""
    typed = atlas.columns["scale_from"].isin([BY_BAR]).to_numpy(bool) if "scale_from" in atlas.columns else False
    return np.flatnonzero(np.isnan(atlas.um_per_px) | typed).astype(np.intp)


def _same(one: Scale, other: Scale) -> bool:
    return one[1] == other[1] and bool(np.isclose(one[0], other[0], rtol=1e-12, atol=0, equal_nan=True))
