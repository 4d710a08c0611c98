"""Dark and bright features: pores, precipitates, needles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, unit_of


@dataclass(frozen=True)
class DarkFeatures:
    """Counts what is darker than its surroundings, such as pores.

    Parameters
    ----------
    contrast : float
        How far from the surroundings, in spreads of the picture's own gray values (robust: 1.48 × the median
        deviation).
    surroundings : float
        Width of the surroundings, as a share of the picture's shorter side.
    smallest_px : int
        Features of fewer pixels are noise.
    """

    contrast: float = 2.0
    surroundings: float = 0.25
    smallest_px: int = 8
    title: ClassVar[str] = "Dark features (pores)"

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        return _count(-gray, "dark", self.contrast, self.surroundings, self.smallest_px, um_per_px, out)


@dataclass(frozen=True)
class BrightFeatures:
    """Counts what is brighter than its surroundings, such as needles and precipitates.

    Parameters
    ----------
    contrast : float
        How far from the surroundings, in spreads of the picture's own gray values (robust: 1.48 × the median
        deviation).
    surroundings : float
        Width of the surroundings, as a share of the picture's shorter side.
    smallest_px : int
        Features of fewer pixels are noise.
    """

    contrast: float = 2.0
    surroundings: float = 0.25
    smallest_px: int = 8
    title: ClassVar[str] = "Bright features (needles, precipitates)"

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        return _count(gray, "bright", self.contrast, self.surroundings, self.smallest_px, um_per_px, out)


def _count(
    signal: NDArray[np.float32],
    name: str,
    contrast: float,
    surroundings: float,
    smallest: int,
    um_per_px: float | None,
    out: NDArray[np.bool_] | None,
) -> Measured:
    from scipy import ndimage
    from skimage.measure import regionprops_table

    width = max(3.0, surroundings * min(signal.shape))
    looked_at = ~out if out is not None and not out.all() else np.ones(signal.shape, bool)
    # median-like background: features are clipped before the surroundings are averaged, so they do not hide themselves
    typical = np.median(signal[looked_at])
    spread = 1.4826 * float(np.median(np.abs(signal[looked_at] - typical))) + 1e-6
    signal = np.where(looked_at, signal, typical)
    level = ndimage.gaussian_filter(np.clip(signal, typical - 2 * spread, typical + 2 * spread), width / 4)
    smooth = ndimage.gaussian_filter(signal, 1.0)
    mask = (smooth - level > contrast * spread) & looked_at
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())
    kept = sizes >= smallest
    kept[0] = False
    mask = kept[labels]
    labels, count = ndimage.label(mask)
    unit, per_px = unit_of(um_per_px)
    area = int(looked_at.sum())
    shapes = regionprops_table(labels, properties=("area", "axis_major_length", "axis_minor_length")) if count else {}
    diameters = np.sqrt(4 / np.pi * np.asarray(shapes.get("area", []), float)) * per_px
    minor = np.maximum(np.asarray(shapes.get("axis_minor_length", []), float), 1.0)
    elongation = np.asarray(shapes.get("axis_major_length", []), float) / minor
    values = {
        f"{name} area fraction": float(mask.sum() / area),
        f"{name} size ({unit})": _mean(diameters),
        f"{name} features per 100 {unit}²": 100 * count / (area * per_px**2),
        f"{name} elongation": _mean(elongation),
        f"{name} chord length ({unit})": _chord(mask) * per_px,
    }
    return Measured(values, mask, f"more than {contrast:g} spreads {name}er than its surroundings", tuple(values))


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _chord(mask: NDArray[np.bool_]) -> float:
    """Mean length in px of the lines that features cut out of rows and columns."""
    starts = sum(int(np.count_nonzero(np.diff(m.astype(np.int8), axis=1, prepend=0) == 1)) for m in (mask, mask.T))
    return 2 * float(mask.sum()) / starts if starts else float("nan")
