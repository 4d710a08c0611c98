"""What stands below the tiles."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.labels import number
from napari_micromap.wording import unit_of

_ENDING = re.compile(r"\.(tiff?|png|jpe?g|bmp|webp)$", re.IGNORECASE)
_LONGEST = 29  # letters that fit below a tile


def captions(
    atlas: Atlas,
    rows: NDArray[np.intp],
    color_by: str | None,
    stale: Collection[str] = (),
    troubles: Mapping[int, str] | None = None,
    excluded: Collection[int] = (),
) -> list[str]:
    """Say of each row its sample (or file) and the value that colors it: "F012 · 2.1 MA/cm²".

    Parameters
    ----------
    stale : ids
        Micrographs whose layer was edited after they were read.
    troubles : mapping of row to sentence
        Micrographs that cannot be shown.
    excluded : rows
        Micrographs that take no part in map and tests.
    """
    values = _values(atlas, rows, color_by)
    made_up = " · synthetic" if color_by in atlas.synthetic else ""
    texts = []
    for row, value in zip(rows.tolist(), values):
        if troubles and row in troubles:
            remark = " · not readable" if not atlas.live.get(str(atlas.ids[row])) else " · layer is gone"
        elif str(atlas.ids[row]) in stale:
            remark = " · changed since"
        elif row in excluded:
            remark = " · excluded"
        else:
            remark = ""
        rest = (made_up if value else "") + remark
        texts.append(_fitted(_name(atlas, row, color_by), value, rest))
    return texts


def _name(atlas: Atlas, row: int, color_by: str | None) -> str:
    samples = atlas.samples
    if samples is not None and atlas.sample_column != color_by and samples.notna().iat[row]:
        return str(samples.iat[row])
    return _ENDING.sub("", str(atlas.columns["file"].iat[row]))


def _values(atlas: Atlas, rows: NDArray[np.intp], color_by: str | None) -> list[str]:
    if color_by is None or color_by not in atlas.columns:
        return [""] * len(rows)
    column = atlas.columns[color_by]
    shown = column.iloc[rows]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return ["" if pd.isna(value) else _plain(value) for value in shown]
    span = float(column.max() - column.min()) if column.notna().any() else 0.0
    unit = unit_of(color_by)
    return ["" if pd.isna(value) else f"{number(float(value), span)} {unit}".rstrip() for value in shown]


def _plain(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    return str(value)


def _fitted(name: str, value: str, rest: str) -> str:
    """Join name, value and rest, cut in the middle of the first two where there are too many letters."""
    if not value:
        return _shortened(name, _LONGEST - len(rest)) + rest
    room = _LONGEST - len(rest) - len(" · ")
    if not value[0].isdigit() and value[0] != "−":  # a number that is cut would be another number
        value = _shortened(value, max(room - len(name), room // 2))
    return f"{_shortened(name, room - len(value))} · {value}{rest}"


def _shortened(text: str, longest: int) -> str:
    longest = max(longest, 5)
    if len(text) <= longest:
        return text
    behind = (longest - 1) // 2
    return f"{text[: longest - 1 - behind]}…{text[len(text) - behind :]}"
