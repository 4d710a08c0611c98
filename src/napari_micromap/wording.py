"""Counts and names as people say them."""

from __future__ import annotations

import os.path
from typing import Any

import pandas as pd

from napari_micromap.atlas import Atlas, Rows


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: "1 image", "2,310 images"."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def examples(values: pd.Series[Any], most: int = 3) -> str:
    """Write the first different values of a column: "F001, F002, F003 …"."""
    different = values.dropna().unique()
    said = ", ".join(str(value) for value in different[:most])
    return f"{said} …" if len(different) > most else said or "empty"


def sample_noun(atlas: Atlas) -> str:
    """Return what a sample is called here: "film" where the column is called so, else "sample"."""
    name = (atlas.sample_column or "").strip()
    plain = name.isalpha() and name.isascii() and len(name) <= 12 and not name.lower().endswith("s")
    return name.lower() if plain and name.lower() not in ("sample", "name", "id") else "sample"


def counts_of(atlas: Atlas, rows: Rows | None = None) -> str:
    """Count images and samples: "214 images of 42 films"; ``rows`` counts only those."""
    n = len(atlas) if rows is None else len(rows)
    said = counted(n, "image")
    samples = atlas.samples
    if samples is not None and n:
        chosen = samples if rows is None else samples.iloc[rows]
        said += f" of {counted(int(chosen.nunique()), sample_noun(atlas))}"
    return said


def name_of(atlas: Atlas) -> str:
    """Name a set of micrographs by the folder that all its files lie in; "Open images" for layers."""
    if atlas.synthetic:
        return "Synthetic films"
    paths: list[str] = atlas.paths.tolist()
    if not any(paths):
        return "Open images" if paths else ""
    # All paths lie between the first and the last in order, so they share what these two share.
    ends = [os.path.dirname(end(path for path in paths if path)) for end in (min, max)]
    try:
        shared = os.path.commonpath(ends)
    except ValueError:  # two drives
        return "Micrographs"
    return os.path.basename(shared) or shared
