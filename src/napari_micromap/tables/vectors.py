"""Embeddings and positions that were made elsewhere, brought into the order of the micrographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.problems import Problem, Unreadable
from napari_micromap.tables.matching import best_match
from napari_micromap.tables.sheets import PARQUET, read_parquet
from napari_micromap.wording import counted

ENDINGS = (".npy", ".csv", ".tsv", ".parquet")
_AXES = (("x", "y"), ("umap_1", "umap_2"), ("umap1", "umap2"), ("tsne_1", "tsne_2"), ("pc1", "pc2"))
_COUNTERS = ("Unnamed: 0", "index", "level_0", "__index_level_0__")  # row numbers that pandas wrote along


@dataclass(frozen=True, eq=False)
class Vectors:
    """Numbers for each micrograph.

    Parameters
    ----------
    values : (n, d) float32
        In the order of the atlas; NaN rows where a micrograph has none.
    columns : d names
        "0", "1", … for a bare array.
    told : str
        How rows found their micrographs, and how many found none.
    """

    values: NDArray[np.float32]
    columns: tuple[str, ...]
    told: str

    @property
    def missing(self) -> Rows:
        """Rows without numbers, or with some that are none."""
        return np.flatnonzero(~np.isfinite(self.values).all(axis=1)).astype(np.intp)


def vectors_of(path: Path, atlas: Atlas) -> Vectors:
    """Read numbers that others made of the micrographs.

    Parameters
    ----------
    path : Path
        ``.npy``: (n, d) in the order of the micrographs. ``.csv``, ``.tsv``, ``.parquet``: columns of numbers, beside a
        column that names the micrographs as any table may (path, file name, …); without one, in their order.
    atlas : Atlas

    Raises
    ------
    Unreadable
        If the file is none of these.
    Problem
        If its rows fit no micrographs.
    """
    if path.suffix.lower() == ".npy":
        return _in_order(_array(path), None, atlas, path)
    table = _table(path)
    table = table.drop(columns=[name for name in table if str(name) in _COUNTERS])
    numbers = [name for name in table if pd.api.types.is_numeric_dtype(table[name])]
    names = table.drop(columns=numbers)
    if not numbers:
        raise Problem(f"“{path.name}” holds no column of numbers.")
    values = table[numbers].to_numpy(np.float32)
    columns = tuple(map(str, numbers))
    if names.empty:
        return _in_order(values, columns, atlas, path)
    match = best_match(atlas, names)
    if match.groups or match.repeated:
        raise Problem(
            f"In “{path.name}”, “{match.table_column}” does not name single images: several images would get the same "
            "numbers, or one image several rows. Give a column with each image's path or file name."
        )
    found = np.full((len(atlas), len(numbers)), np.nan, np.float32)
    known = match.matched
    place = {int(code): row for row, code in enumerate(match.table_codes) if code >= 0}
    found[known] = values[[place[int(code)] for code in match.micrograph_codes[known]]]
    unused = len(match.unmatched_rows)
    rest = (
        f"; {counted(unused, 'row')} of “{path.name}” belong{'s' if unused == 1 else ''} to no image" if unused else ""
    )
    told = f"{len(known)} of {counted(len(atlas), 'image')} found numbers by {match.micrograph_key}{rest}."
    return Vectors(found, columns, told)


def positions_of(vectors: Vectors, path: Path) -> NDArray[np.float32]:
    """Return the (n, 2) positions among numbers: two columns, or those that are called so (x, y).

    Raises
    ------
    Problem
        If it cannot be told which two are meant.
    """
    if len(vectors.columns) == 2:
        return vectors.values
    lower = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in vectors.columns]
    for x, y in _AXES:
        if x in lower and y in lower:
            return vectors.values[:, [lower.index(x), lower.index(y)]]
    raise Problem(f"“{path.name}” has {len(vectors.columns)} columns of numbers; positions are two, called x and y.")


def _in_order(values: NDArray[np.float32], columns: tuple[str, ...] | None, atlas: Atlas, path: Path) -> Vectors:
    if len(values) != len(atlas):
        raise Problem(
            f"“{path.name}” has {len(values)} rows without names, but there are {len(atlas)} images; give as many rows "
            "in the order of the images' paths, or a column with their file names."
        )
    told = f"“{path.name}” names no images: its rows are taken in the order of the images' paths."
    return Vectors(values, columns or tuple(str(k) for k in range(values.shape[1])), told)


def _array(path: Path) -> NDArray[np.float32]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as reason:
        raise Unreadable(f"“{path.name}” is no .npy file of numbers ({reason}); save it with numpy.save.") from reason
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.shape[1]:
        raise Problem(f"“{path.name}” is {array.dtype} of shape {array.shape}; one row of numbers an image is needed.")
    return np.array(array, np.float32)


def _table(path: Path) -> pd.DataFrame:
    if path.suffix.lower() in PARQUET:
        return read_parquet(path)
    try:
        return pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ",")
    except (OSError, ValueError) as reason:
        raise Unreadable(
            f"“{path.name}” cannot be read as a table ({str(reason).splitlines()[0]}); give .npy, .parquet, or .csv "
            "with commas between and points in the numbers."
        ) from reason
