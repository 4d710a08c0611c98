"""Lines around windows of one large picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_ALONE = 60  # windows that are outlined one by one; of more the outline of all together


def outlines_of(windows: ArrayLike, most_alone: int = MOST_ALONE) -> NDArray[np.float64]:
    """Return lines around windows: around each where they are few, else around all that they cover.

    What is drawn so stays small, and quick, however many there are.

    Parameters
    ----------
    windows : (n, 4)
        Top, left, height and width.

    Returns
    -------
    (k, 2, 2)
        Start and direction of each line, row and column.
    """
    boxes = np.asarray(windows, np.float64).reshape(-1, 4)
    if not len(boxes):
        return np.empty((0, 2, 2))
    if len(boxes) <= most_alone:
        return np.concatenate([_around(np.ones((1, 1), bool), *_sides(box)) for box in boxes])
    return _around(*_covered(boxes))


def _sides(box: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    top, left, height, width = box
    return np.array([top, top + height]), np.array([left, left + width])


def _covered(boxes: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return which cells between all sides are covered, and where those sides are."""
    top, left, height, width = boxes.T
    ys, rows = np.unique(np.concatenate([top, top + height]), return_inverse=True)
    xs, columns = np.unique(np.concatenate([left, left + width]), return_inverse=True)
    n = len(boxes)
    steps = np.zeros((len(ys), len(xs)), np.int64)
    for down, across, step in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
        np.add.at(steps, (rows[down * n : (down + 1) * n], columns[across * n : (across + 1) * n]), step)
    return steps.cumsum(0).cumsum(1)[:-1, :-1] > 0, ys, xs


def _around(covered: NDArray[np.bool_], ys: NDArray[np.float64], xs: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(covered, 1)
    across = _runs(padded[1:, 1:-1] != padded[:-1, 1:-1])
    down = _runs((padded[1:-1, 1:] != padded[1:-1, :-1]).T)
    lines = np.empty((len(across) + len(down), 2, 2))
    row, first, end = across.T
    lines[: len(across), 0] = np.stack([ys[row], xs[first]], 1)
    lines[: len(across), 1] = np.stack([np.zeros(len(across)), xs[end] - xs[first]], 1)
    column, first, end = down.T
    lines[len(across) :, 0] = np.stack([ys[first], xs[column]], 1)
    lines[len(across) :, 1] = np.stack([ys[end] - ys[first], np.zeros(len(down))], 1)
    return lines


def _runs(edges: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return (k, 3) line, first and end of each run of True."""
    change = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    line, first = np.nonzero(change == 1)
    return np.stack([line, first, np.nonzero(change == -1)[1]], axis=1)
