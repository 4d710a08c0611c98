"""Ways to lay out features on a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from napari_micromap.atlas import Features, Positions
from napari_micromap.choices import Choices
from napari_micromap.neighbors import Neighbors
from napari_micromap.work import Progress, Work


class Layout(Protocol):
    """A frozen dataclass with flat fields that places features on a plane."""

    title: ClassVar[str]  # "UMAP"
    holds_gil: ClassVar[bool]  # True: must run in the layout process, not in a thread beside a window

    @property
    def neighbors_needed(self) -> int:
        """How many neighbors a micrograph the layout wants to be given; 0: none."""

    def __call__(
        self, features: Features, neighbors: Neighbors | None, start: Positions | None = None
    ) -> Work[Positions]:
        """Return the (n, 2) positions."""

    def place(self, new: Features, features: Features, positions: Positions) -> Positions:
        """Place (m, p) new features among those that have positions; the old ones do not move."""


class LongLayout(Layout, Protocol):
    """A layout that cannot yield before it is done, and says by a call how far it is: for the layout process."""

    def lay_out(
        self,
        features: Features,
        neighbors: Neighbors | None,
        start: Positions | None = None,
        tell: Callable[[Progress], None] | None = None,
    ) -> Positions:
        """Return the (n, 2) positions."""


LAYOUTS: Choices[Layout] = Choices(
    "layout",
    {
        "umap": "napari_micromap.layouts.umap:Umap",
        "pca": "napari_micromap.layouts.pca:Pca",
        "tsne": "napari_micromap.layouts.tsne:Tsne",
    },
)
