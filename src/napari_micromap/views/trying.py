"""Doing what a user wished, or saying why it cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from napari_micromap.problems import Problem

Try: TypeAlias = Callable[[Callable[[], object]], bool]  # whether it was done


def trying(tell: Callable[[str], object]) -> Try:
    """Return what does a verb, and tells a problem in its one sentence."""

    def attempt(verb: Callable[[], object]) -> bool:
        try:
            verb()
        except Problem as problem:
            tell(str(problem))
            return False
        return True

    return attempt
