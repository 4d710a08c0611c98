"""A table of columns as CSV, with its types beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_ID = "micrograph id"


def csv_of(columns: pd.DataFrame, ids: NDArray[np.str_]) -> tuple[bytes, list[dict[str, Any]]]:
    """Write columns as CSV that spreadsheets open; return it with name and type of each column.

    The first column holds the ids of the micrographs.
    """
    types = [_type_of(str(name), columns.iloc[:, k]) for k, name in enumerate(columns.columns)]
    written = {_ID: pd.Series(ids.tolist(), dtype=object)}
    cells = [_cells(columns.iloc[:, k], type_["type"]) for k, type_ in enumerate(types)]
    # Numbered first: a user's column may be called as ours is.
    frame = pd.concat([written[_ID], *cells], axis=1, keys=range(len(cells) + 1))
    # All texts in quotes: a line break inside one would else end its row.
    text = frame.to_csv(
        index=False,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC,
        header=[_ID, *(type_["name"] for type_ in types)],
    )
    # The mark makes Excel read µ and ² right.
    return b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass"), types


def columns_from(data: bytes, types: Sequence[dict[str, Any]], ids: NDArray[np.str_]) -> pd.DataFrame:
    """Read columns in the order of ``ids``, also where a spreadsheet has sorted the rows.

    Raises
    ------
    ValueError
        If a row or a column is missing.
    """
    text = data.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    width = len(types) + 1
    if not lines or any(len(line) != width for line in lines):
        raise ValueError(f"it does not have {width} columns")
    where = {line[0]: k for k, line in enumerate(lines) if k}
    missing = [id_ for id_ in ids.tolist() if id_ not in where]
    if missing:
        raise ValueError(f"{len(missing)} rows are missing")
    order = [where[id_] for id_ in ids.tolist()]
    made = {
        str(type_["name"]): _restored([lines[k][j] for k in order], type_) for j, type_ in enumerate(types, start=1)
    }
    return pd.DataFrame(made, index=pd.RangeIndex(len(ids)))


def _type_of(name: str, column: pd.Series[Any]) -> dict[str, Any]:
    type_: dict[str, Any] = {"name": name, "type": str(column.dtype)}
    if isinstance(column.dtype, pd.CategoricalDtype):
        type_ |= {"categories": [str(c) for c in column.dtype.categories], "ordered": bool(column.dtype.ordered)}
    elif not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)):
        type_["type"] = "text"
        empty = column == ""
        if empty.fillna(False).any():  # an empty text and a missing one are written alike
            type_["missing"] = np.flatnonzero(column.isna()).tolist()
    return type_


def _cells(column: pd.Series[Any], type_: str) -> pd.Series[Any]:
    if type_ == "text":
        column = column.astype(object).where(column.notna(), "").map(str)
    elif type_ == "category":
        column = column.astype(object)
    return column.reset_index(drop=True)


def _restored(texts: list[str], type_: dict[str, Any]) -> pd.Series[Any]:
    kind = str(type_["type"])
    if kind == "text":
        return _texts(texts, type_.get("missing"))
    said = pd.Series([text or None for text in texts], dtype=object)
    dtype: Any = kind
    try:
        if kind == "category":
            return said.astype(pd.CategoricalDtype(type_["categories"], bool(type_.get("ordered"))))
        if kind.startswith("datetime64"):
            moments: pd.Series[Any] = pd.to_datetime(said, format="ISO8601").astype(dtype)
            return moments
        if kind.lower().startswith("bool"):
            return said.map({"True": True, "False": False}, na_action="ignore").astype(dtype)
        whole = kind.lower().startswith(("int", "uint"))
        numbers = [None if text is None else int(text) if whole else float(text) for text in said]
        return pd.Series(numbers, dtype=dtype)
    except (TypeError, ValueError, KeyError):
        return _texts(texts, None)  # a spreadsheet wrote it anew, or a newer version knows more types


def _texts(texts: list[str], missing: Sequence[int] | None) -> pd.Series[Any]:
    said = np.array([bool(text) for text in texts], bool)
    if missing is not None:
        said[:] = True
        said[list(missing)] = False
    # One text more, so that a column without any is one of texts all the same.
    return pd.Series([*texts, ""]).where(np.append(said, True)).iloc[:-1]
