"""The evented model: everything a user has open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from psygnal import Signal

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas, Positions
from napari_micromap.microscopy.cropping import Side
from napari_micromap.recipe import Recipe
from napari_micromap.session.catching_up import caught_up
from napari_micromap.session.groups import Groups
from napari_micromap.session.maps import Map
from napari_micromap.session.outlines import Outlines
from napari_micromap.session.questions import Questions
from napari_micromap.session.running import AtOnce, Runner
from napari_micromap.session.saving import Mark, Saving
from napari_micromap.session.scales import Scales
from napari_micromap.session.tables import Tables
from napari_micromap.session.where import Where
from napari_micromap.tables import telling_column
from napari_micromap.work import Progress

if TYPE_CHECKING:
    from napari_micromap.backbones import Backbone
    from napari_micromap.layouts import Layout
    from napari_micromap.sources import Source


class Session(Saving):
    """Everything a user has open: the atlas, the shown map, selection, current micrograph, color.

    Every button of the dock is one verb of this class or of one of its parts: ``tables``, ``scales``, ``questions``
    (about a property), ``groups`` (what differs), ``selection``, ``scope``, ``named``, ``where``, ``outlines``. In a
    script each verb returns when it is done; in napari they queue up behind one another, off the window's thread.

    Parameters
    ----------
    run : Runner
        Who drives the work.
    cache : Path, optional
        Where embeddings and thumbnails are kept; the user's cache folder if left out.
    """

    atlas_changed = Signal(object)  # Atlas
    map_changed = Signal(object)  # Map | None: what is to be shown now
    waiting_map_changed = Signal(object)  # Map | None: a final map that waits until the user wants it
    current_changed = Signal(object)  # int | None
    opened = Signal(int)  # a row that is to be shown at full resolution (a double click)
    progressed = Signal(object)  # Progress | None of the build lane
    stale_changed = Signal(object)  # frozenset[str]: see `stale`
    warned = Signal(str)  # what users should know of files: what is missing or damaged, what belongs to nothing

    def __init__(self, run: Runner | None = None, cache: Path | None = None) -> None:
        super().__init__()
        self.run: Runner = run if run is not None else AtOnce()
        self.workshop = pipeline.Workshop(cache)
        self.tables, self.scales = Tables(self), Scales(self)
        self.questions, self.groups = Questions(self), Groups(self)
        self.where = Where(self)
        self.outlines = Outlines(self)
        self._map: Map | None = None
        self._waiting_map: Map | None = None
        self._current: int | None = None
        self._map_touched = False
        self._stale: frozenset[str] = frozenset()

    # ------------------------------------------------------------------ state

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
    def stale(self) -> frozenset[str]:
        """Ids of micrographs whose layer was edited since they were read: the map does not know it."""
        return self._stale

    def mark_stale(self, ids: Iterable[str]) -> None:
        """Say that the layers of these micrographs were edited."""
        stale = self._stale.union(ids)
        if stale != self._stale:
            self._stale = stale
            self.stale_changed.emit(stale)

    def touch_map(self) -> None:
        """Say that the user zoomed or works on the shown map, so that nothing may move it by itself."""
        self._map_touched = True

    # ------------------------------------------------------------------ verbs

    def open(self, source: Source) -> None:
        """Gather micrographs and start anew with them."""

        def done(atlas: Atlas) -> None:
            self._start_anew(atlas)
            self._source = source

        self.build(lambda: pipeline.gather(source), done)

    def open_atlas(self, atlas: Atlas, title: str = "Map") -> None:
        """Start anew with micrographs that are gathered already; shows their map under this title if they have one."""
        self._start_anew(atlas)
        if atlas.positions is not None:
            self._show(Map(atlas.positions, title))

    def download(self, backbone: Backbone) -> None:
        """Download the weights of a backbone; whoever calls this has asked the user."""
        self.build(lambda: pipeline.download(backbone), lambda _: None)

    def embed(
        self,
        backbone: Backbone | None = None,
        recipe: Recipe | None = None,
        device: str = "auto",
        verify: bool = False,
    ) -> None:
        """Embed the micrographs; a preview of the map shows as soon as there are a few.

        With ``verify`` every file is read again, also those that seem not to have changed.
        """
        self.build(
            lambda: pipeline.embed(self._atlas, backbone, recipe or Recipe(), self.workshop, device, verify),
            self._was_built,
        )

    def take_embeddings(self, path: Path | str) -> None:
        """Take embeddings made elsewhere in place of a backbone's: ``.npy`` in order, or a table with file names."""

        def done(taken: tuple[Atlas, str]) -> None:
            self._was_built(taken[0])
            self.warned.emit(taken[1])

        self.build(lambda: pipeline.take_embeddings(self._atlas, Path(path)), done)

    def take_positions(self, path: Path | str) -> None:
        """Take a map made elsewhere: ``.npy`` (n, 2) in order, or a table with file names, x and y."""

        def done(taken: tuple[Atlas, str, str]) -> None:
            self._laid_out(taken[:2])
            self.warned.emit(taken[2])

        self.build(lambda: pipeline.take_positions(self._atlas, Path(path)), done)

    def fit(self) -> None:
        """Compare the micrographs; the map needs it, and makes up for it where it was left out."""
        self.build(lambda: pipeline.fit(self._atlas), self._was_built)

    def lay_out(self, layout: Layout | None = None, at_once: bool = False) -> None:
        """Make the map; UMAP, or PCA where there are fewer than 30 micrographs, if none is named.

        It waits for :meth:`show_waiting_map` where the user is at work on the map that is shown, but for ``at_once``.
        """

        def done(built: tuple[Atlas, str]) -> None:
            self._laid_out(built)
            if at_once:
                self.show_waiting_map()

        self.build(lambda: pipeline.lay_out(self._atlas, layout, self.workshop, self.used, self._like()), done)

    def make_map(
        self, backbone: Backbone | None = None, recipe: Recipe | None = None, layout: Layout | None = None
    ) -> None:
        """Embed the micrographs and lay them out."""
        if layout is None or layout.holds_gil:
            self.workshop.warm()
        self.embed(backbone, recipe)
        self.lay_out(layout)

    def show_waiting_map(self) -> None:
        """Show the final map that waited."""
        if self._waiting_map is not None:
            self._show(self._waiting_map)

    def set_bar_rows(self, rows: ArrayLike, bar_rows: int, side: Side = "bottom") -> None:
        """Correct the data bar of some micrographs, 0 for none; a map that was made with the wrong one goes."""
        before = self._atlas
        super().set_bar_rows(rows, bar_rows, side)
        if self._atlas is not before:
            self.let_map_go()

    def open_micrograph(self, row: int) -> None:
        """Make a micrograph current and ask for it at full resolution."""
        self.current = row
        self.opened.emit(row)

    def cancel(self) -> None:
        """Stop what is being built; what is done stays."""
        self.run.cancel("build")
        self.progressed.emit(None)

    # ------------------------------------------------------------------ for its parts

    def build(self, start: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Queue work on the collection in the lane *build*; ``done`` gets what came of it."""

        def finished(result: Any) -> None:
            done(result)
            self.progressed.emit(None)

        self.run(start, lane="build", done=finished, progress=self._on_progress)

    def take_atlas(self, atlas: Atlas, placed: Positions | None = None) -> None:
        """Let the session hold another state of its collection; rows are renumbered where they changed.

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

    def let_map_go(self) -> None:
        """Take the map away, and stop what is being made: it is made with what turned out to be wrong."""
        self.cancel()
        self._show_none()

    # ------------------------------------------------------------------ within

    def _note_property(self) -> None:
        """Remember that a property has colored a map: exclusions from now on may have followed it."""
        if self._map is not None and self._color_by is not None:
            self._property_seen |= self._atlas.roles.get(self._color_by) == "property"

    def _on_progress(self, progress: Progress) -> None:
        if isinstance(progress.partial, pipeline.Preview):
            self._preview(progress.partial.positions)
        self.progressed.emit(progress)

    def _preview(self, positions: Positions) -> None:
        new, shown = Map(positions, "Preview (PCA)", preview=True), self._map
        if len(positions) != len(self._atlas) or (shown is not None and not shown.preview):
            return  # it never takes the place of a final map
        if shown is None or not self._in_hand or not new.moves(shown):
            self._show(new, touched=self._map_touched)

    @property
    def _in_hand(self) -> bool:
        """Whether the user works on the shown map, so that nothing may move."""
        return self._map is not None and (self._map_touched or len(self.selection) > 0)

    def _start_anew(self, atlas: Atlas) -> None:
        self.where.hide()
        self.outlines.hide()
        self._forget_marks()
        for part in (self.tables, self.scales, self.questions, self.groups):
            part.forget()
        self.images_missing = False
        self.current = None
        was_stale, self._stale = self._stale, frozenset()
        was_saved, self.saved_as = self.saved_as, None
        was_fresh, self._fresh, self._source = self._fresh, frozenset[str](), None
        self._wholes = None
        self._color_by = telling_column(atlas)
        self._map = None  # before the atlas, so that no view sees one beside the other
        self.take_atlas(atlas)
        self._show_none()
        self.color_changed.emit(self._color_by)
        self._mark = Mark(atlas, self.state(), saved=False)
        if was_fresh:
            self.fresh_changed.emit(self._fresh)
        if was_stale:
            self.stale_changed.emit(self._stale)
        if was_saved is not None:
            self.saved_changed.emit(None)

    def _was_built(self, built: Atlas) -> None:
        atlas = caught_up(built, self._atlas)
        if atlas is not None:
            self.take_atlas(atlas)

    def _laid_out(self, atlas_and_title: tuple[Atlas, str]) -> None:
        built, title = atlas_and_title
        atlas = caught_up(built, self._atlas)
        if atlas is None or atlas.positions is None:
            return
        self.take_atlas(atlas)
        self._set_fresh(())
        new = Map(atlas.positions, title)
        # Nothing moves under a hand: a map that is being worked on stays until the user asks for the new one.
        if self._in_hand:
            self._waiting_map = new
            self.waiting_map_changed.emit(new)
        else:
            self._show(new)

    def _show(self, new: Map, touched: bool = False) -> None:
        self._map = new
        self._map_touched = touched
        self._note_property()
        if self._waiting_map is not None:
            self._waiting_map = None
            self.waiting_map_changed.emit(None)
        self.map_changed.emit(new)

    def _show_none(self) -> None:
        """Take the map away."""
        self._map, self._map_touched = None, False
        waited, self._waiting_map = self._waiting_map, None
        self.map_changed.emit(None)
        if waited is not None:
            self.waiting_map_changed.emit(None)
