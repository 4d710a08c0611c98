"""Dark and bright features: pores, precipitates, needles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, unit_of
from napari_micromap.descriptors.filters import middle_of, wide_blur


@dataclass(frozen=True)
class _Features:
    """Counts what differs from its surroundings.

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
    name: ClassVar[str]  # as quantities begin
    sign: ClassVar[int]  # 1 where gray rises in features, -1 where it falls

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from scipy import ndimage

        signal = self.sign * gray
        width = max(3.0, self.surroundings * min(signal.shape))
        looked_at = ~out if out is not None and not out.all() else None
        # median-like background: features are clipped before the surroundings are averaged, so they do not hide
        # themselves
        seen = signal if looked_at is None else signal[looked_at]
        typical = np.float32(middle_of(seen))
        spread = 1.4826 * middle_of(np.abs(seen - typical)) + 1e-6
        if looked_at is not None:
            signal = np.where(looked_at, signal, typical)
        level = wide_blur(np.clip(signal, typical - 2 * spread, typical + 2 * spread), width / 4)
        smooth = ndimage.gaussian_filter(signal, 1.0)
        mask = smooth - level > self.contrast * spread
        if looked_at is not None:
            mask &= looked_at
        labels, _ = ndimage.label(mask)
        kept = np.bincount(labels.ravel()) >= self.smallest_px
        kept[0] = False
        mask = kept[labels]
        area = mask.size if looked_at is None else int(looked_at.sum())
        values = _values_of(labels, mask, area, self.name, um_per_px)
        said = f"more than {self.contrast:g} spreads {self.name}er than its surroundings"
        return Measured(values, mask, said, tuple(values))


@dataclass(frozen=True)
class DarkFeatures(_Features):
    """Counts what is darker than its surroundings, such as pores."""

    name, sign = "dark", -1


@dataclass(frozen=True)
class BrightFeatures(_Features):
    """Counts what is brighter than its surroundings, such as needles and precipitates."""

    name, sign = "bright", 1


def _values_of(
    labels: NDArray[np.int32], mask: NDArray[np.bool_], area: int, name: str, um_per_px: float | None
) -> dict[str, float]:
    """Return what is told of labeled features on an area of so many pixels."""
    areas, elongations = _shapes(labels, mask)
    unit, per_px = unit_of(um_per_px)
    return {
        f"{name} area fraction": float(mask.sum() / area),
        f"{name} size ({unit})": _mean(np.sqrt(4 / np.pi * areas) * per_px),
        f"{name} features per 100 {unit}²": 100 * len(areas) / (area * per_px**2),
        f"{name} elongation": _mean(elongations),
        f"{name} chord length ({unit})": _chord(mask) * per_px,
    }


def _shapes(labels: NDArray[np.int32], mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (k,) areas in pixels and elongations: ratios of the axes of ellipses with the same second moments."""
    y, x = np.nonzero(mask)
    numbers, which = np.unique(labels[y, x], return_inverse=True)
    areas = np.bincount(which, minlength=len(numbers)).astype(float)
    y, x = (v - (np.bincount(which, v, len(numbers)) / areas)[which] for v in (y, x))
    yy, xx, yx = (np.bincount(which, v, len(numbers)) / areas for v in (y * y, x * x, y * x))
    middle, apart = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    long, short = 4 * np.sqrt(middle + apart), 4 * np.sqrt(np.maximum(middle - apart, 0))
    return areas, long / np.maximum(short, 1.0)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _chord(mask: NDArray[np.bool_]) -> float:
    """Mean length in px of the lines that features cut out of rows and columns."""
    across = np.count_nonzero(mask[:, 1:] & ~mask[:, :-1]) + np.count_nonzero(mask[:, 0])
    down = np.count_nonzero(mask[1:] & ~mask[:-1]) + np.count_nonzero(mask[0])
    return 2 * float(mask.sum()) / (across + down) if across + down else float("nan")
