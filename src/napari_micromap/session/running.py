"""Who drives the session's work: at once in scripts, off the window's thread in napari."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias, TypeVar

from napari_micromap.work import Progress, Work, finish

T = TypeVar("T")
# build: queued, so verbs in a row work; in the others the newest wins.
Lane: TypeAlias = Literal[
    "build",
    "gallery",
    "statistics",
    "thumbnails",
    "pictures",
    "outlines",
    "where",
    "scales",
    "comparing",
    "folder",
    "reliability",
    "report",
]


class Runner(Protocol):
    """Runs pieces of work, in lanes."""

    def __call__(
        self,
        start: Callable[[], Work[T]],
        *,
        lane: Lane,
        done: Callable[[T], object],
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        """Start the work when its turn comes; ``done`` and ``progress`` are called where the session lives.

        ``start`` is called on the session's thread when the turn comes, so that it sees what earlier work left.
        """

    def cancel(self, lane: Lane) -> None:
        """Stop what runs in a lane, and forget what waits there."""


class AtOnce:
    """Runs everything to its end before it returns; errors reach the caller."""

    def __call__(
        self,
        start: Callable[[], Work[T]],
        *,
        lane: Lane,
        done: Callable[[T], object],
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        """Run the work now."""
        done(finish(start(), progress))

    def cancel(self, lane: Lane) -> None:
        """Nothing ever waits here."""
