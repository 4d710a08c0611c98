"""Which way the structure runs, and how much of it agrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, filled, inner


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

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from scipy import ndimage

        signal, asked = filled(gray, out), inner(out, max(1, round(3 * self.scale_px)))
        dy = ndimage.gaussian_filter(signal, self.scale_px, order=(1, 0)) * asked
        dx = ndimage.gaussian_filter(signal, self.scale_px, order=(0, 1)) * asked
        xx, yy, xy = float((dx * dx).mean()), float((dy * dy).mean()), float((dx * dy).mean())
        coherence = np.hypot(xx - yy, 2 * xy) / max(xx + yy, 1e-12)
        along = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy)) + 90.0  # gradients stand across the structure
        values = {"orientation (°)": float(along % 180), "orientation coherence": float(coherence)}
        return Measured(values, _strongest_half(dx * dx + dy * dy), "the steepest places, which make up half of it",
                        tuple(values))  # fmt: skip


def _strongest_half(energy: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the pixels that make up half of what all make up, the strongest first."""
    ordered = np.sort(energy, axis=None)[::-1]
    total = np.cumsum(ordered, dtype=np.float64)
    if total[-1] <= 0:
        return np.zeros(energy.shape, bool)
    least = ordered[int(np.searchsorted(total, total[-1] / 2))]
    mask: NDArray[np.bool_] = energy >= least
    return mask
