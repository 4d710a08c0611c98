"""Where in opened micrographs a property shows, if that is wished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_micromap.atlas import Micrograph
from napari_micromap.problems import Problem
from napari_micromap.questions.locating import Located, locate, why_not
from napari_micromap.statistics.where import Split

if TYPE_CHECKING:
    from napari_micromap.session.model import Session


TITLE = "Where it shows: blue lowers, red raises"


class Where:
    """Shares of places in the predictions of micrographs; speaks when they change.

    Parameters
    ----------
    session : Session
        Whose tests say which property is predicted.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self.splits: Mapping[int, Split] = {}  # row to shares; empty where nothing is shown
        self._strongest: dict[str, float] = {}
        self.property: str | None = None

    @property
    def strongest(self) -> float:
        """Both ends of the color scale, common to all micrographs that were looked at for this property."""
        return self._strongest.get(self.property or "", 1.0)

    def micrograph(self, row: int) -> Micrograph | None:
        """Return the micrograph of a row, which knows where its specimen lies; None where it is gone."""
        atlas = self._session.atlas
        return atlas[row] if row < len(atlas) else None

    @property
    def title(self) -> str:
        """What the colors mean, with the ends of their scale in units of the property."""
        answer = self._session.questions.answers.get(self.property or "")
        if answer is None:
            return TITLE
        if answer.units.categories:
            return f"Where it shows: blue {answer.units.categories[0]}, red {answer.units.categories[-1]}"
        return f"{TITLE} (±{answer.words.amount(self.strongest)})"

    def show(self, rows: Sequence[int], property: str) -> None:
        """Look where in micrographs a tested property shows.

        Raises
        ------
        Problem
            If it was not tested, or if no place can be shown; the sentence says why.
        """
        answer = self._session.questions.answers.get(property)
        if answer is None:
            raise Problem(f"Test {property} first: where it shows means something only if the pictures predict it.")
        reason = why_not(self._session.atlas, answer.evidence)
        if reason is None and answer.verdict.kind == "confounded":
            reason = "How the images were taken may account for the finding, so places could be those of that."
        if reason is not None:
            raise Problem(reason)
        atlas, units, nuisance = self._session.atlas, answer.units, answer.nuisance

        def done(found: Located) -> None:
            if self._session.atlas.embeddings is atlas.embeddings:
                self.splits, self.property = found.splits, property
                self._strongest[property] = max(self._strongest.get(property, 0.0), found.strongest)
                self.changed.emit()
            self._session.questions.asking.emit(None)

        self._session.run(
            lambda: locate(atlas, rows, units, nuisance), lane="where", done=done,
            progress=self._session.questions.asking.emit,
        )  # fmt: skip

    def hide(self) -> None:
        """Show nothing, and stop looking."""
        self._session.run.cancel("where")
        if self.splits:
            self.splits = {}
            self.changed.emit()
