"""The evented model: everything a user has open, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_micromap import pipeline
from napari_micromap.atlas import Atlas, Role, Rows
from napari_micromap.neighbors import nearest_among
from napari_micromap.problems import Problem
from napari_micromap.recipe import Recipe
from napari_micromap.session import tags
from napari_micromap.session.bars import DataBars
from napari_micromap.session.catching_up import caught_up
from napari_micromap.session.groups import Groups
from napari_micromap.session.growing import Growing
from napari_micromap.session.history import History
from napari_micromap.session.maps import Map
from napari_micromap.session.named import How, Named, NamedSelections, combined, with_named_columns
from napari_micromap.session.outlines import Outlines
from napari_micromap.session.questions import Questions
from napari_micromap.session.running import AtOnce, Runner
from napari_micromap.session.saving import Saving
from napari_micromap.session.scales import Scales
from napari_micromap.session.scope import Filter, Scope, rows_as_ids
from napari_micromap.session.state import State
from napari_micromap.session.tables import Tables
from napari_micromap.session.where import Where
from napari_micromap.session.windows import CutWindows
from napari_micromap.store.rows import write_rows
from napari_micromap.tables.names import with_pieces, with_sample
from napari_micromap.work import Progress

if TYPE_CHECKING:
    from napari_micromap.backbones import Backbone
    from napari_micromap.layouts import Layout
    from napari_micromap.sources import Source


class Session(State):
    """Everything a user has open: the atlas, the shown map, selection, current micrograph, color.

    Every button of the dock is one verb of this class or of one of its parts: ``tables``, ``scales``, ``bars``,
    ``windows``, ``growing``, ``saving``, ``questions`` (about a property), ``groups`` (what differs), ``selection``,
    ``scope``, ``named``, ``where``, ``outlines``. In a script each verb returns when it is done; in napari they queue
    up behind one another, off the window's thread.

    Parameters
    ----------
    run : Runner
        Who drives the work.
    cache : Path, optional
        Where embeddings and thumbnails are kept; the user's cache folder if left out.
    """

    opened = Signal(int)  # a row that is to be shown at full resolution (a double click)
    progressed = Signal(object)  # Progress | None of the build lane
    warned = Signal(str)  # what users should know of files: what is missing or damaged, what belongs to nothing
    cleared = Signal(object)  # store.room.Kept: what is left on disk

    def __init__(self, run: Runner | None = None, cache: Path | None = None) -> None:
        super().__init__()
        self.run: Runner = run if run is not None else AtOnce()
        self.workshop = pipeline.Workshop(cache)
        self.scope, self.named, self.history = Scope(), NamedSelections(), History()
        self.tables, self.scales = Tables(self), Scales(self)
        self.bars, self.windows = DataBars(self), CutWindows(self)
        self.questions, self.groups = Questions(self), Groups(self)
        self.where, self.outlines = Where(self), Outlines(self)
        self.growing, self.saving = Growing(self), Saving(self)
        self._source: Source | None = None
        self._named_columns: frozenset[str] = frozenset()
        self.selection.stepped.connect(lambda: self.history.note(self.selection))
        self.scope.stepped.connect(self._on_scope_step)
        self.named.changed.connect(self._show_named_columns)

    @property
    def source(self) -> Source | None:
        """Where the micrographs come from, if that can be looked through again."""
        return self._source

    # ------------------------------------------------------------------ open, make a map, save

    def open(self, source: Source) -> None:
        """Gather micrographs and start anew with them."""
        self.build(lambda: pipeline.gather(source), lambda atlas: self.start_anew(atlas, source))

    def open_atlas(self, atlas: Atlas, title: str = "Map") -> None:
        """Start anew with micrographs that are gathered already; shows their map under this title if they have one."""
        self.start_anew(atlas)
        if atlas.positions is not None:
            self.show(Map(atlas.positions, title))

    def restore(self, folder: Path | str) -> None:
        """Open a saved session folder, or its open.micromap."""
        self.saving.restore(folder)

    def save(self, folder: Path | str | None = None) -> None:
        """Save all as a folder NAME.micromap, where it was saved before if none is named."""
        self.saving.save(folder)

    def grow(self, source: Source | None = None) -> None:
        """Take in what is new in the source, or in another one; what is on the map does not move."""
        self.growing.grow(source)

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
        self.build(lambda: pipeline.fit(self._atlas, self.workshop), self._was_built)

    def lay_out(self, layout: Layout | None = None, at_once: bool = False) -> None:
        """Make the map; UMAP, or PCA where there are fewer than 30 micrographs, if none is named.

        It waits for :meth:`show_waiting_map` where the user is at work on the map that is shown, but for ``at_once``.
        """

        def done(built: tuple[Atlas, str]) -> None:
            self._laid_out(built)
            if at_once:
                self.show_waiting_map()

        self.build(lambda: pipeline.lay_out(self._atlas, layout, self.workshop, self.used, self.map_to_turn_to), done)

    def make_map(
        self, backbone: Backbone | None = None, recipe: Recipe | None = None, layout: Layout | None = None
    ) -> None:
        """Embed the micrographs and lay them out."""
        if layout is None or layout.holds_gil:
            self.workshop.warm()
        self.embed(backbone, recipe)
        self.lay_out(layout)

    def clear_kept(self) -> None:
        """Let go of the embeddings and thumbnails in the cache folder; they are made again when needed."""
        self.build(lambda: pipeline.clear_kept(self.workshop), self.cleared.emit)

    def open_micrograph(self, row: int) -> None:
        """Make a micrograph current and ask for it at full resolution."""
        self.current = row
        self.opened.emit(row)

    def cancel(self) -> None:
        """Stop what is being built; what is done stays."""
        self.run.cancel("build")
        self.progressed.emit(None)

    # ------------------------------------------------------------------ who takes part

    @property
    def shown(self) -> NDArray[np.bool_]:
        """(n,) True for micrographs that the filters keep."""
        return self.scope.shown(self._atlas)

    @property
    def used(self) -> Rows:
        """Rows that take part in layout and tests: kept by the filters and not excluded."""
        return self.scope.used(self._atlas)

    @property
    def map_is_of_others(self) -> bool:
        """Whether filters or exclusions changed since the map was made, so that making it again would tell more."""
        if self._atlas.positions is None:
            return False
        fitted = self._atlas.fitted_to
        return not np.array_equal(np.arange(len(self._atlas)) if fitted is None else fitted, self.used)

    def use_only(self, wanted: Filter) -> None:
        """Restrict map, gallery, counts and tests to what a filter keeps."""
        self.scope.use_only(wanted)

    def exclude(self, rows: ArrayLike, reason: str) -> None:
        """Leave micrographs out of layout and tests, with a reason; they stay on the map, crossed out."""
        self.scope.exclude(rows_as_ids(self._atlas, rows), reason, self.property_seen)

    def include(self, rows: ArrayLike) -> None:
        """Take excluded micrographs back."""
        self.scope.include(rows_as_ids(self._atlas, rows))

    def undo(self) -> None:
        """Take back the last change of selection, filters or exclusions, whichever was later."""
        self.history.undo()

    def redo(self) -> None:
        """Let come again what was taken back last."""
        self.history.redo()

    # ------------------------------------------------------------------ named selections

    def name_selection(self, name: str, rows: ArrayLike | None = None, color: str = "") -> Named:
        """Keep rows, or the selected ones, under a name."""
        chosen = self.selection.rows if rows is None else rows
        ids = rows_as_ids(self._atlas, chosen)
        if not ids:
            raise Problem("Select some images first; then they can be kept under a name.")
        return self.named.keep(name, ids, color)

    def select_named(self, name: str, how: How | None = None) -> None:
        """Select what is kept under a name; or combine what is selected with it: in both, in either, not in it."""
        rows = self.named[name].rows(self._atlas)
        rows = rows[self.shown[rows]]
        self.selection.replace(rows if how is None else combined(self.selection.rows, how, rows))

    def select_similar(self, row: int, count: int = 12, other_samples: bool = False) -> None:
        """Select a micrograph and those most like it, of what takes part; on demand only from other samples."""
        if self._atlas.features is None:
            raise Problem("Make the map first; it compares the images.")
        wanted = self.used[self.used != row]
        samples = self._atlas.samples
        if other_samples and samples is not None and samples.notna().iat[row]:
            wanted = wanted[(samples.iloc[wanted] != samples.iat[row]).to_numpy(bool)]
        features = self._atlas.features
        near = nearest_among(features[row : row + 1], features[wanted], count).rows[0]
        self.selection.replace(np.append(wanted[near], row))

    def select_others(self) -> None:
        """Select all that is shown and was not selected."""
        self.selection.replace(np.setdiff1d(np.flatnonzero(self.shown), self.selection.rows))

    def export_rows(self, path: Path | str, rows: ArrayLike | None = None) -> None:
        """Write paths and columns of rows, or of the selected ones, as CSV; it says also which names hold them."""
        chosen: Any = self.selection.rows if rows is None else np.asarray(rows, np.intp)
        columns = self._atlas.columns.assign(**{one.column: one.values(self._atlas) for one in self.named})
        write_rows(Path(path), self._atlas, columns, chosen)

    # ------------------------------------------------------------------ columns, tags

    @property
    def sample_column(self) -> str | None:
        """The column that says which specimen a micrograph shows; a piece of the name becomes one when it is set."""
        return self._atlas.sample_column

    @sample_column.setter
    def sample_column(self, name: str | None) -> None:
        if name != self._atlas.sample_column:
            self._take_sample(with_sample(self._atlas, name))

    def sample_from_name(self, piece: str) -> None:
        """Take a piece of the file names as the sample; the other pieces become columns."""
        self._take_sample(with_pieces(self._atlas, piece))

    def _take_sample(self, atlas: Atlas) -> None:
        before, after = self._atlas.sample_column, atlas.sample_column
        self.take_atlas(atlas)
        if after not in (before, None) and self._color_by == before:
            self.color_by = after

    def tag(self, rows: ArrayLike, tag: str, whole_sample: bool = False) -> None:
        """Put a tag on micrographs, or on all of their samples."""
        self.take_atlas(tags.with_tag(self._atlas, self._of_sample(rows, whole_sample), tag))

    def untag(self, rows: ArrayLike, tag: str, whole_sample: bool = False) -> None:
        """Take a tag off micrographs, or off all of their samples."""
        self.take_atlas(tags.without_tag(self._atlas, self._of_sample(rows, whole_sample), tag))

    def note(self, rows: ArrayLike, text: str, whole_sample: bool = False) -> None:
        """Write a note on micrographs, or on all of their samples; an empty one takes it away."""
        self.take_atlas(tags.with_note(self._atlas, self._of_sample(rows, whole_sample), text))

    def _of_sample(self, rows: ArrayLike, whole: bool) -> Rows:
        return tags.rows_of_sample(self._atlas, rows) if whole else np.asarray(rows, np.intp)

    def set_role(self, column: str, role: Role) -> None:
        """Say what a column is about; only one column is the sample."""
        atlas = self._atlas
        if column not in atlas.columns:
            raise Problem(f"There is no column “{column}”; there are: {', '.join(map(str, atlas.columns))}.")
        if role not in get_args(Role):
            raise Problem(f"“{role}” is no role; there are: {', '.join(get_args(Role))}.")
        if role == "sample":
            self._take_sample(atlas.with_sample_column(column))
        elif atlas.roles.get(column) != role:
            self.take_atlas(atlas.with_columns(atlas.columns, {column: role}))

    # ------------------------------------------------------------------ for its parts

    def build(self, start: Callable[[], Any], done: Callable[[Any], object]) -> None:
        """Queue work on the collection in the lane *build*; ``done`` gets what came of it."""

        def finished(result: Any) -> None:
            done(result)
            self.progressed.emit(None)

        self.run(start, lane="build", done=finished, progress=self._on_progress)

    def start_anew(self, atlas: Atlas, source: Source | None = None) -> None:
        """Have other micrographs open, with nothing said of them; ``source`` is where they come from."""
        self.where.hide()
        self.outlines.hide()
        self.scope.forget()
        self._named_columns = frozenset()
        self.named.forget()
        for part in (self.tables, self.scales, self.bars, self.windows, self.questions, self.groups):
            part.forget()
        self.growing.forget()
        self.saving.forget()
        self.history.forget()
        self._source = source
        self.take_others(atlas)
        self.saving.begin()

    def let_map_go(self) -> None:
        """Take the map away, and stop what is being made: it is made with what turned out to be wrong."""
        self.cancel()
        self.show_none()

    # ------------------------------------------------------------------ within

    def _on_progress(self, progress: Progress) -> None:
        if isinstance(progress.partial, pipeline.Preview):
            self.preview(progress.partial.positions)
        self.progressed.emit(progress)

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
        self.growing.set_fresh(())
        self.offer(Map(atlas.positions, title))

    def _on_scope_step(self) -> None:
        # What a filter hides cannot stay selected: counts and tests would speak of images that nobody sees. It is one
        # wish with the filter, so one undo brings both back.
        begun = len(self.history)
        self.history.note(self.scope)
        self.selection.apply(np.flatnonzero(~self.shown), "remove")
        self.history.unite(begun)

    def _show_named_columns(self) -> None:
        atlas, self._named_columns = with_named_columns(self._atlas, self.named, self._named_columns)
        self.take_atlas(atlas)
