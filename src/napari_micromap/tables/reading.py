"""CSV and TSV files as scientists save them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from napari_micromap.problems import Unreadable
from napari_micromap.tables.values import column_of, decimal_mark

_SHEETS = {".xlsx": "openpyxl", ".xlsm": "openpyxl", ".xls": "xlrd", ".ods": "odf"}
_SEPARATORS = ("\t", ";", ",", "|")


def read_table(path: Path | str) -> pd.DataFrame:
    """Read a table of measured values from a CSV or TSV file.

    Separator, encoding and decimal mark are found out. Numbers become numbers where a whole column is made of them;
    an identifier with leading zeros such as ``007`` stays text.

    Parameters
    ----------
    path : Path
        A ``.csv``, ``.tsv`` or ``.txt`` file; a spreadsheet where the package for it is installed.

    Returns
    -------
    DataFrame
        One row a line; ``attrs["path"]`` says where it came from.

    Raises
    ------
    Unreadable
        With the reason and the remedy.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    lines = _lines_of_sheet(path, _SHEETS[suffix]) if suffix in _SHEETS else _lines_of_text(path)
    header, body = _header_and_body(lines, path)
    mark = decimal_mark([value for _, values in body for value in values], comma_separates=_comma_separated(lines))
    table = pd.DataFrame(
        {name: column_of([values[k] for _, values in body], mark) for k, name in enumerate(header)},
        index=pd.RangeIndex(len(body)),
    )
    table.attrs["path"] = str(path.absolute())
    return table


class _Lines(list[tuple[int, list[str]]]):
    """Numbered lines of values, and what parted the values."""

    separator = ""


def _comma_separated(lines: _Lines) -> bool:
    return lines.separator == ","


def _lines_of_text(path: Path) -> _Lines:
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r"\s*sep=(.)\s*", first)  # Excel writes the separator so
    if told:
        text = rest
    separator = told.group(1) if told else _separator(text)
    lines = _Lines()
    lines.separator = separator
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for values in reader:
            lines.append((reader.line_num + bool(told), [value.strip().strip("\u00a0") for value in values]))
    except csv.Error as reason:
        raise Unreadable(f"“{path.name}” is not a table of text: {reason}.") from reason
    return lines


def _lines_of_sheet(path: Path, package: str) -> _Lines:
    if find_spec(package) is None:
        raise Unreadable(f"“{path.name}” is a spreadsheet: save it as CSV and add that file.")
    try:
        sheet = pd.read_excel(path, header=None, dtype=object)
    except (OSError, ValueError, KeyError) as reason:
        raise Unreadable(f"“{path.name}” cannot be read ({reason}): save it as CSV and add that file.") from reason
    lines = _Lines()
    for number, values in enumerate(sheet.itertuples(index=False), start=1):
        lines.append((number, ["" if pd.isna(value) else str(value).strip() for value in values]))
    return lines


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


def _header_and_body(lines: _Lines, path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    filled = [(number, values) for number, values in lines if any(values)]
    if len(filled) < 2:
        raise Unreadable(f"“{path.name}” needs a line of column names and at least one line of values below it.")
    names, body = filled[0][1], filled[1:]
    width = len(names)
    while width and not names[width - 1] and not any(len(values) >= width and values[width - 1] for _, values in body):
        width -= 1  # an empty column at the end, as spreadsheets leave behind
    for number, values in body:
        if any(values[width:]):
            raise Unreadable(
                f"Line {number} of “{path.name}” has {len(values)} values, but there are {width} column names; "
                "put quotes around a value that contains the separator."
            )
    padded = [(number, (values + [""] * width)[:width]) for number, values in body]
    return _unique([name or f"column {k}" for k, name in enumerate(names[:width], start=1)]), padded


def _unique(names: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    unique = []
    for name in (" ".join(name.split()) for name in names):
        new, number = name, 2
        while new in taken:
            new, number = f"{name} ({number})", number + 1
        taken.add(new)
        unique.append(new)
    return unique
