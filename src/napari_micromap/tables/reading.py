"""Texts and spreadsheets as scientists save them, made a table."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from napari_micromap.problems import Unreadable
from napari_micromap.tables.grid import Grid
from napari_micromap.tables.headers import Header, guess_header, names_from
from napari_micromap.tables.roles import names_something
from napari_micromap.tables.sheets import PARQUET, SHEETS, read_parquet, sheet_grid
from napari_micromap.tables.values import Cell, columns_of, decimal_mark

_SEPARATORS = ("\t", ";", ",", "|")


def read_table(path: Path | str, sheet: str | None = None, header_rows: Sequence[int] | None = None) -> pd.DataFrame:
    """Read a table of measured values.

    Separator, encoding, decimal mark and the lines that name the columns are found out. Numbers become numbers where a
    whole column is made of them; an identifier with leading zeros such as ``007`` stays text. Where values come with
    an error (``2.1 ± 0.3``, ``2.1(3)``) or a limit (``<0.1``), these become columns beside; where only a limit is told,
    the value is missing.

    Parameters
    ----------
    path : Path
        A ``.csv``, ``.tsv``, ``.txt`` or ``.xlsx`` file; ``.xls``, ``.ods`` and ``.parquet`` where the extra ``tables``
        is installed.
    sheet : str, optional
        Of a spreadsheet; the first that holds something if left out.
    header_rows : line numbers, optional
        That name the columns, from 1 as a spreadsheet counts; guessed if left out.

    Returns
    -------
    DataFrame
        One row a line. ``attrs`` says where it came from: ``path``, ``sheet``, ``sheets``, ``header_rows``, whether the
        header is ``certain``, and which column each error and limit ``belongs`` to.

    Raises
    ------
    Unreadable
        With the reason and the remedy.
    """
    path = Path(path)
    if path.suffix.lower() in PARQUET:
        table, grid, header = read_parquet(path), Grid([]), Header((), True)
        belongs: dict[str, str] = {}
    else:
        grid = grid_of(path, sheet)
        header = header_of(grid, path, header_rows)
        table, belongs = _table_of(grid, header, path)
    table.attrs = {
        "path": str(path.absolute()), "sheet": grid.sheet, "sheets": grid.sheets, "header_rows": header.lines,
        "certain": header.certain, "belongs": belongs,
    }  # fmt: skip
    return table


def grid_of(path: Path, sheet: str | None = None) -> Grid:
    """Read the cells of a text or of a sheet."""
    return sheet_grid(path, sheet) if path.suffix.lower() in SHEETS else _grid_of_text(path)


def header_of(grid: Grid, path: Path, rows: Sequence[int] | None) -> Header:
    """Find the header, or take the one that is told."""
    if len(grid.lines) < 2:
        raise Unreadable(f"“{path.name}” needs a line of column names and at least one line of values below it.")
    if rows is None:
        return guess_header(grid)
    there = tuple(number for number, _ in grid.lines if number in rows)
    if not there or there[-1] == grid.lines[-1][0]:
        said = ", ".join(map(str, rows))
        raise Unreadable(f"Line {said} of “{path.name}” cannot name the columns: there are no values below it.")
    return Header(there, True)


def _table_of(grid: Grid, header: Header, path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    names, body = _header_and_body(grid, header, path)
    texts = (value for _, values in body for value in values if isinstance(value, str))
    mark = decimal_mark(texts, comma_separates=grid.comma_separated)
    columns: dict[str, pd.Series[Any]] = {}
    belongs = {}
    for k, name in enumerate(names):
        made = columns_of(name, [values[k] for _, values in body], mark, names=names_something(name))
        for new, column in made.items():
            free = new if new == name else _free(new, {*names, *columns})
            columns[free] = column
            if new != name:
                belongs[free] = name
    return pd.DataFrame(columns, index=pd.RangeIndex(len(body))), belongs


def _grid_of_text(path: Path) -> Grid:
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r"\s*sep=(.)\s*", first)  # Excel writes the separator so
    if told:
        text = rest
    separator = told.group(1) if told else _separator(text)
    lines: list[tuple[int, list[Cell]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for values in reader:
            cells: list[Cell] = [value.strip().strip("\u00a0") for value in values]
            if any(cells):
                lines.append((reader.line_num + bool(told), cells))
    except csv.Error as reason:
        raise Unreadable(f"“{path.name}” is not a table of text: {reason}.") from reason
    return Grid(lines, comma_separated=separator == ",")


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as reason:
        raise Unreadable(f"“{path}” cannot be read: {reason.strerror or reason}.") from reason
    if not data.strip():
        raise Unreadable(f"“{path.name}” is empty.")
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise Unreadable(f"“{path.name}” is not a table of text: save it as CSV (UTF-8) and add that file.")


def _encodings(data: bytes) -> Sequence[str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    if b"\0" in data:  # UTF-16 without its mark: Latin text has its zeros in the odd or in the even places
        return ("utf-16-le", "utf-16-be") if data[1:2] == b"\0" else ("utf-16-be", "utf-16-le")
    return ("utf-8-sig", "cp1252", "latin-1")


def _separator(text: str) -> str:
    """Return what parts the values: the sign that cuts most lines into the same number, at least two."""
    sample = "\n".join(text.split("\n")[:200])
    best, best_score = ",", (0.0, 0)
    for separator in _SEPARATORS:
        try:
            counts = [
                len(values)
                for values in csv.reader(io.StringIO(sample), delimiter=separator, skipinitialspace=True)
                if any(value.strip() for value in values)
            ]
        except csv.Error:
            continue
        if not counts:
            continue
        width, lines = Counter(counts).most_common(1)[0]
        # The header decides between equals: a decimal comma cuts the lines below it, but not the header.
        score = (lines / len(counts) + (counts[0] == width), width)
        if width > 1 and score > best_score:
            best, best_score = separator, score
    return best


def _header_and_body(grid: Grid, header: Header, path: Path) -> tuple[list[str], list[tuple[int, list[Cell]]]]:
    names = names_from(grid, header.lines)
    body = [(number, values) for number, values in grid.lines if number > header.lines[-1]]
    if not body:
        raise Unreadable(f"“{path.name}” needs a line of column names and at least one line of values below it.")
    width = len(names)
    while width and not names[width - 1] and not any(_says(values, width - 1) for _, values in body):
        width -= 1  # an empty column at the end, as spreadsheets leave behind
    for number, values in body:
        if any(value != "" for value in values[width:]):
            raise Unreadable(
                f"Line {number} of “{path.name}” has {len(values)} values, but there are {width} column names; "
                "put quotes around a value that contains the separator."
            )
    empty: list[Cell] = [""] * width
    padded = [(number, (values + empty)[:width]) for number, values in body]
    return _unique([name or f"column {k}" for k, name in enumerate(names[:width], start=1)]), padded


def _says(values: Sequence[Cell], place: int) -> bool:
    return len(values) > place and values[place] != ""


def _free(name: str, taken: Iterable[str]) -> str:
    number, new, known = 2, name, set(taken)
    while new in known:
        new, number = f"{name} ({number})", number + 1
    return new


def _unique(names: Sequence[str]) -> list[str]:
    unique: list[str] = []
    for name in names:
        unique.append(_free(" ".join(name.split()), unique))
    return unique
