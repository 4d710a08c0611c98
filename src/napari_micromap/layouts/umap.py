"""Neighborhoods kept, by umap-learn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Features, Positions
from napari_micromap.compiling import keep_compiled
from napari_micromap.layouts import LongLayout
from napari_micromap.layouts.pca import principal_plane
from napari_micromap.neighbors import Neighbors, find_neighbors
from napari_micromap.work import Progress, finish

_FEWEST = 4  # three points have a plane of their own
_SIDE = 10.0  # umap-learn's units for where points start


@dataclass(frozen=True)
class Umap(LongLayout):
    """Put images that look alike close together.

    UMAP keeps neighborhoods: who lies beside whom means something; the size of gaps and of groups does not.

    Parameters
    ----------
    n_neighbors : int
        How many look-alikes an image is kept close to, itself counted. Few (5) show small groups, many (50) the large
        picture.
    min_dist : float
        How close together dots may lie: 0 packs groups tightly, 0.5 spreads them so that each dot can be seen.
    seed : int
        Number that the random steps start from: the same seed gives the same map.
    epochs : int
        Rounds of improvement; 0 takes 500 for up to 10,000 images and 200 for more.

    References
    ----------
    McInnes, L., Healy, J., Saul, N., Großberger, L. (2018). UMAP: Uniform Manifold Approximation and Projection.
    DOI: 10.21105/joss.00861
    """

    n_neighbors: Annotated[int, {"min": 2, "max": 200}] = 15
    min_dist: Annotated[float, {"min": 0.0, "max": 0.99, "step": 0.05}] = 0.1
    seed: Annotated[int, {"min": 0, "max": 2**31 - 1}] = 42
    epochs: Annotated[int, {"min": 0, "max": 10_000, "step": 100}] = 0

    title: ClassVar[str] = "UMAP"

    @property
    def neighbors_needed(self) -> int:
        """Neighbors beside the image itself."""
        return max(2, self.n_neighbors) - 1

    def lay_out(
        self,
        features: Features,
        neighbors: Neighbors | None,
        start: Positions | None = None,
        tell: Callable[[Progress], None] | None = None,
    ) -> Positions:
        """Return the (n, 2) positions, and call ``tell`` with the epochs as they go by."""
        n = len(features)
        if n < _FEWEST:
            return principal_plane(features)
        if neighbors is None or neighbors.rows.shape[1] < min(self.neighbors_needed, n - 1):
            neighbors = finish(find_neighbors(features, self.neighbors_needed))
        random = np.random.RandomState(self.seed)
        graph = self._graph(features, neighbors, random)
        return self._positions(features, graph, _starting_points(features, start, random), random, tell)

    def _graph(self, features: Features, neighbors: Neighbors, random: np.random.RandomState) -> Any:
        umap_ = _umap_learn()
        # umap-learn counts a point as its own first neighbor.
        n, k = len(features), min(self.neighbors_needed, len(features) - 1)
        rows, distances = np.zeros((n, k + 1), np.int32), np.zeros((n, k + 1), np.float32)
        rows[:, 0] = np.arange(n)
        rows[:, 1:], distances[:, 1:] = neighbors.rows[:, :k], neighbors.distances[:, :k]
        graph, _, _ = umap_.fuzzy_simplicial_set(
            features, k + 1, random, "cosine", knn_indices=rows, knn_dists=distances
        )
        return graph

    def _positions(
        self,
        features: Features,
        graph: Any,
        start: NDArray[np.float32],
        random: np.random.RandomState,
        tell: Callable[[Progress], None] | None,
    ) -> Positions:
        umap_ = _umap_learn()
        a, b = umap_.find_ab_params(1.0, self.min_dist)
        epochs = self.epochs or (500 if len(features) <= 10_000 else 200)
        bar: dict[str, Any] = {"disable": True}
        if tell is not None:
            bar = {"file": _Epochs(tell, epochs), "bar_format": "{n}", "mininterval": 0.1, "disable": False}
        positions, _ = umap_.simplicial_set_embedding(
            features, graph, n_components=2, initial_alpha=1.0, a=a, b=b, gamma=1.0, negative_sample_rate=5,
            n_epochs=epochs, init=start, random_state=random, metric="cosine", metric_kwds={}, densmap=False,
            densmap_kwds={}, output_dens=False, parallel=False, tqdm_kwds=bar,
        )  # fmt: skip
        return np.asarray(positions, np.float32)


class _Epochs:
    """A file for tqdm to write its bar to, the one place where umap-learn tells how far it is."""

    def __init__(self, tell: Callable[[Progress], None], total: int) -> None:
        self._tell, self._total = tell, total

    def write(self, text: str) -> None:
        done = text.strip()
        if done.isdecimal():
            self._tell(Progress(Umap.title, int(done), self._total))

    def flush(self) -> None:
        """Nothing is held back."""


def _starting_points(features: Features, start: Positions | None, random: np.random.RandomState) -> NDArray[np.float32]:
    """Scale where points start as umap-learn does, with a little noise that tells duplicates apart."""
    if start is None or not np.isfinite(start).all():
        start = principal_plane(features)
    extent = float(np.abs(start).max())
    scaled = start * (_SIDE / extent) if extent > 0 else np.zeros_like(start)
    return (scaled + random.normal(scale=1e-4, size=start.shape)).astype(np.float32)


def _umap_learn() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns on import that Tensorflow is missing
        keep_compiled("umap.umap_", "umap.layouts")
        import umap.umap_ as umap_
    return umap_
