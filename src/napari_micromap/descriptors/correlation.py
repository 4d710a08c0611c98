"""How far gray values remember one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, filled, unit_of


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

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from scipy import fft, ndimage

        asked = np.ones(gray.shape, np.float32) if out is None or out.all() else (~out).astype(np.float32)
        signal = filled(gray, out)
        signal = signal - ndimage.gaussian_filter(signal, self.low_pass * min(gray.shape))
        signal = (signal - (signal * asked).sum() / asked.sum()) * asked
        shape = [fft.next_fast_len(2 * n, real=True) for n in gray.shape]
        power = np.abs(fft.rfft2(signal, shape)) ** 2
        correlation = fft.irfft2(power, shape)
        overlap = fft.irfft2(np.abs(fft.rfft2(asked, shape)) ** 2, shape)
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
        length = float(below[0] - 1 + (last - np.exp(-1)) / max(float(last - first), 1e-12))
        values = {f"correlation length ({unit})": length * per_px}
        said = "a disc of this radius: gray values inside go along with the one in its middle"
        return Measured(values, _disc(gray.shape, length), said, tuple(values))


def _disc(shape: tuple[int, ...], radius: float) -> NDArray[np.bool_]:
    """Return a disc in the middle of a picture."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    disc: NDArray[np.bool_] = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 <= radius**2
    return disc
