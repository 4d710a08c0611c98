"""What a table looks like, and how it would be joined, before it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem, Unreadable
from napari_micromap.tables.grid import Grid
from napari_micromap.tables.matching import Match, best_match, matches
from napari_micromap.tables.near import NearMiss
from napari_micromap.tables.reading import grid_of, read_table
from napari_micromap.tables.several import Several, Spread, date_column, spreads
from napari_micromap.tables.sheets import PARQUET

_SHOWN = 12  # lines
_SHEETS_TRIED = 8
_AS_GOOD = 0.97  # of the best score: a key that fits as well


@dataclass(frozen=True)
class Wanted:
    """How a table is to be read and joined; None is for what fits best.

    Parameters
    ----------
    sheet : str, optional
    header_rows : line numbers, optional
        That name the columns.
    micrograph_column, table_column : str, optional
        What the images are called by, and the column that says the same.
    several : "mean", "newest" or "first"
        What to take where several rows mean the same.
    near : bool
        Take names as the same that differ only in zeros, case and signs between.
    """

    sheet: str | None = None
    header_rows: tuple[int, ...] | None = None
    micrograph_column: str | None = None
    table_column: str | None = None
    several: Several = "mean"
    near: bool = False


@dataclass(frozen=True, eq=False)
class TablePreview:
    """A table that is read but not joined.

    Parameters
    ----------
    path : Path
    wanted : Wanted
        With sheet and header as they were found.
    table : DataFrame
    lines : (line number, texts)
        The first ones, as they stand in the file.
    options : tuple of Match
        The ways in which it fits, best first.
    match : Match or None
        The one that would be taken; None where nothing fits.
    problem : str
        Why nothing fits.
    """

    path: Path
    wanted: Wanted
    table: pd.DataFrame
    lines: Sequence[tuple[int, Sequence[str]]]
    options: tuple[Match, ...]
    match: Match | None
    problem: str = ""

    @property
    def sheets(self) -> tuple[str, ...]:
        """All sheets that hold something."""
        return tuple(self.table.attrs.get("sheets", ()))

    @property
    def near_misses(self) -> tuple[NearMiss, ...]:
        """Names that nearly fit."""
        if self.match is not None:
            return self.match.near_misses
        return ()

    @property
    def spreads(self) -> tuple[Spread, ...]:
        """How far rows of the same name lie apart."""
        return () if self.match is None or not self.match.repeated else spreads(self.table, self.match)

    @property
    def date_column(self) -> str | None:
        """Which column tells the newest row."""
        return date_column(self.table)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is worth asking; nothing where all is clear."""
        asked = []
        if self.match is None:
            asked.append("No row belongs to an image as the names stand.")
        if len(self.sheets) > 1:
            asked.append(f"The file has {len(self.sheets)} sheets.")
        if not self.table.attrs.get("certain", True):
            asked.append("It is not sure which lines name the columns.")
        if self.spreads:
            asked.append("Some images have several rows with different values.")
        if self.near_misses:
            asked.append("Some names nearly fit.")
        if _contested(self.options):
            asked.append("There are several ways to find the images.")
        return tuple(asked)


def preview_table(atlas: Atlas, path: Path, wanted: Wanted | None = None) -> TablePreview:
    """Read a table and find out how it would be joined; of several sheets the one that fits best is taken."""
    wanted = wanted or Wanted()
    try:
        table = _best_sheet(atlas, path, wanted)
    except Unreadable as why:
        if wanted.sheet is None and wanted.header_rows is None:
            raise
        return _unreadable(path, wanted, str(why))  # another sheet or another line may do
    attrs = table.attrs
    wanted = replace(wanted, sheet=attrs["sheet"] or None, header_rows=tuple(attrs["header_rows"]) or None)
    options = tuple(matches(atlas, table, near=wanted.near))
    match, problem = None, ""
    try:
        match = best_match(atlas, table, wanted.micrograph_column, wanted.table_column, wanted.near)
    except Problem as why:
        problem = str(why)
    return TablePreview(path, wanted, table, _first_lines(path, wanted, table), options, match, problem)


def _unreadable(path: Path, wanted: Wanted, why: str) -> TablePreview:
    """Return what can be seen of a sheet that makes no table as it is asked for."""
    grid, table = grid_of(path, wanted.sheet), pd.DataFrame()
    table.attrs = {"path": str(path.absolute()), "sheet": grid.sheet, "sheets": grid.sheets}
    return TablePreview(path, wanted, table, _first_lines(path, wanted, table), (), None, why)


def _best_sheet(atlas: Atlas, path: Path, wanted: Wanted) -> pd.DataFrame:
    if wanted.sheet is not None or path.suffix.lower() in PARQUET:
        return read_table(path, wanted.sheet, wanted.header_rows)
    sheets = grid_of(path).sheets
    if len(sheets) < 2:
        return read_table(path, wanted.sheet, wanted.header_rows)
    best, most = None, -1.0
    for sheet in sheets[:_SHEETS_TRIED]:
        try:
            table = read_table(path, sheet, wanted.header_rows)
        except Unreadable:
            continue  # a sheet of notes
        found = matches(atlas, table)
        if (score := found[0].score if found else 0.0) > most:
            best, most = table, score
    return read_table(path, sheets[0], wanted.header_rows) if best is None else best


def _first_lines(path: Path, wanted: Wanted, table: pd.DataFrame) -> list[tuple[int, list[str]]]:
    if path.suffix.lower() in PARQUET:
        values = table.head(_SHOWN).astype(str).to_numpy().tolist()
        return [(0, list(map(str, table.columns))), *((k, row) for k, row in enumerate(values, start=1))]
    grid: Grid = grid_of(path, wanted.sheet)
    last = max(wanted.header_rows or (0,))
    above = sum(number <= last for number, _ in grid.lines)
    return [(number, [str(cell) for cell in cells]) for number, cells in grid.lines[: above + _SHOWN]]


def _contested(options: Sequence[Match]) -> bool:
    """Say whether another column fits as well, but gives other rows to the images."""
    if not options:
        return False
    best = options[0]
    return any(other.score >= _AS_GOOD * best.score and not _same_rows(best, other) for other in options[1:])


def _same_rows(one: Match, other: Match) -> bool:
    """Say whether two ways give the same rows of the table to each image."""
    return np.array_equal(_rows_as_groups(one), _rows_as_groups(other))


def _rows_as_groups(match: Match) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return for each image the first row of the table that means it, −1 for none."""
    first = np.full(max(match.table_codes.max(initial=-1), match.micrograph_codes.max(initial=-1)) + 2, -1, np.intp)
    for row in range(len(match.table_codes) - 1, -1, -1):
        first[match.table_codes[row]] = row
    first[-1] = -1
    return first[match.micrograph_codes]
