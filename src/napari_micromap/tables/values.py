"""Texts of a table that are numbers, and those that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

Mark: TypeAlias = Literal[".", ",", "?"]  # the decimal mark; "?" where both occur

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
    for value in values:
        kind = _mark_of(value.replace("−", "-"))
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


def column_of(texts: Sequence[str], mark: Mark) -> pd.Series[Any]:
    """Make a column: of numbers where all that is there is one, else of texts; missing where nothing is said."""
    said = [text for text in texts if text not in _MISSING_AMONG_NUMBERS]
    numbers = [number(text, mark) for text in said]
    if said and None not in numbers and not any(_LEADING_ZERO.fullmatch(text) for text in said):
        found = iter(numbers)
        column = pd.Series([np.nan if t in _MISSING_AMONG_NUMBERS else next(found) for t in texts], dtype=np.float64)
        whole = len(said) == len(texts) and all(
            _PLAIN.fullmatch(t.replace("−", "-")) and "e" not in t.lower() for t in said
        )
        return column.astype(np.int64) if whole else column
    if not said:
        return pd.Series(np.full(len(texts), np.nan))
    return pd.Series([np.nan if text in _MISSING else text for text in texts], dtype=object).infer_objects()
