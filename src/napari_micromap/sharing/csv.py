"""Positions and columns as a table for plotting programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_micromap.atlas import OWN_COLUMNS, Rows
from napari_micromap.problems import Problem
from napari_micromap.sharing.snapshot import Snapshot

# Of the columns that headers fill, those that say something beside a plot.
_TELLING = ("um_per_px", "magnification", "detector", "kv", "date", "instrument")


def save_csv(shared: Snapshot, path: Path | str, decimal_comma: bool = False, rows: Rows | None = None) -> Path:
    """Write one row a micrograph: file, place on the map, sample, properties, tags and named selections.

    Parameters
    ----------
    decimal_comma : bool
        "1,5" instead of "1.5", and semicolons between the columns, as programs set to German or French expect.
    rows : rows, optional
        Only these.
    """
    path = Path(path)
    table = table_of(shared)
    if rows is not None:
        table = table.iloc[rows]
    text = table.to_csv(
        index=False, lineterminator="\n", sep=";" if decimal_comma else ",", decimal="," if decimal_comma else "."
    )
    try:
        # The mark makes Excel and Origin read µ and ² right.
        path.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8", "replace"))
    except OSError as error:
        raise Problem(f"“{path}” cannot be written ({error.strerror or error}); name another file.") from error
    return path


def table_of(shared: Snapshot) -> pd.DataFrame:
    """Return the table, n rows; places are those of the map as it is shown."""
    atlas, columns = shared.atlas, shared.atlas.columns
    axis = shared.title.split()[0]
    table = pd.DataFrame({"file": columns["file"], "page": atlas.pages}, index=columns.index)
    if not atlas.pages.any():
        table = table.drop(columns="page")
    table[f"{axis} 1"], table[f"{axis} 2"] = (shared.positions[:, k].astype(np.float64).round(5) for k in (0, 1))
    own = [name for name in _TELLING if name in columns and columns[name].notna().any()]
    sample = [atlas.sample_column] if atlas.sample_column is not None else []
    first = sample + [name for name in (shared.color_by,) if name is not None]
    others = [
        str(name) for name in columns if name not in OWN_COLUMNS and (name in atlas.roles or name in atlas.tables)
    ]
    beside = [name for name in ("tags", "note", "tags (mine)", "note (mine)") if name in columns]
    for name in dict.fromkeys([*first, *others, *beside, *own]):
        if name not in table:
            table[name + (" (synthetic)" if name in atlas.synthetic else "")] = columns[name]
    for one in shared.named:
        if one.column not in table:
            table[one.column] = one.values(atlas)
    table["selected"] = np.isin(np.arange(len(atlas)), shared.selected).astype(int)
    table["used"] = np.isin(np.arange(len(atlas)), shared.used).astype(int)
    table["excluded because"] = pd.Series(dict(shared.reasons), dtype=object).reindex(range(len(atlas))).to_numpy()
    return table
