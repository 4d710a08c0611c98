"""Undo and redo: of one thing, and of several in the order in which they changed."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

T = TypeVar("T")

_KEPT_STEPS = 200


class Undoable(Generic[T]):
    """Something that can go back step by step; a step is what it was before and after."""

    def __init__(self) -> None:
        self._done: list[tuple[T, T]] = []
        self._undone: list[tuple[T, T]] = []

    def _put(self, state: T) -> None:
        """Be in that state again, and tell."""
        raise NotImplementedError

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier state."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether an undone state can come back."""
        return bool(self._undone)

    def undo(self) -> None:
        """Go one step back."""
        if self._done:
            self._undone.append(self._done.pop())
            self._put(self._undone[-1][0])

    def redo(self) -> None:
        """Go one step forth."""
        if self._undone:
            self._done.append(self._undone.pop())
            self._put(self._done[-1][1])

    def _note_step(self, before: T, after: T) -> None:
        self._done = [*self._done[-_KEPT_STEPS:], (before, after)]
        self._undone = []

    def _forget_steps(self) -> None:
        self._done, self._undone = [], []


class History:
    """Takes back the last wish, whatever it changed; a wish may have changed several things at once."""

    def __init__(self) -> None:
        self._done: list[tuple[Undoable[Any], ...]] = []
        self._undone: list[tuple[Undoable[Any], ...]] = []

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

    def note(self, changed: Undoable[Any]) -> None:
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


def _last_that_can(wishes: list[tuple[Undoable[Any], ...]], what: str) -> tuple[Undoable[Any], ...]:
    """Take the last wish off that still can; steps that something has forgotten are passed over."""
    while wishes:
        able = tuple(one for one in wishes.pop() if getattr(one, what))
        if able:
            return able
    return ()
