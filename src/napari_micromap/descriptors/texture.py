"""Gray-level co-occurrence and local binary patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, inner


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
    title: ClassVar[str] = "Texture (GLCM, LBP)"

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

        looked_at = np.ones(gray.shape, bool) if out is None or out.all() else ~out
        steps = np.minimum((gray * self.levels).astype(np.uint8), self.levels - 1)
        steps[~looked_at] = self.levels  # a level of its own, whose pairs are dropped
        angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
        pairs = graycomatrix(steps, [self.distance_px], angles, self.levels + 1, symmetric=True).astype(np.float64)
        pairs = pairs[: self.levels, : self.levels]
        matrix = pairs / np.maximum(pairs.sum(axis=(0, 1), keepdims=True), 1)
        names = ("contrast", "homogeneity", "energy", "correlation")
        values = {f"GLCM {name}": float(graycoprops(matrix, name).mean()) for name in names}
        patterns = local_binary_pattern((gray * 255).astype(np.uint8), 8, 1, "uniform").astype(int)
        counted = np.broadcast_to(inner(out, 1), gray.shape)
        shares = np.bincount(patterns[counted], minlength=10)[:10] / max(int(counted.sum()), 1)
        present = shares[shares > 0]
        values["LBP entropy (bit)"] = float(-(present * np.log2(present)).sum())
        values["LBP flat share"] = float(shares[8])
        said = "pixels without a darker neighbor: flat places and dark points"
        return Measured(values, (patterns == 8) & counted, said, ("LBP flat share",))
