"""How far gray values remember one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, unit_of


@dataclass(frozen=True)
class CorrelationLength:
    """Measures the distance at which the two-point correlation has fallen to 1/e, averaged over directions.

    Parameters
    ----------
    low_pass : float
        Share of the shorter side beyond which brightness that varies slowly is taken out first.

    References
    ----------
    Torquato: Random Heterogeneous Materials, 2002, https://doi.org/10.1007/978-1-4757-6355-3
    """

    low_pass: float = 0.25
    title: ClassVar[str] = "Correlation length"

    def __call__(self, gray: NDArray[np.float32], um_per_px: float | None = None) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from scipy import fft, ndimage

        signal = gray - ndimage.gaussian_filter(gray, self.low_pass * min(gray.shape))
        signal = signal - signal.mean()
        shape = [fft.next_fast_len(2 * n, real=True) for n in gray.shape]
        power = np.abs(fft.rfft2(signal, shape)) ** 2
        correlation = fft.irfft2(power, shape)
        overlap = fft.irfft2(np.abs(fft.rfft2(np.ones_like(signal), shape)) ** 2, shape)
        reach = min(gray.shape) // 2
        lags = np.arange(-reach + 1, reach)
        near = (correlation / np.maximum(overlap, 1))[np.ix_(lags, lags)]
        distance = np.hypot(lags[:, None], lags[None, :])
        ring = distance.round().astype(int)
        profile = np.bincount(ring.ravel(), near.ravel()) / np.maximum(np.bincount(ring.ravel()), 1)
        profile = profile[:reach] / max(float(profile[0]), 1e-12)
        below = np.flatnonzero(profile < np.exp(-1))
        unit, per_px = unit_of(um_per_px)
        if not len(below) or below[0] == 0:
            return Measured({f"correlation length ({unit})": float("nan")})
        last, first = profile[below[0] - 1], profile[below[0]]
        length = below[0] - 1 + (last - np.exp(-1)) / max(float(last - first), 1e-12)
        return Measured({f"correlation length ({unit})": float(length) * per_px})
