"""Gray-level co-occurrence and local binary patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, inner

_WAYS = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)  # from a pixel to the one it is compared with
_CIRCLE = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))  # neighbors, one after the other
_ASLANT = 0.70711
_SIDE, _CORNER = np.float32(_ASLANT * (1 - _ASLANT)), np.float32(_ASLANT**2)  # shares of pixels in a point aslant


@dataclass(frozen=True)
class Texture:
    """Measures co-occurrence of gray levels, and local binary patterns.

    Parameters
    ----------
    distance_px : int
        Distance of the two pixels that are compared.
    levels : int
        Gray levels that are told apart.

    References
    ----------
    Haralick et al. 1973, https://doi.org/10.1109/TSMC.1973.4309314;
    Ojala et al. 2002, https://doi.org/10.1109/TPAMI.2002.1017623
    """

    distance_px: int = 2
    levels: int = 32

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from skimage.feature import graycomatrix, graycoprops

        steps = np.minimum((gray * self.levels).astype(np.uint8), self.levels - 1)
        if out is not None and not out.all():
            steps[out] = self.levels  # a level of its own, whose pairs are dropped
        pairs = graycomatrix(steps, [self.distance_px], _WAYS, self.levels + 1, symmetric=True)
        pairs = pairs[: self.levels, : self.levels].astype(np.float64)
        matrix = pairs / np.maximum(pairs.sum(axis=(0, 1), keepdims=True), 1)
        names = ("contrast", "homogeneity", "energy", "correlation")
        values = {f"GLCM {name}": float(graycoprops(matrix, name).mean()) for name in names}
        patterns = _patterns((gray * 255).astype(np.uint8))
        counted = np.broadcast_to(inner(out, 1), gray.shape)
        shares = np.bincount(patterns[counted], minlength=10)[:10] / max(int(counted.sum()), 1)
        present = shares[shares > 0]
        values["LBP entropy (bit)"] = float(-(present * np.log2(present)).sum())
        values["LBP flat share"] = float(shares[8])
        said = "pixels without a darker neighbor: flat places and dark points"
        return Measured(values, (patterns == 8) & counted, said, ("LBP flat share",))


def _patterns(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (h, w) uniform local binary patterns of 8 neighbors on a circle of one pixel: 0–8, 9 for all others.

    Neighbors aslant lie between pixels, and are read between them; beyond the picture everything is black.
    """
    height, width = gray.shape
    around = np.pad(gray, 1).astype(np.int16)

    def at(down: int, across: int) -> NDArray[np.int16]:
        return around[1 + down : 1 + down + height, 1 + across : 1 + across + width]

    middle = at(0, 0)
    code = np.zeros(gray.shape, np.uint8)
    for bit, (down, across) in enumerate(_CIRCLE):
        if down and across:
            sides = (at(down, 0) + at(0, across) - 2 * middle).astype(np.float32)
            not_darker = _SIDE * sides + _CORNER * (at(down, across) - middle).astype(np.float32) >= 0
        else:
            not_darker = at(down, across) >= middle
        code |= not_darker.astype(np.uint8) << bit
    return _uniform()[code]


def _uniform() -> NDArray[np.uint8]:
    """Return the pattern of each code: how many neighbors are not darker, 9 where they do not stand together."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9).astype(np.uint8)
