"""Surfaces as secondary electrons show them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_micromap.sources.films.surface import Surface, blurred, smooth_noise


def photograph(surface: Surface, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Take a 16-bit picture of (h, w): brighter on slopes and edges, darker in holes, noisy, each a bit different."""
    signal = _yield(surface, rng)
    signal = blurred(signal, rng.uniform(0.55, 0.95))
    signal *= 1 + np.float32(0.05) * smooth_noise(signal.shape, 160.0, rng)
    electrons = rng.uniform(55, 130)  # a pixel: what is bright is noisy, too
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    noise[:, 1:] += np.float32(0.35) * noise[:, :-1]  # the detector is slower than the beam
    signal += noise * np.sqrt(np.maximum(signal, np.float32(0.05)) * np.float32(1 / electrons))
    signal *= rng.normal(1, 0.006, (len(signal), 1)).astype(np.float32)  # lines flicker
    signal = (signal - rng.normal(0, 0.04)) * rng.normal(1, 0.09)
    return np.rint(np.clip(signal * 26000, 0, 65535)).astype(np.uint16)


def _yield(surface: Surface, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how many electrons come from each pixel; 1 from a flat surface."""
    height = blurred(surface.height, 0.7)
    down, right = _slope(height, 0), _slope(height, 1)
    steep = np.sqrt(1 + down**2 + right**2)
    side = float(rng.normal(-0.8, 0.15))  # where the detector stands
    lit = (np.float32(np.cos(side)) * right + np.float32(np.sin(side)) * down) / steep
    signal = np.float32(0.38) + np.float32(0.42) * np.minimum(steep, np.float32(2.6)) - np.float32(0.16) * lit
    for sigma, weight in ((1.6, 0.22), (5.0, 0.34), (14.0, 0.30)):
        above = (height - blurred(height, sigma)) * np.float32(1.6 / sigma)
        signal += np.float32(weight) * np.tanh(above)
    # From the depth of a hole few electrons escape; needles and outgrowths give a little more than the matrix.
    escaping = np.ones(height.shape, np.float32)
    escaping[surface.pores] = 0.55
    escaping[surface.needles] = 1.14
    escaping[surface.outgrowths] = 1.16
    signal *= escaping
    shown: NDArray[np.float32] = np.maximum(signal, np.float32(0.03))
    return shown


def _slope(height: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    padded = np.pad(height, [(int(axis == 0),) * 2, (int(axis == 1),) * 2], mode="edge")
    rise = padded[2:] - padded[:-2] if axis == 0 else padded[:, 2:] - padded[:, :-2]
    half: NDArray[np.float32] = np.float32(0.5) * rise
    return half
