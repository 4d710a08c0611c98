"""Tags and notes on micrographs, as columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from napari_micromap.atlas import Atlas, Rows

TAGS, NOTE = "tags", "note"
_BETWEEN = ", "


def tags_column(atlas: Atlas, name: str = TAGS) -> str:
    """Return the name of the column: a user's table may have one of that name, which stays as it is."""
    return f"{name} (mine)" if name in atlas.tables else name


def tags_of(atlas: Atlas, row: int) -> tuple[str, ...]:
    """Return the tags of a micrograph, in order."""
    return _split(_texts(atlas, tags_column(atlas)).iat[row])


def note_of(atlas: Atlas, row: int) -> str:
    """Return what was noted of a micrograph, "" for nothing."""
    said = _texts(atlas, tags_column(atlas, NOTE)).iat[row]
    return said if isinstance(said, str) else ""


def known_tags(atlas: Atlas) -> list[str]:
    """Return all tags that are in use, in order."""
    return sorted({tag for said in _texts(atlas, tags_column(atlas)).dropna().unique() for tag in _split(said)})


def with_tag(atlas: Atlas, rows: ArrayLike, tag: str) -> Atlas:
    """Put a tag on micrographs."""
    wanted = _split(tag)
    return _edited(atlas, tags_column(atlas), rows, lambda said: _BETWEEN.join(sorted({*_split(said), *wanted})))


def without_tag(atlas: Atlas, rows: ArrayLike, tag: str) -> Atlas:
    """Take a tag off micrographs."""
    gone = _split(tag)
    column = tags_column(atlas)
    return _edited(atlas, column, rows, lambda said: _BETWEEN.join(t for t in _split(said) if t not in gone))


def with_note(atlas: Atlas, rows: ArrayLike, text: str) -> Atlas:
    """Write a note on micrographs in place of the one before; an empty text takes it away."""
    return _edited(atlas, tags_column(atlas, NOTE), rows, lambda _: " ".join(text.split()))


def rows_of_sample(atlas: Atlas, rows: ArrayLike) -> Rows:
    """Return all rows of the samples that these micrographs show; one without a sample stands for itself."""
    chosen = np.asarray(rows, np.intp)
    samples = atlas.samples
    if samples is None:
        return np.unique(chosen)
    of_sample = samples.isin(samples.iloc[chosen].dropna()).to_numpy(bool)
    return np.union1d(np.flatnonzero(of_sample), chosen).astype(np.intp)


def _edited(atlas: Atlas, column: str, rows: ArrayLike, edit: Callable[[object], str]) -> Atlas:
    said = _texts(atlas, column)
    new = said.copy()
    for row in np.asarray(rows, np.intp).tolist():
        new.iat[row] = edit(said.iat[row]) or None
    if new.equals(said):
        return atlas
    columns = atlas.columns.copy()
    columns[column] = new
    if new.isna().all():
        columns = columns.drop(columns=column)
    return atlas.with_columns(columns, {column: "other"})


def _texts(atlas: Atlas, column: str) -> pd.Series[Any]:
    if column in atlas.columns:
        return atlas.columns[column].astype(object)
    return pd.Series([None] * len(atlas), dtype=object, index=atlas.columns.index)


def _split(said: object) -> tuple[str, ...]:
    texts = said.split(",") if isinstance(said, str) else []
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
