"""Columns of a map as short lists for a page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from napari_micromap.atlas import OWN_COLUMNS, Atlas, Rows
from napari_micromap.colors import Coloring, colors_of
from napari_micromap.figures.legends import counting
from napari_micromap.labels import exactly

_OWN = ("magnification", "um_per_px", "detector", "kv", "date", "instrument", "vendor", "folder")
_SPOKEN = {"um_per_px": "pixel size (µm)", "kv": "voltage (kV)"}


def columns_to_share(atlas: Atlas, color_by: str | None) -> list[str]:
    """Return the columns to color by and to search in, the most telling first."""
    ranks = {"sample": 0, "property": 1, "processing": 2, "batch": 3, "other": 4, "imaging": 5}
    mine = [str(name) for name in atlas.columns if name not in OWN_COLUMNS]
    mine.sort(key=lambda name: ranks.get(atlas.roles.get(name, "other"), 4))
    wanted = [name for name in (color_by, *mine, *_OWN) if name is not None and name in atlas.columns]
    told = atlas.columns.nunique()
    return [name for name in dict.fromkeys(wanted) if told[name] > 1 or name == color_by]


def column_for_page(atlas: Atlas, name: str, rows: Rows) -> dict[str, Any]:
    """Return texts, colors and legend of a column for some rows.

    Colors are those of the whole collection, so a page shows each value as the window does.
    """
    coloring = colors_of(atlas.columns[name])
    legend = counting(coloring, np.isin(np.arange(len(atlas)), rows))
    chosen = atlas.columns[name].iloc[rows]
    codes, texts = pd.factorize(np.array(texts_of(chosen), dtype=object))
    spoken = _SPOKEN.get(name, name) + (" – synthetic" if name in atlas.synthetic else "")
    return {
        "name": name,
        "title": spoken,
        "kind": coloring.kind,
        "texts": [str(text) for text in texts],
        "text": codes.tolist(),
        **_colors(coloring, rows),
        "missing": np.flatnonzero(coloring.missing[rows]).tolist(),
        "entries": [[entry.label, _hex(entry.color), entry.count] for entry in legend.entries],
        "ticks": [[round(place, 4), label] for place, label in coloring.ticks()],
        "ramp": [] if coloring.ramp is None else [_hex(color) for color in coloring.ramp[::15]],
    }


def texts_of(values: pd.Series[Any]) -> list[str]:
    """Write values as a reader expects them; "" for a missing one."""
    if pd.api.types.is_float_dtype(values):
        return ["" if pd.isna(value) else exactly(float(value)) for value in values]
    return ["" if pd.isna(value) else str(value) for value in values]


def _colors(coloring: Coloring, rows: Rows) -> dict[str, Any]:
    different, where = np.unique(coloring.rgb[rows], axis=0, return_inverse=True)
    return {"palette": [_hex(color) for color in different], "color": where.ravel().tolist()}


def _hex(color: Any) -> str:
    return "".join(f"{int(part):02x}" for part in color)
