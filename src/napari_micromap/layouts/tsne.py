"""Neighborhoods kept, by the t-SNE of scikit-learn."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from io import TextIOBase
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Features, Positions
from napari_micromap.layouts import LongLayout
from napari_micromap.layouts.pca import principal_plane
from napari_micromap.neighbors import Neighbors
from napari_micromap.work import Progress

_FEWEST = 4
_ROUNDS = 1000


@dataclass(frozen=True)
class Tsne(LongLayout):
    """Put images that look alike close together, in evenly spread groups.

    t-SNE keeps neighborhoods, as UMAP does; the size of gaps and of groups means nothing. Slower than UMAP.

    Parameters
    ----------
    perplexity : float
        About how many look-alikes an image is kept close to. At most a third of the images is used.
    seed : int
        Number that the random steps start from: the same seed gives the same map.

    References
    ----------
    van der Maaten, L., Hinton, G. (2008). Visualizing data using t-SNE. Journal of Machine Learning Research 9,
    2579–2605. Started from PCA as in Kobak, D., Berens, P. (2019). DOI: 10.1038/s41467-019-13056-x
    """

    perplexity: Annotated[float, {"min": 2.0, "max": 500.0, "step": 5.0}] = 30.0
    seed: Annotated[int, {"min": 0, "max": 2**31 - 1}] = 42

    title: ClassVar[str] = "t-SNE"

    @property
    def neighbors_needed(self) -> int:
        """scikit-learn finds three times the perplexity by itself."""
        return 0

    def lay_out(
        self,
        features: Features,
        neighbors: Neighbors | None,
        start: Positions | None = None,
        tell: Callable[[Progress], None] | None = None,
    ) -> Positions:
        """Return the (n, 2) positions, and call ``tell`` with the rounds as they go by."""
        if len(features) < _FEWEST:
            return principal_plane(features)
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

        method = TSNE(
            perplexity=min(self.perplexity, (len(features) - 1) / 3),
            metric="cosine",
            init=_starting_points(features, start, self.seed),
            random_state=self.seed,
            max_iter=_ROUNDS,
            verbose=0 if tell is None else 2,
        )
        told: Any = nullcontext() if tell is None else redirect_stdout(_Rounds(tell))
        # One thread: with more, sums are rounded in another order each time, and the map with them.
        with threadpool_limits(1), told:
            return np.asarray(method.fit_transform(features), np.float32)


class _Rounds(TextIOBase):
    """Listens to what scikit-learn prints, the one place where it tells how far it is."""

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell

    def write(self, text: str) -> int:
        found = re.search(r"Iteration (\d+)", text)
        if found:
            self._tell(Progress(Tsne.title, int(found[1]), _ROUNDS))
        return len(text)


def _starting_points(features: Features, start: Positions | None, seed: int) -> NDArray[np.float32]:
    """Start small, as scikit-learn does, with noise that tells duplicates apart."""
    if start is None or not np.isfinite(start).all():
        start = principal_plane(features)
    spread = float(np.std(start[:, 0]))
    scaled = start * (1e-4 / spread) if spread > 0 else np.zeros_like(start)
    noise = np.random.default_rng(seed).normal(scale=1e-6, size=start.shape)
    return (scaled + noise).astype(np.float32)
