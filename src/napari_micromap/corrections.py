"""What a user said of data bars and scales, for new micrographs that are alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Micrograph
from napari_micromap.microscopy.bar import BY_USER
from napari_micromap.microscopy.cropping import side_of
from napari_micromap.microscopy.scale_bar import ScaleBar, find_scale_bar, same_bar
from napari_micromap.problems import Problem
from napari_micromap.work import Progress, Work

# Where scales are from that a user gave, as the column scale_from says it.
BY_BAR, BY_LINE, BY_TABLE = "bar: typed", "line: drawn", "table"
GIVEN = (BY_BAR, BY_LINE, BY_TABLE, BY_USER)
_OF_A_KIND = (BY_LINE, BY_USER)


def corrected_as(atlas: Atlas, part: Atlas) -> Work[Atlas]:
    """Cut data bars and set scales of new micrographs as the user did on known ones that are like them.

    A data bar is cut as on all known micrographs of the same size and vendor, where those agree. A scale is that of
    known ones with the same burnt-in bar, where what it says was typed; or that of all of the kind, magnification
    included, where it was told in another way. A scale that the file tells stays.
    """
    if atlas.windows is not None or part.windows is not None:
        return part
    part = _with_bars_as(atlas, part)
    wanted = np.flatnonzero(np.isnan(part.um_per_px)).astype(np.intp)
    if not len(wanted) or "scale_from" not in atlas.columns:
        return part
    typed, of_kinds, kinds = list(_typed_bars(atlas)), _scales_of_kinds(atlas), _kinds(part, "magnification")
    found: dict[int, tuple[float, str]] = {}
    for done, row in enumerate(wanted.tolist() if typed or of_kinds else [], start=1):
        bar = _bar_on(part[row]) if typed else None
        told = None if bar is None else next((size for one, size in typed if same_bar(one, bar)), None)
        if told is not None:
            found[row] = told, BY_BAR
        elif kinds[row] in of_kinds:
            found[row] = of_kinds[kinds[row]]
        yield Progress("Looking for scale bars", done, len(wanted))
    sizes, origins = [size for size, _ in found.values()], [origin for _, origin in found.values()]
    return part.with_scale(np.array([*found], np.intp), np.array(sizes), origins) if found else part


def told_by_user(atlas: Atlas) -> NDArray[np.bool_]:
    """Return (n,) whether the scale of a micrograph is one that a user told of it, or of one like it."""
    if "scale_from" not in atlas.columns:
        return np.zeros(len(atlas), np.bool_)
    return atlas.columns["scale_from"].isin([BY_BAR, *_OF_A_KIND]).to_numpy(np.bool_)


def _with_bars_as(atlas: Atlas, part: Atlas) -> Atlas:
    if "bar_from" not in atlas.columns or not (atlas.columns["bar_from"] == BY_USER).any():
        return part
    new = _kinds(part)
    for kind, known in atlas.columns.groupby(_kinds(atlas)):
        bars = known[["bar_rows", "bar_side", "bar_from"]].drop_duplicates()
        alike = np.flatnonzero(new == kind).astype(np.intp)
        if len(alike) and len(bars) == 1 and bars["bar_from"].iloc[0] == BY_USER:
            part = part.with_bar_rows(alike, int(bars["bar_rows"].iloc[0]), side_of(bars["bar_side"].iloc[0]))
    return part


def _typed_bars(atlas: Atlas) -> Iterator[tuple[ScaleBar, float]]:
    """Yield each burnt-in bar of which was typed what it says, with the size of a pixel, from one micrograph each."""
    typed = atlas.columns.index[atlas.columns["scale_from"] == BY_BAR]
    told = pd.DataFrame({"kind": _kinds(atlas)[typed], "size": atlas.um_per_px[typed].round(9)}, index=typed)
    for row in told.drop_duplicates().index.tolist():
        bar = _bar_on(atlas[row])
        if bar is not None and bar.phrases:  # without a word beside it a line may mean anything
            yield bar, float(atlas.um_per_px[row])


def _scales_of_kinds(atlas: Atlas) -> dict[str, tuple[float, str]]:
    """Return the scale that all micrographs of a kind have, where a user told it of the kind."""
    told = pd.DataFrame({"size": atlas.um_per_px, "from": atlas.columns["scale_from"]})
    ones = {
        str(kind): known.iloc[0]
        for kind, known in told.groupby(_kinds(atlas, "magnification"))
        if known["size"].nunique(dropna=False) == 1 and known["from"].isin(_OF_A_KIND).all()
    }
    return {kind: (float(one["size"]), str(one["from"])) for kind, one in ones.items()}


def _bar_on(micrograph: Micrograph) -> ScaleBar | None:
    try:
        return find_scale_bar(micrograph.pixels(), micrograph.bar_rows, micrograph.bar_side)
    except (Problem, OSError):  # a file that is gone has no bar
        return None


def _kinds(atlas: Atlas, *more: str) -> NDArray[np.object_]:
    vendors = atlas.columns["vendor"].fillna("").astype(str).tolist()
    numbers = [
        pd.to_numeric(atlas.columns[name], errors="coerce").to_numpy(float, na_value=np.nan).tolist()
        for name in ("width", "height", *more)
    ]
    return np.array([f"{vendor} {told}" for vendor, *told in zip(vendors, *numbers)], object)
