"""The order of changes of selection and scope, to undo them."""

from __future__ import annotations

from typing import Protocol


class Undoable(Protocol):
    """Something that keeps its own steps."""

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""

    @property
    def can_redo(self) -> bool:
        """Whether an undone state can come back."""

    def undo(self) -> None:
        """Go one step back."""

    def redo(self) -> None:
        """Go one step forth."""


class History:
    """Takes back the last wish, whatever it changed; a wish may have changed several things at once."""

    def __init__(self) -> None:
        self._done: list[tuple[Undoable, ...]] = []
        self._undone: list[tuple[Undoable, ...]] = []

    def __len__(self) -> int:
        return len(self._done)

    @property
    def can_undo(self) -> bool:
        """Whether a wish can be taken back."""
        return any(one.can_undo for wish in self._done for one in wish)

    @property
    def can_redo(self) -> bool:
        """Whether a wish that was taken back can come again."""
        return any(one.can_redo for wish in self._undone for one in wish)

    def note(self, changed: Undoable) -> None:
        """Remember that something made a step."""
        self._done.append((changed,))
        self._undone = []

    def unite(self, since: int) -> None:
        """Let all steps from number ``since`` on be those of one wish."""
        if len(self._done) > since + 1:
            self._done[since:] = [tuple(one for wish in self._done[since:] for one in wish)]

    def undo(self) -> None:
        """Take the last wish back."""
        wish = _last_that_can(self._done, "can_undo")
        if wish:
            self._undone.append(wish)
            for one in wish:
                one.undo()

    def redo(self) -> None:
        """Let a wish come again that was taken back."""
        wish = _last_that_can(self._undone, "can_redo")
        if wish:
            self._done.append(wish)
            for one in wish:
                one.redo()

    def forget(self) -> None:
        """Start anew: others are open now."""
        self._done, self._undone = [], []


def _last_that_can(wishes: list[tuple[Undoable, ...]], what: str) -> tuple[Undoable, ...]:
    """Take the last wish off that still can; steps that something has forgotten are passed over."""
    while wishes:
        able = tuple(one for one in wishes.pop() if getattr(one, what))
        if able:
            return able
    return ()
