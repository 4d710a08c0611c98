"""Cells of a table, before they mean anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from napari_micromap.tables.values import Cell


@dataclass(frozen=True, eq=False)
class Grid:
    """Lines of cells as they stand in a file.

    Parameters
    ----------
    lines : (line number, cells)
        Numbered from 1, as spreadsheets and editors do; those without any value are left out.
    comma_separated : bool
        Whether a comma parts the cells.
    spread : set of (line number, place)
        Cells that repeat a merged cell on their left.
    sheets : tuple of str
        All sheets of the file that hold something; empty for a text.
    sheet : str
        The one that this is.
    """

    lines: Sequence[tuple[int, list[Cell]]]
    comma_separated: bool = False
    spread: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    sheets: tuple[str, ...] = ()
    sheet: str = ""
