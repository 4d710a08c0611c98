"""What a user says of micrographs: who takes part, names, tags, roles, data bars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_micromap.atlas import Atlas, Positions, Role, Rows, empty_atlas
from napari_micromap.microscopy.cropping import Side, side_of
from napari_micromap.neighbors import nearest_among
from napari_micromap.problems import Problem
from napari_micromap.session import tags
from napari_micromap.session.history import History
from napari_micromap.session.named import How, Named, NamedSelections, combined
from napari_micromap.session.scope import Filter, Scope, rows_as_ids
from napari_micromap.session.selection import Selection
from napari_micromap.store.rows import write_rows
from napari_micromap.tables.names import with_pieces, with_sample


class Marking:
    """The verbs by which a user says something of micrographs; none of them computes."""

    color_changed = Signal(object)  # str | None

    def __init__(self) -> None:
        self.selection = Selection()
        self.scope = Scope()
        self.named = NamedSelections()
        self.history = History()
        self._property_seen = False
        self._bars: dict[str, int] = {}
        self._color_by: str | None = None
        self._atlas = empty_atlas()
        self._named_columns: frozenset[str] = frozenset()
        self.selection.stepped.connect(lambda: self.history.note(self.selection))
        self.scope.stepped.connect(self._on_scope_step)
        self.named.changed.connect(self._show_named_columns)

    def take_atlas(self, atlas: Atlas, placed: Positions | None = None) -> None:
        """Hold another state of the collection; the session does."""
        raise NotImplementedError

    def _note_property(self) -> None:
        raise NotImplementedError

    def _forget_marks(self) -> None:
        """Start anew, with nothing said of anything."""
        self.selection.forget()
        self.scope.forget()
        self._named_columns = frozenset()
        self.named.forget()
        self.history.forget()
        self._property_seen = False
        self._bars = {}

    # ------------------------------------------------------------------ color and sample

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
        self.scope.exclude(rows_as_ids(self._atlas, rows), reason, self._property_seen)

    def include(self, rows: ArrayLike) -> None:
        """Take excluded micrographs back."""
        self.scope.include(rows_as_ids(self._atlas, rows))

    def undo(self) -> None:
        """Take back the last change of selection, filters or exclusions, whichever was later."""
        self.history.undo()

    def redo(self) -> None:
        """Let come again what was taken back last."""
        self.history.redo()

    def _on_scope_step(self) -> None:
        # What a filter hides cannot stay selected: counts and tests would speak of images that nobody sees. It is one
        # wish with the filter, so one undo brings both back.
        begun = len(self.history)
        self.history.note(self.scope)
        self.selection.apply(np.flatnonzero(~self.shown), "remove")
        self.history.unite(begun)

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

    def _show_named_columns(self) -> None:
        """Let the columns of named selections say what these are now."""
        # A column of a user's table stays, whatever it is called.
        asked = [one for one in self.named if one.as_column and one.column not in self._atlas.tables]
        wanted = {one.column: one.values(self._atlas) for one in asked}
        before = self._atlas.columns
        gone = [name for name in self._named_columns - wanted.keys() if name in before]
        new = {name: v for name, v in wanted.items() if name not in before or not v.equals(before[name].astype(object))}
        self._named_columns = frozenset(wanted)
        if gone or new:
            kept = before.drop(columns=[*gone, *(name for name in new if name in before)])
            columns = pd.concat([kept, pd.DataFrame(new, index=kept.index)], axis=1)
            self.take_atlas(self._atlas.with_columns(columns, dict.fromkeys(new, "other")))

    # ------------------------------------------------------------------ tags, roles, data bars

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

    @property
    def corrected_bars(self) -> Mapping[str, int]:
        """How thick data bars are that the user corrected, by micrograph; the atlas says on which side."""
        return MappingProxyType(self._bars)

    def set_bar_rows(self, rows: ArrayLike, bar_rows: int, side: Side = "bottom") -> None:
        """Correct the data bar of some micrographs, 0 for none; a map that was made with the wrong one goes."""
        chosen: Any = np.asarray(rows, np.intp)
        along = "width" if side in ("left", "right") else "height"
        columns = self._atlas.columns.iloc[chosen]
        if bar_rows < 0 or (bar_rows >= columns[along].to_numpy(float, na_value=np.inf)).any():
            raise Problem(f"A data bar of {bar_rows} rows leaves nothing of the image; give a smaller number.")
        elsewhere = columns["bar_side"].map(side_of) != side if bar_rows and "bar_side" in columns else False
        if ((columns["bar_rows"] != bar_rows) | elsewhere).any():
            self._bars.update(dict.fromkeys(map(str, self._atlas.ids[chosen]), int(bar_rows)))
            self.take_atlas(self._atlas.with_bar_rows(chosen, bar_rows, side))
