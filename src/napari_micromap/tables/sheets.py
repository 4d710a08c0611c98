"""Spreadsheets and Parquet files, as cells."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from napari_micromap.problems import Unreadable
from napari_micromap.tables.grid import Grid
from napari_micromap.tables.values import Cell

SHEETS = {".xlsx": "openpyxl", ".xlsm": "openpyxl", ".xls": "xlrd", ".ods": "odf"}
PARQUET = (".parquet", ".pq")

_Block = tuple[int, int, int, int]  # first and last line, first and last place, from 0


def sheet_grid(path: Path, sheet: str | None = None) -> Grid:
    """Read one sheet of a spreadsheet; the first that holds something if none is named.

    Merged cells say in all their places what they say in the first.
    """
    package = SHEETS[path.suffix.lower()]
    _check(path, package)
    errors: tuple[type[Exception], ...] = (
        OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, zipfile.BadZipFile, *_own_errors(package),
    )  # fmt: skip
    try:
        rows, blocks, sheets, shown = _READERS[package](path, sheet)
    except errors as why:
        raise Unreadable(f"“{path.name}” cannot be read ({why}): save it as CSV and add that file.") from why
    cells = [[_cell(value) for value in row] for row in rows]
    spread = _fill_merged(cells, blocks)
    lines = [(number, row) for number, row in enumerate(cells, start=1) if any(cell != "" for cell in row)]
    return Grid(lines, spread=frozenset(spread), sheets=sheets, sheet=shown)


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file, which has its names and types."""
    _check(path, "pyarrow")
    try:
        table = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError, KeyError) as why:
        raise Unreadable(f"“{path.name}” cannot be read ({why}): save it as CSV and add that file.") from why
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    table.columns = pd.Index([str(name) for name in table.columns])
    for name in table.columns:
        if pd.api.types.is_datetime64_any_dtype(table[name]):
            table[name] = table[name].astype(str)
    return table.reset_index(drop=True)


def _check(path: Path, package: str) -> None:
    if find_spec(package) is None:
        raise Unreadable(
            f'“{path.name}” needs a package that is not here: pip install "napari-micromap[tables]", '
            "or save it as CSV and add that file."
        )


def _own_errors(package: str) -> tuple[type[Exception], ...]:
    """Return what a reader raises of its own."""
    if package == "xlrd":
        from xlrd import XLRDError
        from xlrd.compdoc import CompDocError

        return (XLRDError, CompDocError)
    if package == "openpyxl":
        from openpyxl.utils.exceptions import InvalidFileException

        return (InvalidFileException,)
    return ()


_Read = tuple[Iterable[Sequence[Any]], Iterable[_Block], tuple[str, ...], str]


def _with_openpyxl(path: Path, sheet: str | None) -> _Read:
    from openpyxl import load_workbook

    book = load_workbook(path, data_only=True)
    filled = tuple(one.title for one in book.worksheets if one.calculate_dimension() != "A1:A1" or one["A1"].value)
    shown = _chosen(path, filled, sheet)
    page = book[shown]
    blocks = [(b.min_row - 1, b.max_row - 1, b.min_col - 1, b.max_col - 1) for b in page.merged_cells.ranges]
    return [list(row) for row in page.iter_rows(values_only=True)], blocks, filled, shown


def _with_xlrd(path: Path, sheet: str | None) -> _Read:
    import xlrd

    with xlrd.open_workbook(str(path), formatting_info=True, on_demand=True) as book:
        filled = tuple(one.name for one in book.sheets() if one.nrows)
        shown = _chosen(path, filled, sheet)
        page = book.sheet_by_name(shown)
        rows = [
            [
                xlrd.xldate_as_datetime(cell.value, book.datemode) if cell.ctype == xlrd.XL_CELL_DATE else cell.value
                for cell in page.row(number)
            ]
            for number in range(page.nrows)
        ]
        blocks = [(low, high - 1, left, right - 1) for low, high, left, right in page.merged_cells]
    return rows, blocks, filled, shown


def _with_odf(path: Path, sheet: str | None) -> _Read:
    pages = pd.read_excel(path, sheet_name=None, header=None, dtype=object, engine="odf")
    filled = tuple(str(name) for name, page in pages.items() if page.size)
    shown = _chosen(path, filled, sheet)
    return pages[shown].to_numpy().tolist(), (), filled, shown


_READERS = {"openpyxl": _with_openpyxl, "xlrd": _with_xlrd, "odf": _with_odf}


def _chosen(path: Path, filled: tuple[str, ...], sheet: str | None) -> str:
    if not filled:
        raise Unreadable(f"“{path.name}” is empty.")
    if sheet is not None and sheet not in filled:
        raise Unreadable(f"“{path.name}” has no sheet “{sheet}”; it has: {', '.join(filled)}.")
    return filled[0] if sheet is None else sheet


def _cell(value: Any) -> Cell:
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    return " ".join(str(value).split())


def _fill_merged(cells: list[list[Cell]], blocks: Iterable[_Block]) -> set[tuple[int, int]]:
    """Say in all places of merged cells what stands in the first; return those that repeat one on their left."""
    spread = set()
    for top, bottom, left, right in blocks:
        if top >= len(cells) or left >= len(cells[top]):
            continue
        for line in range(top, min(bottom, len(cells) - 1) + 1):
            for place in range(left, min(right, len(cells[line]) - 1) + 1):
                cells[line][place] = cells[top][left]
                if place > left:
                    spread.add((line + 1, place))
    return spread
