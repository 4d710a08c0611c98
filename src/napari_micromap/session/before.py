"""What to know of micrographs before a map is made: data bars, scales, magnifications."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas, Rows
from napari_micromap.microscopy.bar import BY_USER, is_doubtful

_APART = 1.25  # factor between pixel sizes that count as two
MIXED_FROM = 2.0  # factor between the largest and the smallest pixel size from which it is warned of


@dataclass(frozen=True, eq=False)
class Bars:
    """How many data bars were found, and which micrographs differ from others of their kind."""

    found: int
    to_check: Rows


@dataclass(frozen=True)
class Scales:
    """Over which pixel sizes the micrographs spread.

    Parameters
    ----------
    low, high : float
        In nm/px; NaN where none is known.
    unknown : int
        Micrographs without a scale.
    column : str
        Which column tells them apart: ``magnification`` or ``um_per_px``.
    groups : int
        How many clearly different ones there are.
    factor : float
        Largest over smallest.
    total : int
        How many micrographs there are.
    """

    low: float
    high: float
    unknown: int
    column: str
    groups: int
    factor: float
    total: int = 0

    @property
    def known(self) -> int:
        """How many have a scale."""
        return self.total - self.unknown

    @property
    def words(self) -> str:
        """What to say of them: "23–97 nm/px · 32 of 43 known"."""
        if not self.low > 0:
            return "none known"
        unit, by = ("µm", 1e-3) if self.high >= 1000 else ("nm", 1.0)
        low, high = (f"{size * by:.3g}" for size in (self.low, self.high))
        known = f"{low} {unit}/px" if low == high else f"{low}–{high} {unit}/px"
        return known + (f" · {self.known:,} of {self.total:,} known" if self.unknown else "")

    @property
    def mixed(self) -> bool:
        """Whether a map would be sorted by pixel size rather than by structure."""
        return self.factor > MIXED_FROM


def bars_of(atlas: Atlas) -> Bars:
    """Count data bars; to check are those that others of the same size and vendor have otherwise, or headers."""
    columns = atlas.columns
    rows = columns["bar_rows"].fillna(0).to_numpy(int)
    alike = columns.groupby(["width", "height", "vendor"], dropna=False, sort=False).ngroup().to_numpy()
    differs = np.zeros(len(atlas), bool)
    for group in np.unique(alike):
        members = np.flatnonzero(alike == group)
        heights, counts = np.unique(rows[members], return_counts=True)
        if len(heights) > 1:
            differs[members] = rows[members] != heights[counts.argmax()]
    if "bar_from" in columns:
        said = columns["bar_from"]
        doubtful = said.isin([reason for reason in said.unique() if is_doubtful(reason)])
        differs = (differs | doubtful.to_numpy(bool)) & (said != BY_USER).to_numpy(bool)
    return Bars(int((rows > 0).sum()), np.flatnonzero(differs).astype(np.intp))


def scales_of(atlas: Atlas, rows: Rows | None = None) -> Scales:
    """Say over which pixel sizes micrographs spread; ``rows`` asks only for these."""
    chosen = atlas.columns if rows is None else atlas.columns.iloc[rows]
    sizes, magnifications = (
        _positive(chosen[name].to_numpy(float, na_value=np.nan)) for name in ("um_per_px", "magnification")
    )
    known = np.isfinite(sizes)
    by_size = known.any() and known.sum() >= np.isfinite(magnifications).sum()
    telling = sizes if by_size else magnifications
    # A magnification says more to a microscopist, where it tells the same as the pixel size.
    same = by_size and bool((np.isfinite(magnifications) | ~known).all())
    groups, factor = _groups(telling[np.isfinite(telling)])
    if same and _groups(magnifications[known])[0] != groups:
        same = False
    return Scales(
        float(sizes[known].min() * 1e3) if known.any() else np.nan,
        float(sizes[known].max() * 1e3) if known.any() else np.nan,
        int((~known).sum()),
        "um_per_px" if by_size and not same else "magnification",
        groups,
        factor,
        len(known),
    )


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values > 0, values, np.nan)


def _groups(values: NDArray[np.float64]) -> tuple[int, float]:
    """Count values that differ clearly, and return the largest over the smallest."""
    if not len(values):
        return 0, 1.0
    ordered = np.sort(values)
    return 1 + int((ordered[1:] / ordered[:-1] > _APART).sum()), float(ordered[-1] / ordered[0])
