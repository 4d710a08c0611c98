"""Ways to lay out features on a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from napari_micromap.atlas import Features, Positions
from napari_micromap.choices import Choices, arguments_of
from napari_micromap.neighbors import Neighbors
from napari_micromap.problems import Problem
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
        """Return the (n, 2) positions of (n, p) features."""


class LongLayout(Layout, Protocol):
    """A layout that cannot yield before it is done, and says by a call how far it is: for the layout process."""

    holds_gil: ClassVar[bool] = True

    def __call__(
        self, features: Features, neighbors: Neighbors | None, start: Positions | None = None
    ) -> Work[Positions]:
        """Return the (n, 2) positions; one long step, so beside a window it belongs into the layout process."""
        yield Progress(self.title)
        return self.lay_out(features, neighbors, start)

    def lay_out(
        self,
        features: Features,
        neighbors: Neighbors | None,
        start: Positions | None = None,
        tell: Callable[[Progress], None] | None = None,
    ) -> Positions:
        """Return the (n, 2) positions, and call ``tell`` with the rounds as they go by."""


LAYOUTS: Choices[Layout] = Choices(
    "layout",
    {
        "umap": "napari_micromap.layouts.umap:Umap",
        "pca": "napari_micromap.layouts.pca:Pca",
        "tsne": "napari_micromap.layouts.tsne:Tsne",
    },
)


def layout_of(said: str) -> Layout | None:
    """Return the layout whose ``repr`` an atlas keeps; None for positions from elsewhere.

    Raises
    ------
    Problem
        If it was made by another version, whose layouts had other fields.
    """
    cls = LAYOUTS.called(said)
    if cls is None:
        return None
    try:
        return cls(**arguments_of(said))
    except (TypeError, ValueError) as error:
        raise Problem(f"The map was made by another version ({said}); make it anew.") from error
