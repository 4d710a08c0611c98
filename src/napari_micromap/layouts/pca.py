"""The two directions in which the features differ most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Features, Positions
from napari_micromap.neighbors import Neighbors
from napari_micromap.work import Progress, Work


@dataclass(frozen=True)
class Pca:
    """Show the two directions in which the images differ most.

    A plain projection (principal component analysis): quick, the same every time, and distances on it can be read as
    they are. Groups that differ in many small ways may lie over one another.

    References
    ----------
    Pearson, K. (1901). On lines and planes of closest fit to systems of points in space.
    DOI: 10.1080/14786440109462720
    """

    title: ClassVar[str] = "PCA"
    holds_gil: ClassVar[bool] = False

    @property
    def neighbors_needed(self) -> int:
        """PCA looks at all at once."""
        return 0

    def __call__(
        self, features: Features, neighbors: Neighbors | None = None, start: Positions | None = None
    ) -> Work[Positions]:
        """Return the (n, 2) positions."""
        yield Progress("PCA", 0, 1)
        return principal_plane(features)


def principal_plane(features: NDArray[np.float32]) -> Positions:
    """Project (n, p) features on their first two principal components, (n, 2).

    The longer tail of the points lies to the right and at the top, so that the sign does not depend on the machine.
    """
    centered = features.astype(np.float64)
    centered -= centered.mean(axis=0) if len(centered) else 0.0
    points = np.zeros((len(centered), 2))
    found = _two_largest(centered)
    points[:, : found.shape[1]] = found
    points *= np.where((points**3).sum(axis=0) < 0, -1.0, 1.0)
    return points.astype(np.float32)


def _two_largest(centered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores, (n, 0 to 2), by the smaller of the two products that share their eigenvalues."""
    from scipy.linalg import eigh

    n, p = centered.shape
    smaller = min(n, p)
    if smaller == 0:
        return np.zeros((n, 0))
    product = centered.T @ centered if p <= n else centered @ centered.T
    values, vectors = eigh(product, subset_by_index=[max(0, smaller - 2), smaller - 1])
    values, vectors = values[::-1], vectors[:, ::-1]
    scores: NDArray[np.float64] = centered @ vectors if p <= n else vectors * np.sqrt(np.maximum(values, 0.0))
    # What is left of directions that do not exist is rounding, and must not be blown up to look like something.
    scores[:, values <= values[0] * 1e-12] = 0.0
    return scores
