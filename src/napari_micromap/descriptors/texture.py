"""Gray-level co-occurrence and local binary patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured


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

    def __call__(self, gray: NDArray[np.float32], um_per_px: float | None = None) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

        steps = np.minimum((gray * self.levels).astype(np.uint8), self.levels - 1)
        angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
        matrix = graycomatrix(steps, [self.distance_px], angles, self.levels, symmetric=True, normed=True)
        names = ("contrast", "homogeneity", "energy", "correlation")
        values = {f"GLCM {name}": float(graycoprops(matrix, name).mean()) for name in names}
        patterns = local_binary_pattern((gray * 255).astype(np.uint8), 8, 1, "uniform")
        shares = np.bincount(patterns.astype(int).ravel(), minlength=10)[:10] / patterns.size
        present = shares[shares > 0]
        values["LBP entropy (bit)"] = float(-(present * np.log2(present)).sum())
        values["LBP flat share"] = float(shares[8])
        return Measured(values)
