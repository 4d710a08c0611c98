"""Scales where no header tells them: lengths, columns, burnt-in bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows, specimen_sizes
from napari_micromap.growing import made_by
from napari_micromap.microscopy.scale_bar import ScaleBar, find_scale_bar, same_bar
from napari_micromap.problems import Problem
from napari_micromap.recipe import uses_scale
from napari_micromap.streaming import in_order
from napari_micromap.work import Progress, Work

Unit: TypeAlias = Literal["nm", "µm", "mm"]
UNITS: tuple[Unit, ...] = get_args(Unit)
_MICROMETERS = {"nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "mm": 1e3}
LEAST, MOST = 1e-6, 1e4  # µm per px that a microscope can have

# What the numbers of a column can mean: how it is said, and whether they are of the whole width of an image.
Meaning: TypeAlias = Literal["µm per px", "nm per px", "field width in µm", "field width in mm", "field width in nm"]
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)

READERS = 2  # at once


def in_um(length: float, unit: str) -> float:
    """Return a length in µm."""
    if unit not in _MICROMETERS:
        raise Problem(f"“{unit}” is no unit of length here; use nm, µm or mm.")
    if not (np.isfinite(length) and length > 0):
        raise Problem("A length is a number above 0; type what the scale bar says.")
    return float(length) * _MICROMETERS[unit]


def sizes_from_column(atlas: Atlas, column: str, meaning: Meaning) -> NDArray[np.float64]:
    """Return µm per px of each micrograph as a column tells it, NaN where it tells none.

    Raises
    ------
    Problem
        If no row has a size that a microscope can have; or if it is a magnification, which is none: what it means in
        pixels depends on the screen or the print that it was meant for.
    """
    if column not in atlas.columns:
        raise Problem(f"There is no column “{column}”; there are: {', '.join(map(str, atlas.columns))}.")
    if "magnif" in column.casefold() or column.casefold() in ("mag", "zoom"):
        raise Problem(
            f"“{column}” is a magnification, and no size of pixels follows from it alone; use a field width or a size "
            "of pixels, or type what the scale bars say."
        )
    if meaning not in MEANINGS:
        raise Problem(f"“{meaning}” is no size; there are: {', '.join(MEANINGS)}.")
    values = pd.to_numeric(atlas.columns[column], errors="coerce").to_numpy(float, na_value=np.nan)
    if meaning.startswith("field width"):
        sizes = values * in_um(1.0, meaning.rsplit(" ", 1)[-1]) / whole_widths(atlas)
    else:
        sizes = values * in_um(1.0, meaning.split(" ", 1)[0])
    with np.errstate(invalid="ignore"):
        sizes = np.where((sizes >= LEAST) & (sizes <= MOST), sizes, np.nan)
    if not np.isfinite(sizes).any():
        raise Problem(f"“{column}” holds no {meaning} that a microscope can have; choose another column or unit.")
    return np.asarray(sizes, np.float64)


def whole_widths(atlas: Atlas) -> NDArray[np.float64]:
    """Return (n,) widths of the field in pixels: what lies beside a data bar at the left or right is not part of it."""
    return np.asarray(specimen_sizes(atlas.columns)[:, 1], np.float64)


def rows_without_scale(atlas: Atlas) -> Rows:
    """Return the rows whose pixel size nobody has told."""
    return np.flatnonzero(np.isnan(atlas.um_per_px)).astype(np.intp)


def rows_scaled_alike(atlas: Atlas, row: int) -> Rows:
    """Return the rows that one drawn line speaks for: of its kind, at its magnification and with its scale so far."""
    rows = atlas.rows_of_kind(row)
    for name in ("magnification", "um_per_px"):
        values = atlas.columns[name].to_numpy(float, na_value=np.nan)
        same = np.isnan(values[rows]) if np.isnan(values[row]) else np.isclose(values[rows], values[row], rtol=1e-6)
        rows = rows[same]
    return rows


def depends_on_scale(atlas: Atlas) -> bool:
    """Tell whether the embeddings were made at scales that the micrographs have, so that others make them wrong."""
    if atlas.embeddings is None:
        return False
    try:
        return uses_scale(made_by(atlas)[1])
    except Problem:  # made elsewhere
        return False


# ---------------------------------------------------------------------- burnt-in bars


@dataclass(eq=False)
class BarGroup:
    """Micrographs with the same burnt-in scale bar.

    Parameters
    ----------
    bar : ScaleBar
        As it is on the first of them.
    rows : list of int
    lengths : list of float
        Of the line on each, in pixels.
    """

    bar: ScaleBar
    rows: list[int] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)

    @property
    def pixels(self) -> float:
        """Length of the line in pixels: their median."""
        return float(np.median(self.lengths))


class BarGroups:
    """Groups of identical scale bars, as they are found."""

    def __init__(self) -> None:
        self._by_size: dict[tuple[Any, ...], list[BarGroup]] = {}
        self.without: list[int] = []  # rows where none was found for sure

    def __iter__(self) -> Iterator[BarGroup]:
        groups = [group for groups in self._by_size.values() for group in groups]
        return iter(sorted(groups, key=lambda group: (-len(group.rows), group.rows[0])))

    def __len__(self) -> int:
        return sum(map(len, self._by_size.values()))

    def add(self, row: int, bar: ScaleBar | None) -> None:
        """Put a micrograph to those with the same bar."""
        if bar is None:
            self.without.append(row)
            return
        groups = self._by_size.setdefault((bar.size, tuple(map(len, bar.phrases))), [])
        # Without a word beside them lines are not the same: they may mean different lengths.
        group = next((group for group in groups if bar.phrases and same_bar(group.bar, bar)), None)
        if group is None:
            group = BarGroup(bar)
            groups.append(group)
        group.rows.append(row)
        group.lengths.append(bar.length)

    def snapshot(self) -> BarGroups:
        """Return what is found so far; what comes later does not change it."""
        copy = BarGroups()
        copy.without = list(self.without)
        copy._by_size = {
            key: [BarGroup(group.bar, list(group.rows), list(group.lengths)) for group in groups]
            for key, groups in self._by_size.items()
        }
        return copy


def read_bars(
    atlas: Atlas, rows: Sequence[int] | Rows, wanted_still: Callable[[], bool] = lambda: True
) -> Work[BarGroups]:
    """Look for burnt-in scale bars on micrographs, and group those that are the same; groups come with the steps."""
    found = BarGroups()
    wanted = [int(row) for row in rows]

    def look(row: int) -> ScaleBar | None:
        micrograph = atlas[row]
        try:
            return find_scale_bar(micrograph.pixels(), micrograph.bar_rows, micrograph.bar_side)
        except (Problem, OSError):  # a file that is gone has no bar
            return None

    with closing(in_order(look, wanted, READERS)) as looking:
        for done, (row, bar) in enumerate(zip(wanted, looking), start=1):
            if not wanted_still():
                break
            found.add(row, bar)
            few = len(wanted) <= 64 or done % 16 == 0
            partial = found.snapshot() if few else None
            yield Progress("Looking for scale bars", done, len(wanted), partial=partial)
    return found
