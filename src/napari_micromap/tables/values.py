"""Texts of a table that are numbers, and those that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

Mark: TypeAlias = Literal[".", ",", "?"]  # the decimal mark; "?" where both occur
Cell: TypeAlias = str | int | float  # a text, "" for nothing; or a number that a spreadsheet knew as one

# Never by letter case: "Na" and "Nd" are elements, "none" is a surface treatment.
_MISSING = frozenset(
    ["", "NA", "N/A", "n/a", "NaN", "nan", "#N/A", "#NV", "#VALUE!", "#WERT!", "#DIV/0!", "n.d.", "n.a.", "k.A.",
     "-", "--", "–", "—", "?", "<NA>"]
)  # fmt: skip
_MISSING_AMONG_NUMBERS = _MISSING | {"none", "None", "null", "NULL", "na", "nd", "ND", "missing", "./."}

_LEADING_ZERO = re.compile(r"[+-]?0\d+")
_PLAIN = re.compile(r"[+-]?\d+(e[+-]?\d+)?", re.I)
_WITH_POINT = re.compile(r"[+-]?(\d+\.\d*|\.\d+)(e[+-]?\d+)?", re.I)
_WITH_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.I)
_GROUPED_BY_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_GROUPED_BY_POINT = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?")
_PLUS_MINUS = re.compile(r"(?P<value>.+?)\s*(?:±|\+/[-−]|\+[-−])\s*(?P<error>.+)")
_LAST_DIGITS = re.compile(r"(?P<value>[+-]?\d[\d.,]*)\s?\((?P<error>\d[\d.,]*)\)")
_LIMIT = re.compile(r"(?P<sign><=|=<|>=|=>|[<>≤≥⩽⩾])\s*(?P<bound>.+)")
_SIGNS = {"<=": "≤", "=<": "≤", "⩽": "≤", ">=": "≥", "=>": "≥", "⩾": "≥"}
_MOST_DIGITS = 15  # longer whole numbers would lose digits: they are identifiers


def is_missing(text: str) -> bool:
    """Say whether a text stands for nothing."""
    return text in _MISSING


def decimal_mark(values: Iterable[str], comma_separates: bool = False) -> Mark:
    """Find out which sign parts the decimals of a table; "?" where its values contradict each other.

    Parameters
    ----------
    values : texts
    comma_separates : bool
        Whether the comma parts the columns, so that ``"1,234"`` in quotes is rather a thousand.
    """
    point = comma = doubtful = False
    for part in (part for value in values for part in _parts_of(value.replace("−", "-"))):
        kind = _mark_of(part)
        point |= kind == "."
        comma |= kind == ","
        doubtful |= kind == "1,234"
    if point and comma:
        return "?"
    return "," if comma or (doubtful and not point and not comma_separates) else "."


def _mark_of(text: str) -> str:
    if _GROUPED_BY_COMMA.fullmatch(text):
        return "." if "." in text or text.count(",") > 1 else "1,234"
    if _GROUPED_BY_POINT.fullmatch(text):
        return "," if "," in text or text.count(".") > 1 else "1.234"
    if _WITH_COMMA.fullmatch(text):
        return ","
    return "." if _WITH_POINT.fullmatch(text) else ""


def number(text: str, mark: Mark) -> float | None:
    """Return the number that a text says, or None where it says none for sure."""
    text = text.replace("−", "-").replace("\u202f", "").replace("\u00a0", "")
    if text.lstrip("+-").isdigit() and len(text.lstrip("+-")) > _MOST_DIGITS:
        return None
    kind = _mark_of(text)
    if mark == "?":
        if kind in ("1,234", "1.234"):
            return None
        mark = "," if kind == "," else "."
    plain = text.replace(".", "").replace(",", ".") if mark == "," else text
    if mark == "." and _GROUPED_BY_COMMA.fullmatch(text):
        plain = text.replace(",", "")
    elif mark == "," and "." in text and not _GROUPED_BY_POINT.fullmatch(text):
        return None
    if not (_PLAIN.fullmatch(plain) or _WITH_POINT.fullmatch(plain)):
        return None
    return float(plain)


class Measurement(NamedTuple):
    """What a cell says of a measured value."""

    value: float  # NaN where only a limit is told
    error: float = np.nan
    limit: str = ""  # "<0.1", "≥5"


def measurement(cell: Cell, mark: Mark) -> Measurement | None:
    """Return what a cell says, or None where it is no measured value: 2.1, 2.1 ± 0.3, 2.1(3), <0.1."""
    if not isinstance(cell, str):
        return Measurement(float(cell))
    plain = number(cell, mark)
    if plain is not None:
        return Measurement(plain)
    text = cell.replace("−", "-")
    for form in (_PLUS_MINUS, _LAST_DIGITS):
        found = form.fullmatch(text)
        if found:
            value, error = number(found["value"], mark), number(found["error"], mark)
            if value is None or error is None:
                return None
            digits = form is _LAST_DIGITS and found["error"].isdigit()
            return Measurement(value, abs(error) * (10.0 ** -_decimals(found["value"], mark) if digits else 1.0))
    found = _LIMIT.fullmatch(text)
    if found and number(found["bound"], mark) is not None:
        bound = number(found["bound"], mark)
        return Measurement(np.nan, limit=f"{_SIGNS.get(found['sign'], found['sign'])}{bound:.12g}")
    return None


def looks_like_a_value(cell: Cell) -> bool:
    """Say whether a cell holds a measured value rather than a word."""
    return not isinstance(cell, str) or measurement(cell, "?") is not None or bool(_mark_of(cell))


def columns_of(name: str, cells: Sequence[Cell], mark: Mark, names: bool = False) -> dict[str, pd.Series[Any]]:
    """Make a column of cells, and beside it one of errors and one of limits where any are told.

    Parameters
    ----------
    name : str
        "Jc (MA/cm²)" gets "Jc error (MA/cm²)" and "Jc limit (MA/cm²)" beside it.
    cells : n cells
    mark : Mark
    names : bool
        Whether it names something: there 12(3) is a name.

    Returns
    -------
    dict of str to Series
        Numbers where all that is said is one, and missing where only a limit is told; else texts.
    """
    said = [k for k, cell in enumerate(cells) if not (isinstance(cell, str) and cell in _MISSING_AMONG_NUMBERS)]
    read = {k: measurement(cells[k], mark) for k in said}
    told = {k: found for k, found in read.items() if found is not None}
    texts = [cell for cell in cells if isinstance(cell, str)]
    composed = any(found.limit or not np.isnan(found.error) for found in told.values())
    if len(told) < len(said) or any(_LEADING_ZERO.fullmatch(text) for text in texts) or (names and composed):
        return {name: _texts([cell if isinstance(cell, str) else _written(cell) for cell in cells])}
    values = np.full(len(cells), np.nan)
    errors, limits = values.copy(), np.full(len(cells), np.nan, object)
    for k, found in told.items():
        values[k], errors[k] = found.value, found.error
        limits[k] = found.limit or np.nan
    whole = len(said) == len(cells) and all(_is_whole(cell) for cell in cells)
    columns = {name: pd.Series(values.astype(np.int64) if whole else values)}
    if np.isfinite(errors).any():
        columns[beside(name, "error")] = pd.Series(errors)
    if any(found.limit for found in told.values()):
        columns[beside(name, "limit")] = pd.Series(limits)
    return columns


def beside(name: str, what: str) -> str:
    """Name the column that tells the error or the limit of another: "Jc error (MA/cm²)"."""
    quantity, bracket, unit = name.rpartition(" (")
    return f"{quantity} {what} ({unit}" if bracket and unit.endswith(")") else f"{name} {what}"


def _texts(texts: Sequence[str]) -> pd.Series[Any]:
    if not any(text not in _MISSING for text in texts):
        return pd.Series(np.full(len(texts), np.nan))
    return pd.Series([np.nan if text in _MISSING else text for text in texts], dtype=object).infer_objects()


def _written(cell: int | float) -> str:
    return str(int(cell)) if float(cell).is_integer() else repr(float(cell))


def _is_whole(cell: Cell) -> bool:
    if isinstance(cell, str):
        text = cell.replace("−", "-")
        return bool(_PLAIN.fullmatch(text)) and "e" not in text.lower()
    return isinstance(cell, int) or bool(cell.is_integer() and abs(cell) < 1e15)


def _parts_of(text: str) -> Iterator[str]:
    """Yield the numbers that a cell is made of."""
    found = _PLUS_MINUS.fullmatch(text) or _LAST_DIGITS.fullmatch(text)
    if found:
        yield from (found["value"], found["error"])
    else:
        limit = _LIMIT.fullmatch(text)
        yield limit["bound"] if limit else text


def _decimals(text: str, mark: Mark) -> int:
    """Count the digits behind the decimal mark."""
    sign = mark if mark != "?" else ("," if _mark_of(text) == "," else ".")
    return len(text.partition(sign)[2]) if text.count(sign) == 1 else 0
