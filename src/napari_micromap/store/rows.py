"""Some rows of a collection as a CSV file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem
from napari_micromap.store import pieces
from napari_micromap.store.columns import csv_of


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV that opens in a spreadsheet; one that is there is replaced.

    Raises
    ------
    Problem
        If the file cannot be written.
    """
    try:
        pieces.replace_file(path, [table.to_csv(index=False).encode("utf-8-sig")])
    except OSError as error:
        raise Problem(f"“{path}” cannot be written ({error.strerror or error}); name another file.") from error


def write_rows(path: Path, atlas: Atlas, columns: pd.DataFrame, rows: Rows) -> None:
    """Write paths and columns of some micrographs.

    Parameters
    ----------
    path : Path
        Is replaced.
    atlas : Atlas
    columns : DataFrame, n rows
        What to write beside the paths.
    rows : (k,) int

    Raises
    ------
    Problem
        If the file cannot be written.
    """
    chosen = columns.iloc[rows].reset_index(drop=True)
    if "path" not in chosen:
        chosen.insert(0, "path", pd.Series(atlas.paths[rows].tolist(), dtype=object))
    try:
        pieces.replace_file(path, [csv_of(chosen, atlas.ids[rows])[0]])
    except OSError as error:
        raise Problem(f"“{path}” cannot be written ({error.strerror or error}); name another file.") from error
