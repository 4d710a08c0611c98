"""Table and arrays of a map for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem
from napari_micromap.store import pieces
from napari_micromap.store.columns import csv_of
from napari_micromap.work import Progress, Work

TABLE = "table.csv"
ARRAYS = ("embeddings", "features", "positions")
_ROWS = 4096  # that are read at a time of an array on disk


def export(atlas: Atlas, folder: Path) -> Work[list[Path]]:
    """Write ``table.csv``, ``embeddings.npy``, ``features.npy`` and ``positions.npy`` with their rows aligned.

    Parameters
    ----------
    atlas : Atlas
    folder : Path
        Is made where it is missing; files of these names in it are replaced.

    Raises
    ------
    Problem
        If the collection has no map yet, or the folder cannot be written.
    """
    arrays = {name: getattr(atlas, name) for name in ARRAYS}
    missing = [name for name, array in arrays.items() if array is None]
    if missing:
        raise Problem(f"There are no {' and no '.join(missing)} to export yet; make the map first, and save it.")
    yield Progress("Exporting", 0, 1 + len(arrays))
    columns = atlas.columns.copy()
    if "path" not in columns:
        columns.insert(0, "path", pd.Series(atlas.paths.tolist(), dtype=object))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pieces.replace_file(folder / TABLE, [csv_of(columns, atlas.ids)[0]])
        for done, (name, array) in enumerate(arrays.items(), start=1):
            yield Progress("Exporting", done, 1 + len(arrays))
            pieces.replace_file(folder / f"{name}.npy", _npy(array))
    except OSError as error:
        raise Problem(f"“{folder}” cannot be written ({error.strerror or error}); name another folder.") from error
    return [folder / name for name in (TABLE, *(f"{name}.npy" for name in ARRAYS))]


def _npy(array: NDArray[Any]) -> Iterator[bytes]:
    header = BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(header, described)
    yield header.getvalue()
    for first in range(0, len(array), _ROWS):
        yield array[first : first + _ROWS].tobytes()
