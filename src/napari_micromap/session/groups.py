"""Two groups compared, and what was counted in pictures as columns."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from psygnal import Signal

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.descriptors.measuring import Measuring
from napari_micromap.problems import Problem
from napari_micromap.questions.comparing import Comparison, comparison_of, in_shown_units
from napari_micromap.questions.counting import Counted, measure
from napari_micromap.questions.resembling import (
    Outlier,
    Pair,
    duplicates_in,
    outliers_in,
    spread_over,
    typical_of,
    unlike_in,
)
from napari_micromap.store.rows import write_table
from napari_micromap.work import Progress, Work, with_partial

if TYPE_CHECKING:
    from napari_micromap.session.model import Session

Group: TypeAlias = "str | ArrayLike | None"  # a name, rows, or None for what is selected, or for the rest

MOST_MEASURED = 400  # images of each group, spread over its samples


class Groups:
    """Says in what groups of micrographs differ, and who stands for them, in the lane *comparing*, beside tests."""

    compared = Signal(object)  # Comparison | None
    comparing = Signal(object)  # Progress | None

    def __init__(self, session: Session) -> None:
        self._session = session
        self._comparison: Comparison | None = None
        self._compared_atlas: Atlas | None = None
        self._measuring = Measuring()

    @property
    def comparison(self) -> Comparison | None:
        """The newest comparison; None once other micrographs are open."""
        before = self._compared_atlas
        same = before is not None and np.array_equal(before.ids, self._session.atlas.ids)
        return self._comparison if same else None

    @property
    def measuring(self) -> Measuring:
        """What is counted, and the thresholds that were used last."""
        return self._measuring

    @measuring.setter
    def measuring(self, measuring: Measuring) -> None:
        self._measuring = measuring

    def compare(self, a: Group = None, b: Group = None, measuring: Measuring | None = None) -> None:
        """Compare two groups by what is counted in their pictures and by all columns.

        Parameters
        ----------
        a : name of a kept selection, or rows; what is selected if left out
        b : the same; all others that take part if left out
        measuring : Measuring, optional
            Thresholds; those used last if left out.
        """
        self._measuring = measuring = measuring or self._measuring
        used = self._session.used
        first = self._group(a, "the selection", used)
        second = self._group(b, "the rest", used) if b is not None else ("the rest", np.setdiff1d(used, first[1]))
        if not len(first[1]):
            raise Problem("Select some images first, or keep a selection under a name; then it can be compared.")
        self._compare(first, second, measuring)

    def compare_again(self, measuring: Measuring) -> None:
        """Compare the groups of the newest comparison by other thresholds, whatever is selected now."""
        before = self.comparison
        if before is None:
            raise Problem("Compare two groups first.")
        self._measuring = measuring
        self._compare((before.a.name, before.a.rows), (before.b.name, before.b.rows), measuring)

    def _compare(self, first: tuple[str, Rows], second: tuple[str, Rows], measuring: Measuring) -> None:
        atlas = self._session.atlas

        def told(counted: Counted) -> Comparison:
            unread = [f"{atlas[row].name}: {reason}" for row, reason in counted.unread.items()]
            return comparison_of(atlas, first, second, counted.values, measuring, unread)

        def work() -> Work[Comparison]:
            rows = np.union1d(*(spread_over(atlas, group[1], MOST_MEASURED) for group in (first, second)))
            rows = np.random.default_rng(0).permutation(rows)  # so that what is told early is of all samples
            counting = measure(atlas, rows, measuring, self._session.workshop)
            counted = yield from with_partial(counting, told)
            return told(counted)

        def on_progress(progress: Progress) -> None:
            if isinstance(progress.partial, Comparison):
                self._comparison, self._compared_atlas = progress.partial, atlas
                self.compared.emit(self.comparison)
            self.comparing.emit(progress)

        def done(found: Comparison) -> None:
            self._comparison, self._compared_atlas = found, atlas
            self.comparing.emit(None)
            self.compared.emit(self.comparison)

        self._session.run(work, lane="comparing", done=done, progress=on_progress)

    def cancel(self) -> None:
        """Stop comparing; what was measured is kept."""
        self._session.run.cancel("comparing")
        self.comparing.emit(None)

    def add_quantity(self, quantity: str, measuring: Measuring | None = None, then_color: bool = True) -> None:
        """Make a column of what is counted in the pictures of all micrographs that take part, and color by it."""
        measuring = measuring or self._measuring
        atlas, used = self._session.atlas, self._session.used

        def done(counted: Counted) -> None:
            self.comparing.emit(None)
            if not np.array_equal(atlas.ids, self._session.atlas.ids):
                return
            column = self._with_quantity(quantity, used, counted)
            if then_color:
                self._session.color_by = column

        self._session.run(
            lambda: measure(atlas, used, measuring, self._session.workshop),
            lane="comparing", done=done, progress=self.comparing.emit,
        )  # fmt: skip

    def export(self, path: Path | str) -> None:
        """Write the comparison as CSV."""
        if self.comparison is None:
            raise Problem("Compare two groups first; then the differences can be written.")
        write_table(Path(path), self.comparison.table())

    # ------------------------------------------------------------------ micrographs that stand for something

    def typical(self, group: Group = None, count: int = 4) -> Rows:
        """Return the most typical micrographs of a group, each of another sample, the most typical first."""
        return typical_of(self._session.atlas, self._group(group, "", self._session.used)[1], count)

    def unlike_pairs(self, column: str | None = None, count: int = 8) -> list[Pair]:
        """Return pairs that look most alike and differ most in a number, or the one that colors the map."""
        name = column if column is not None else self._session.color_by
        if name is None or name not in self._session.atlas.columns:
            raise Problem("Choose a property first: pairs are sought that look alike and differ in it.")
        return unlike_in(self._session.atlas, self._session.used, name, count)

    def near_duplicates(self) -> list[Pair]:
        """Return pairs that look the same, or nearly so, the nearest first."""
        return duplicates_in(self._session.atlas, self._session.used)

    def outliers(self) -> list[Outlier]:
        """Return micrographs that are unlike all others, the most unlike first."""
        return outliers_in(self._session.atlas, self._session.used)

    # ------------------------------------------------------------------ within

    def _group(self, group: Group, title: str, used: Rows) -> tuple[str, Rows]:
        if isinstance(group, str):
            rows = self._session.named[group].rows(self._session.atlas)
            title = group
        else:
            rows = np.unique(self._session.selection.rows if group is None else np.asarray(group, np.intp))
        return title, np.intersect1d(rows, used).astype(np.intp)

    def _with_quantity(self, quantity: str, rows: Rows, counted: Counted) -> str:
        """Put a column beside the others; lengths are in µm only where the scale of all is known."""
        table = in_shown_units(self._session.atlas, rows, counted.values)
        same = [name for name in table if name.replace("px", "µm") == quantity.replace("px", "µm")]
        if not same:
            raise Problem(f"“{quantity}” is not counted in pictures.")
        values = np.full(len(self._session.atlas), np.nan)
        values[rows] = table[same[0]]
        name = f"{same[0]} (counted)" if same[0] in self._session.atlas.tables else same[0]
        columns = self._session.atlas.columns
        columns = columns.drop(columns=[name] if name in columns else [])
        columns = pd.concat([columns, pd.DataFrame({name: values}, index=columns.index)], axis=1)
        self._session.take_atlas(self._session.atlas.with_columns(columns, MappingProxyType({name: "other"})))
        return name

    def forget(self) -> None:
        """Start anew, with nothing compared."""
        had, self._comparison, self._compared_atlas = self._comparison, None, None
        if had is not None:
            self.compared.emit(None)
