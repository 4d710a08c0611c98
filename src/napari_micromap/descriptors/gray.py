"""Gray values, edges and sharpness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured


@dataclass(frozen=True)
class Gray:
    """Measures mean and spread of gray, the density of edges, and sharpness.

    They can be a result of the structure (pores are dark) or of the imaging; both are possible.

    Parameters
    ----------
    edge : float
        Gray step, of the whole range 0–1, over two pixels that counts as an edge.
    """

    edge: float = 0.1
    title: ClassVar[str] = "Gray values and edges"

    def __call__(self, gray: NDArray[np.float32], um_per_px: float | None = None) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from scipy import ndimage

        smooth = ndimage.gaussian_filter(gray, 1.0)
        slope = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) / 4
        edges = slope > self.edge
        values = {
            "gray mean": float(gray.mean()),
            "gray spread": float(gray.std()),
            "edge density": float(edges.mean()),
            "sharpness": float(np.var(ndimage.laplace(gray)) / max(float(gray.var()), 1e-12)),
        }
        return Measured(values, edges, f"gray changes by more than {self.edge:g} over two pixels")
