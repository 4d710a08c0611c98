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
    body = lines[1:]
    if [line[0] for line in body] != ids.tolist():
        body = _in_order(body, ids)
    texts = list(zip(*body, strict=True)) or [()] * width
    made = {str(type_["name"]): _restored(texts[k], type_) for k, type_ in enumerate(types, start=1)}
    return pd.DataFrame(made, index=pd.RangeIndex(len(ids)))


def _in_order(body: Sequence[list[str]], ids: NDArray[np.str_]) -> list[list[str]]:
    lines = {line[0]: line for line in body}
    missing = sum(id_ not in lines for id_ in ids.tolist())
    if missing:
        raise ValueError(f"{missing} rows are missing")
    return [lines[id_] for id_ in ids.tolist()]


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


def _restored(texts: Sequence[str], type_: dict[str, Any]) -> pd.Series[Any]:
    kind = str(type_["type"])
    if kind == "text":
        return _texts(texts, type_.get("missing"))
    try:
        made: pd.Series[Any] = _of_type(texts, kind, type_)
    except (TypeError, ValueError, KeyError):
        return _texts(texts, None)  # a spreadsheet wrote it anew, or a newer version knows more types
    return made


def _of_type(texts: Sequence[str], kind: str, type_: dict[str, Any]) -> Any:
    dtype: Any = kind
    if kind.startswith("float"):
        return pd.Series([float(text) if text else np.nan for text in texts], dtype=dtype)
    if kind.lower().startswith(("int", "uint")):
        return pd.Series([int(text) if text else None for text in texts], dtype=dtype)
    said = pd.Series([text or None for text in texts], dtype=object)
    if kind == "category":
        return said.astype(pd.CategoricalDtype(type_["categories"], bool(type_.get("ordered"))))
    if kind.startswith("datetime64"):
        return pd.to_datetime(said, format="ISO8601").astype(dtype)
    if kind.lower().startswith("bool"):
        return said.map({"True": True, "False": False}, na_action="ignore").astype(dtype)
    return pd.Series([None if text is None else float(text) for text in said], dtype=dtype)


def _texts(texts: Sequence[str], missing: Sequence[int] | None) -> pd.Series[Any]:
    said = np.array([bool(text) for text in texts], bool)
    if missing is not None:
        said[:] = True
        said[list(missing)] = False
    # One text more, so that a column without any is one of texts all the same.
    return pd.Series([*texts, ""]).where(np.append(said, True)).iloc[:-1]
