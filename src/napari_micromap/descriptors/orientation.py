"""Which way the structure runs, and how much of it agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured


@dataclass(frozen=True)
class Orientation:
    """Measures direction and coherence by the structure tensor.

    Parameters
    ----------
    scale_px : float
        Width of the smoothing before gradients are taken.

    References
    ----------
    Bigün, Granlund: Optimal orientation detection of linear symmetry, ICCV 1987; see also Püspöki et al. 2016,
    https://doi.org/10.1007/978-3-319-28549-8_3
    """

    scale_px: float = 2.0
    title: ClassVar[str] = "Orientation"

    def __call__(self, gray: NDArray[np.float32], um_per_px: float | None = None) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from scipy import ndimage

        dy = ndimage.gaussian_filter(gray, self.scale_px, order=(1, 0))
        dx = ndimage.gaussian_filter(gray, self.scale_px, order=(0, 1))
        xx, yy, xy = float((dx * dx).mean()), float((dy * dy).mean()), float((dx * dy).mean())
        coherence = np.hypot(xx - yy, 2 * xy) / max(xx + yy, 1e-12)
        along = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy)) + 90.0  # gradients stand across the structure
        return Measured({"orientation (°)": float(along % 180), "orientation coherence": float(coherence)})
