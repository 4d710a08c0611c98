"""Gray values, edges and sharpness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_micromap.descriptors import Measured, filled, inner


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

    def __call__(
        self, gray: NDArray[np.float32], um_per_px: float | None = None, out: NDArray[np.bool_] | None = None
    ) -> Measured:
        """Measure an (h, w) gray picture of values 0–1."""
        from scipy import ndimage

        signal, asked = filled(gray, out), inner(out, 3)
        smooth = ndimage.gaussian_filter(signal, 1.0)
        slope = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) / 4
        edges = (slope > self.edge) & asked
        looked_at = int(np.broadcast_to(asked, gray.shape).sum())
        bent = ndimage.laplace(signal)
        grays, bent = (gray, bent) if looked_at in (0, gray.size) else (gray[asked], bent[asked])
        values = {
            "gray mean": float(grays.mean()),
            "gray spread": float(grays.std()),
            "edge density": float(edges.sum() / max(looked_at, 1)),
            "sharpness": float((bent.var() if looked_at else 0.0) / max(float(grays.var()), 1e-12)),
        }
        said = f"gray changes by more than {self.edge:g} of its range over two pixels"
        return Measured(values, edges, said, ("edge density",))
