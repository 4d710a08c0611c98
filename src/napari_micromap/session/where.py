"""Where in the opened micrograph a property shows, if that is wished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from napari_micromap.atlas import Atlas
from napari_micromap.locating import Located, locate, why_not
from napari_micromap.problems import Problem
from napari_micromap.session.running import Runner
from napari_micromap.statistics.where import Split

if TYPE_CHECKING:
    from napari_micromap.inquiry import Answer


class Asked(Protocol):
    """What is needed of the session."""

    run: Runner

    @property
    def atlas(self) -> Atlas:
        """The micrographs."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The tests that were made."""


class Where:
    """Shares of places in one micrograph's prediction; speaks when they change.

    Parameters
    ----------
    session : Session
        Whose tests say which property is predicted.
    """

    changed = Signal()

    def __init__(self, session: Asked) -> None:
        self._session = session
        self._found: Located | None = None
        self._strongest: dict[str, float] = {}
        self.property: str | None = None
        self.row: int | None = None

    @property
    def split(self) -> Split | None:
        """The shares over the micrograph, None where nothing is shown."""
        return None if self._found is None or self.row is None else self._found.splits[self.row]

    @property
    def strongest(self) -> float:
        """Both ends of the color scale, common to all micrographs that were looked at for this property."""
        return self._strongest.get(self.property or "", 1.0)

    def show(self, row: int, property: str) -> None:
        """Look where in a micrograph a tested property shows.

        Raises
        ------
        Problem
            If it was not tested, or if no place can be shown; the sentence says why.
        """
        answer = self._session.answers.get(property)
        if answer is None:
            raise Problem(f"Test {property} first: where it shows means something only if the pictures predict it.")
        reason = why_not(self._session.atlas, answer.evidence)
        if reason is not None:
            raise Problem(reason)
        atlas, units = self._session.atlas, answer.units

        def done(found: Located) -> None:
            self._found, self.row, self.property = found, row, property
            self._strongest[property] = max(self._strongest.get(property, 0.0), found.strongest)
            self.changed.emit()

        # a new selection leaves the opened micrograph, and ends this as well
        self._session.run(lambda: locate(atlas, [row], units), lane="gallery", done=done)

    def hide(self) -> None:
        """Show nothing."""
        if self._found is not None:
            self._found, self.row = None, None
            self.changed.emit()
