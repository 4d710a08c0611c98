"""Several rows of a table that mean the same images, made one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from napari_micromap.tables.matching import Match
from napari_micromap.tables.roles import words_of

Several: TypeAlias = Literal["mean", "newest", "first"]

_DATES = {"date", "datum", "day", "tag", "measured", "gemessen", "time", "timestamp", "when"}


@dataclass(frozen=True)
class Spread:
    """How far the rows of one name lie apart, where they do so most."""

    column: str
    name: str
    low: float
    high: float


def one_row_a_key(table: pd.DataFrame, match: Match, several: Several = "mean") -> pd.DataFrame:
    """Return the table with one row a key, indexed by the key's number.

    Of numbers the mean is taken, texts that differ stand side by side; a mean with a limit among its values is no
    number, and errors are those of a mean of independent values. Or the newest row is taken, or the first.
    """
    belongs = match.table_codes >= 0
    rows = table.loc[belongs].set_axis(match.table_codes[belongs])
    if rows.index.is_unique:
        return rows
    if several != "mean":
        if several == "first":
            return rows[~rows.index.duplicated()]
        # Oldest first, and the last of each stays; those without a date come before all others.
        ordered = rows.iloc[_oldest_first(table, belongs)]
        newest: pd.DataFrame = ordered[~ordered.index.duplicated(keep="last")].sort_index()
        return newest
    owner = table.attrs.get("belongs", {})
    grouped = rows.groupby(level=0)
    means = {}
    for name in map(str, rows.columns):
        number = is_number(rows[name])
        what = _error_of_mean if name in owner and number else (_mean if number else _side_by_side)
        means[name] = grouped[name].agg(what)
    one = pd.DataFrame(means)
    for name, of in owner.items():
        if not is_number(rows[name]) and of in one:  # a limit among the values: their mean would be a guess
            one.loc[one[name].notna(), of] = np.nan
    return one


def spreads(table: pd.DataFrame, match: Match) -> tuple[Spread, ...]:
    """Say for each column of numbers how far rows of the same name lie apart at most; widest first."""
    belongs = match.table_codes >= 0
    rows = table.loc[belongs].set_axis(match.table_codes[belongs])
    names = dict(zip(match.table_codes[belongs].tolist(), np.flatnonzero(belongs).tolist()))
    found = []
    for name in map(str, table.columns):
        if not is_number(table[name]) or name in table.attrs.get("belongs", {}):
            continue
        grouped = rows[name].groupby(level=0)
        low, high = grouped.min(), grouped.max()
        width = (high - low).fillna(0.0).to_numpy(float)
        widest = int(width.argmax()) if len(width) else 0
        if len(width) and width[widest] > 0:
            said = match.table_texts[names[int(low.index[widest])]] if match.table_texts else ""
            found.append(Spread(name, str(said), float(low.iloc[widest]), float(high.iloc[widest])))
    return tuple(found)


def date_column(table: pd.DataFrame) -> str | None:
    """Return the column that says when a row was measured, None if there is none."""
    named = [str(name) for name in table.columns if not _DATES.isdisjoint(words_of(str(name)))]
    return next((name for name in named if _dates(table[name]).notna().mean() > 0.5), None)


def is_number(column: pd.Series[Any]) -> bool:
    """Say whether a column holds numbers, which can be averaged."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _oldest_first(table: pd.DataFrame, belongs: Any) -> Any:
    name = date_column(table)
    if name is None:
        return np.arange(int(np.sum(belongs)))  # tables grow downward
    dates = _dates(table.loc[belongs, name]).reset_index(drop=True)
    return dates.sort_values(kind="stable", na_position="first").index.to_numpy()


def _dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """Read dates as they are written: 2026-03-01, 01.03.2026 (the day first), 3/1/2026 (the month, where it can be)."""
    if pd.api.types.is_numeric_dtype(column):
        plain = column.where((column > 1900) & (column < 21_001_231))  # 2026 or 20260301
        return pd.to_numeric(plain)
    texts = column.astype(object).where(column.notna(), None)
    for form in ("ISO8601", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y"):
        read = pd.to_datetime(texts, format=form, errors="coerce")
        if read.notna().sum() == column.notna().sum():
            return read
    return pd.to_datetime(texts, format="mixed", dayfirst=True, errors="coerce")


def _mean(values: pd.Series[Any]) -> Any:
    return values.iloc[0] if values.nunique(dropna=False) == 1 else values.mean()


def _error_of_mean(values: pd.Series[Any]) -> float:
    if len(values) == 1:
        return float(values.iloc[0])
    return float(np.sqrt((values**2).sum(skipna=False)) / len(values))


def _side_by_side(values: pd.Series[Any]) -> Any:
    different = list(dict.fromkeys(values.dropna()))
    if len(different) <= 1:
        return different[0] if different else np.nan
    return " / ".join(map(str, different))
