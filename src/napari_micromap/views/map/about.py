"""What is known of a micrograph, in a few words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from napari_micromap.atlas import Atlas, specimen_sizes
from napari_micromap.labels import number
from napari_micromap.session.tags import note_of, tags_of
from napari_micromap.wording import quantity_of


def lines_of(atlas: Atlas, row: int, color_by: str | None) -> list[str]:
    """Say what a micrograph is: name, sample, value with unit, magnification and detector, tags and note."""
    columns = atlas.columns
    lines = [str(columns["file"].iat[row])]
    sample = atlas.sample_column
    if sample is not None and sample != color_by and _cell(atlas, sample, row) is not None:
        lines.append(str(_cell(atlas, sample, row)))
    if color_by is not None and color_by in columns:
        made_up = " (synthetic)" if color_by in atlas.synthetic else ""
        lines.append(f"{quantity_of(color_by)[0]} {_value(atlas, row, color_by)}{made_up}")
    taken = [_magnification(atlas, row), _word(atlas, "detector", row)]
    if any(taken):
        lines.append(" · ".join(part for part in taken if part))
    return lines + [said for said in (", ".join(tags_of(atlas, row)), note_of(atlas, row)) if said]


def short_name_of(quantity: str) -> str:
    """Return what stands before the first bracket: "Jc" of "Jc(77 K, self-field) (MA/cm²)"."""
    return re.split(r"[(\[]", quantity)[0].strip() or quantity


def shape_of(atlas: Atlas, row: int) -> tuple[int, int]:
    """Return the height of a picture, without its data bar, and its width; 3 to 4 where they are not known."""
    height, width = specimen_sizes(atlas.columns.iloc[[row]])[0]
    if not (np.isfinite(height) and np.isfinite(width)):
        return 3, 4
    return max(1, int(height)), max(1, int(width))


def um_per_px_of(atlas: Atlas, row: int, width: int) -> float | None:
    """Return the size of a pixel of a small picture that is so wide, where the scale is known."""
    size, whole = _number(atlas, "um_per_px", row), specimen_sizes(atlas.columns.iloc[[row]])[0, 1]
    return None if not size or not whole > 0 or size < 0 else size * whole / width


def _value(atlas: Atlas, row: int, color_by: str) -> str:
    column = atlas.columns[color_by]
    value = _cell(atlas, color_by, row)
    if value is None:
        return "–"
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return f"{number(float(value), float(column.max() - column.min()))} {quantity_of(color_by)[1]}".rstrip()
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _magnification(atlas: Atlas, row: int) -> str:
    value = _number(atlas, "magnification", row)
    if value is None:
        return ""
    return f"{value / 1000:.3g} kx" if value >= 1000 else f"{value:.3g}x"


def _word(atlas: Atlas, column: str, row: int) -> str:
    return str(_cell(atlas, column, row) or "")


def _number(atlas: Atlas, column: str, row: int) -> float | None:
    value = _cell(atlas, column, row)
    return None if value is None else float(value)


def _cell(atlas: Atlas, column: str, row: int) -> Any:
    """Return a value of the table, or None where it is missing."""
    value: Any = atlas.columns[column].iat[row]
    return None if pd.isna(value) else value
