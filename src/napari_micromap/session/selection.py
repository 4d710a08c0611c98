"""Selected rows, with undo and redo."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_micromap.atlas import Rows
from napari_micromap.session.history import Undoable

Mode: TypeAlias = Literal["replace", "add", "remove"]


class Selection(Undoable[Rows]):
    """Which rows of the atlas are selected; speaks only when that really changes."""

    changed = Signal(object)  # Rows
    stepped = Signal()  # there is one more step to undo; told before `changed`

    def __init__(self) -> None:
        super().__init__()
        self._rows = _as_rows([])

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
            self._note_step(self._rows, new)
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

    def forget(self) -> None:
        """Select nothing and drop the history: the rows mean something else now."""
        self.begin_with([])

    def begin_with(self, rows: ArrayLike) -> None:
        """Select these rows, and have no history before that."""
        self._forget_steps()
        new = _as_rows(rows)
        if not np.array_equal(new, self._rows):
            self._put(new)

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
        self._done, self._undone = (
            [(renumbered(old), renumbered(new)) for old, new in steps] for steps in (self._done, self._undone)
        )
        return not np.array_equal(before, self._rows)

    def _put(self, state: Rows) -> None:
        self._rows = state
        self.changed.emit(state)


def _as_rows(rows: Any) -> Rows:
    unique: Rows = np.array(rows, dtype=np.intp).ravel()
    if not (unique[1:] > unique[:-1]).all():  # mostly they are in order, and sorting a million takes a while
        unique = np.unique(unique)
    unique.setflags(write=False)
    return unique
