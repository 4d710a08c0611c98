"""A picture with a rim, seen as one flat array."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Line: TypeAlias = tuple[int, int, int]  # of a shape: line, first column, last column, from its middle


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture with a rim so wide that dots at its border need no care."""

    inner_width: int
    inner_height: int
    ratio: float  # device pixels per logical pixel
    radius: float  # of a dot, in device pixels

    @property
    def pad(self) -> int:
        """Width of the rim."""
        return 2 * ceil(self.radius + 3 * self.ratio + 2)

    @property
    def width(self) -> int:
        """Width with the rim."""
        return self.inner_width + 2 * self.pad

    @property
    def height(self) -> int:
        """Height with the rim."""
        return self.inner_height + 2 * self.pad

    def empty(self, dtype: Any = np.int32) -> NDArray[Any]:
        """Return a flat sheet of zeros."""
        return np.zeros(self.width * self.height, dtype)

    def inner(self, flat: NDArray[Any]) -> NDArray[Any]:
        """Cut the rim off some lines of a flat sheet; a view, (lines, inner_width)."""
        return flat.reshape(-1, self.width)[self.pad : -self.pad, self.pad : -self.pad]


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """Dots within the sheet, in the order of drawing."""

    index: NDArray[np.int32]  # into the dots
    x: NDArray[np.float32]  # in pixels of the sheet; a pixel's middle is at half
    y: NDArray[np.float32]
    at: NDArray[np.intp]  # the flat pixel that holds the middle of the dot

    def part(self, begin: int, end: int) -> Seen:
        """Return some of them, in a row."""
        some = slice(begin, end)
        return Seen(self.index[some], self.x[some], self.y[some], self.at[some])


def disc(across: int) -> list[Line]:
    """Return the lines of a disc of so many pixels, the narrowest first."""
    middle, shift = (across - 1) / 2, across // 2
    lines = []
    for line in range(across):
        half = np.sqrt(max(0.0, (across / 2 - 0.1) ** 2 - (line - middle) ** 2))
        inside = [column for column in range(across) if abs(column - middle) <= half]
        if inside:
            lines.append((line - shift, inside[0] - shift, inside[-1] - shift))
    return sorted(lines, key=lambda line: line[2] - line[1])


def spread(middles: NDArray[Any], width: int, lines: Iterable[Line]) -> NDArray[Any]:
    """Give each pixel the largest value that reaches it, when each value takes a shape around it."""
    out = np.zeros_like(middles)
    row = middles.copy()
    first = last = 0
    for line, begin, end in lines:
        # Lines of a disc lie within one another, so the widened row is widened further.
        for column in [*range(first - 1, begin - 1, -1), *range(last + 1, end + 1)]:
            _raise(row, middles, column)
        first, last = min(first, begin), max(last, end)
        _raise(out, row, line * width)
    return out


def _raise(out: NDArray[Any], values: NDArray[Any], shift: int) -> None:
    """Let the values, moved on by ``shift``, stand where they are larger."""
    n = len(out)
    into = out[max(0, shift) : n + min(0, shift)]
    np.maximum(into, values[max(0, -shift) : n + min(0, -shift)], out=into)
