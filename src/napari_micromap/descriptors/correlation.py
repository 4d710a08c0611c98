"""How far gray values remember one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, filled, unit_of
from napari_micromap.descriptors.filters import wide_blur

_FIRST = 48  # pixels to which correlation is looked at first; further only where it has not fallen by then


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

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        asked = None if out is None or not out.any() or out.all() else (~out).astype(np.float32)
        signal = filled(gray, out)
        signal = signal - wide_blur(signal, self.low_pass * min(gray.shape))
        signal = (
            signal - signal.mean(dtype=np.float64).astype(np.float32)
            if asked is None
            else ((signal - (signal * asked).sum() / asked.sum()) * asked)
        )
        reach, whole = _FIRST, min(gray.shape) // 2
        profile = _profile(signal, asked, min(reach, whole))
        while reach < whole and not (profile < np.exp(-1)).any():
            reach *= 4
            profile = _profile(signal, asked, min(reach, whole))
        below = np.flatnonzero(profile < np.exp(-1))
        unit, per_px = unit_of(um_per_px)
        if not len(below) or below[0] == 0:
            return Measured({f"correlation length ({unit})": float("nan")})
        last, first = profile[below[0] - 1], profile[below[0]]
        length = float(below[0] - 1 + (last - np.exp(-1)) / max(float(last - first), 1e-12))
        values = {f"correlation length ({unit})": length * per_px}
        said = "a disc of this radius: gray values inside go along with the one in its middle"
        return Measured(values, _disc(gray.shape, length), said, tuple(values))


def _profile(signal: NDArray[np.float32], asked: NDArray[np.float32] | None, reach: int) -> NDArray[np.float64]:
    """Return (reach,) correlation at distances of 0, 1, … px, averaged over directions; 1 at 0."""
    from scipy import fft

    shape = [fft.next_fast_len(n + reach, real=True) for n in signal.shape]  # nothing within reach comes round
    lags = np.arange(-reach + 1, reach)
    down = lags[reach - 1 :, None]  # the other half is the same
    correlation = fft.irfft2(_power(fft.rfft2(signal, shape)), shape)[down, lags]
    if asked is None:
        overlap = (signal.shape[0] - down) * (signal.shape[1] - np.abs(lags))
    else:
        overlap = fft.irfft2(_power(fft.rfft2(asked, shape)), shape)[down, lags]
    ring = np.hypot(down, lags).round().astype(np.intp).ravel()
    counts = np.broadcast_to(np.where(down > 0, 2.0, 1.0), correlation.shape)
    near = counts * correlation / np.maximum(overlap, 1)
    profile = np.bincount(ring, near.ravel())[:reach] / np.bincount(ring, counts.ravel())[:reach]
    return np.asarray(profile / max(float(profile[0]), 1e-12), np.float64)


def _power(waves: NDArray[np.complex64]) -> NDArray[np.float32]:
    return np.asarray(waves.real**2 + waves.imag**2, np.float32)


def _disc(shape: tuple[int, ...], radius: float) -> NDArray[np.bool_]:
    """Return a disc in the middle of a picture."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    disc: NDArray[np.bool_] = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 <= radius**2
    return disc
