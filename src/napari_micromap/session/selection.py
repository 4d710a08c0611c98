"""Selected rows, with undo and redo."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_micromap.atlas import Rows

Mode: TypeAlias = Literal["replace", "add", "remove"]

_KEPT_STEPS = 200


class Selection:
    """Which rows of the atlas are selected; speaks only when that really changes."""

    changed = Signal(object)  # Rows
    stepped = Signal()  # there is one more step to undo; told before `changed`

    def __init__(self) -> None:
        self._rows = _as_rows([])
        self._undo: list[Rows] = []
        self._redo: list[Rows] = []

    @property
    def rows(self) -> Rows:
        """The selected rows, sorted and unique."""
        return self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def mask(self, n: int) -> NDArray[np.bool_]:
        """Return (n,) True where selected."""
        mask = np.zeros(n, bool)
        mask[self._rows] = True
        return mask

    def apply(self, rows: ArrayLike, mode: Mode = "replace") -> None:
        """Replace the selection by these rows, add them to it, or remove them from it."""
        new = _as_rows(rows)
        if mode == "add":
            new = np.union1d(self._rows, new)
        elif mode == "remove":
            new = np.setdiff1d(self._rows, new)
        if not np.array_equal(new, self._rows):
            self._undo = [*self._undo[-_KEPT_STEPS:], self._rows]
            self._redo = []
            self._rows = new
            self.stepped.emit()
            self.changed.emit(new)

    def replace(self, rows: ArrayLike) -> None:
        """Select these rows and no others."""
        self.apply(rows, "replace")

    def replace_within(self, scope: ArrayLike, rows: ArrayLike) -> None:
        """Replace what is selected of ``scope`` by ``rows``; what a partial view does not show stays as it is."""
        self.apply(np.union1d(np.setdiff1d(self._rows, _as_rows(scope)), _as_rows(rows)))

    def clear(self) -> None:
        """Select nothing."""
        self.apply([])

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier selection."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether an undone selection can come back."""
        return bool(self._redo)

    def undo(self) -> None:
        """Go back to the selection before."""
        if self._undo:
            self._redo.append(self._rows)
            self._set(self._undo.pop())

    def redo(self) -> None:
        """Take an undo back."""
        if self._redo:
            self._undo.append(self._rows)
            self._set(self._redo.pop())

    def forget(self) -> None:
        """Select nothing and drop the history: the rows mean something else now."""
        self.begin_with([])

    def begin_with(self, rows: ArrayLike) -> None:
        """Select these rows, and have no history before that."""
        self._undo, self._redo = [], []
        new = _as_rows(rows)
        if not np.array_equal(new, self._rows):
            self._set(new)

    def renumber(self, where: NDArray[np.intp]) -> bool:
        """Let selection and history mean the same micrographs under new numbers; nothing is told of it.

        Parameters
        ----------
        where : (n,) int
            New row of each old one, −1 where it is gone.

        Returns
        -------
        bool
            Whether the selected rows are others now.
        """

        def renumbered(rows: Rows) -> Rows:
            new = where[rows]
            return _as_rows(new[new >= 0])

        before = self._rows
        self._rows = renumbered(before)
        self._undo, self._redo = [*map(renumbered, self._undo)], [*map(renumbered, self._redo)]
        return not np.array_equal(before, self._rows)

    def _set(self, rows: Rows) -> None:
        self._rows = rows
        self.changed.emit(rows)


def _as_rows(rows: Any) -> Rows:
    unique: Rows = np.array(rows, dtype=np.intp).ravel()
    if not (unique[1:] > unique[:-1]).all():  # mostly they are in order, and sorting a million takes a while
        unique = np.unique(unique)
    unique.setflags(write=False)
    return unique
