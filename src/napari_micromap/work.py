"""Long work as generators that tell their progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage of work has come.

    Parameters
    ----------
    stage : str
        What is being done, as a user reads it: "Reading", "Embedding".
    done, total : int
        Steps done and in all; ``total`` is 0 where it is not known yet.
    note : str
        One short remark beside it.
    partial : object
        Something that can be shown already, such as a preview of the map.
    """

    stage: str
    done: int = 0
    total: int = 0
    note: str = ""
    partial: object = None


Work: TypeAlias = Generator[Progress, None, T]


def finish(work: Work[T], on_progress: Callable[[Progress], object] | None = None) -> T:
    """Drive a piece of work to its end and return its result."""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        if on_progress is not None:
            on_progress(progress)


def with_partial(work: Work[T], made: Callable[[T], object]) -> Work[T]:
    """Make something else of what a piece of work can show already, where it is of the kind that it returns."""
    try:
        while True:
            try:
                progress = next(work)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if progress.partial is not None:
                progress = replace(progress, partial=made(progress.partial))  # type: ignore[arg-type]
            yield progress
    finally:
        work.close()


class Pace:
    """The time left in the running stage, from its pace so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage = ""
        self._began = 0.0
        self._first = 0

    def seconds_left(self, progress: Progress) -> float | None:
        """Estimate the seconds left in this stage, or None while it is too early to say."""
        now = self._clock()
        if progress.stage != self._stage:
            self._stage, self._began, self._first = progress.stage, now, progress.done
        steps, seconds = progress.done - self._first, now - self._began
        if steps <= 0 or seconds < 1.0 or progress.total <= 0:
            return None
        return seconds / steps * max(0, progress.total - progress.done)


def spoken(seconds: float) -> str:
    """Say a duration as people do: "about 40 s", "about 3 min"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
