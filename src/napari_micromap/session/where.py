"""Where in micrographs in sight a finding shows, if that is wished."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_micromap.atlas import Micrograph, Rows
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import Answer
from napari_micromap.questions.locating import Located, locate, why_not_for
from napari_micromap.questions.telling_apart import Apart, tell_apart
from napari_micromap.statistics.where import Split
from napari_micromap.work import Progress

if TYPE_CHECKING:
    from napari_micromap.session.model import Session


TITLE = "Where it shows: blue lowers, red raises"
Group = tuple[str, Rows]  # name and rows


@dataclass(frozen=True, eq=False)
class _Wish:
    """What is to be shown: a property, or what tells two groups apart."""

    name: str  # by which the ends of the color scale are kept
    answer: Answer
    progress: Callable[[Progress | None], None]
    groups: tuple[Group, Group] | None = None


class Where:
    """Shares of places in the predictions of micrographs; speaks when they change.

    Once wished, they are there in every micrograph that is opened, until hidden or a gallery takes its place.

    Parameters
    ----------
    session : Session
        Whose tests say what is predicted.
    """

    changed = Signal()
    told = Signal(object)  # Apart | None: how surely two groups are told apart

    def __init__(self, session: Session) -> None:
        self._session = session
        self.splits: Mapping[int, Split] = {}  # row to shares; empty where nothing is shown
        self._strongest: dict[str, float] = {}
        self._wish: _Wish | None = None
        self._in_sight: Sequence[int] = ()

    @property
    def wished(self) -> str | None:
        """What is shown, or looked for: a property, or "A / B" for what tells groups apart; None for nothing."""
        return None if self._wish is None else self._wish.name

    @property
    def groups(self) -> tuple[Group, Group] | None:
        """The two groups of which is shown what tells them apart."""
        return None if self._wish is None else self._wish.groups

    @property
    def strongest(self) -> float:
        """Both ends of the color scale, common to all micrographs that were looked at for this."""
        return self._strongest.get(self.wished or "", 1.0)

    def micrograph(self, row: int) -> Micrograph | None:
        """Return the micrograph of a row, which knows where its specimen lies; None where it is gone."""
        atlas = self._session.atlas
        return atlas[row] if row < len(atlas) else None

    @property
    def title(self) -> str:
        """What the colors mean, with the ends of their scale in units of the property."""
        if self._wish is None:
            return TITLE
        answer, groups = self._wish.answer, self._wish.groups
        if groups is not None:
            return f"Where it shows: red as in {groups[0][0]}, blue as in {groups[1][0]}"
        if answer.units.categories:
            return f"Where it shows: blue {answer.units.categories[0]}, red {answer.units.categories[-1]}"
        return f"{TITLE} (±{answer.words.amount(self.strongest)})"

    @property
    def note(self) -> str:
        """Say how what is shown differs from the test's prediction; "" where nothing is shown, or no number."""
        if not self.splits or self._wish is None or self._wish.groups or self._wish.answer.units.categories:
            return ""
        words = self._wish.answer.words
        return (
            f"From all {words.samples}, and from fine structure alone where that suffices: what the colors add up to "
            f"can differ from “{words.quantity} predicted”."
        )

    def show(self, rows: Sequence[int], property: str) -> None:
        """Look where in micrographs a tested property shows.

        Raises
        ------
        Problem
            If it was not tested, or if no place can be shown; the sentence says why.
        """
        questions = self._session.questions
        answer = questions.answers.get(property)
        if answer is None:
            raise Problem(f"Test {property} first: where it shows means something only if the pictures predict it.")
        reason = why_not_for(self._session.atlas, answer)
        if reason is not None:
            raise Problem(reason)
        self._wish = _Wish(property, answer, questions.asking.emit)
        self._look(rows)

    def show_apart(self, a: Group, b: Group) -> None:
        """Look where in the micrographs in sight it shows what tells two groups apart, if anything does.

        ``told`` says how surely they are told apart, and why no place can be shown.
        """
        self.hide()
        atlas, progress = self._session.atlas, self._session.groups.comparing.emit

        def done(apart: Apart) -> None:
            progress(None)
            if self._session.atlas.embeddings is not atlas.embeddings:
                return
            if apart.reason is None:
                self._wish = _Wish(f"{apart.a} / {apart.b}", apart.answer, progress, (a, b))
                self._look(self._in_sight)
            self.told.emit(apart)

        self._session.run(lambda: tell_apart(atlas, a, b), lane="where", done=done, progress=progress)

    def look_at(self, rows: Sequence[int], *, gallery: bool = False) -> None:
        """Take other micrographs for those in sight: an opened one, a gallery's page, or none."""
        self._in_sight = rows
        if gallery:  # looking into all of them takes long; that is for the user to wish
            self.hide()
        elif self._wish is not None:
            self._clear()
            self._look(rows)

    def hide(self) -> None:
        """Show nothing, and stop looking."""
        if self._wish is not None:
            self.stop()
        self._wish = None
        self._clear()

    def stop(self) -> None:
        """Stop looking; what is shown stays."""
        self._session.run.cancel("where")
        if self._wish is not None:
            self._wish.progress(None)

    # ------------------------------------------------------------------ within

    def _look(self, rows: Sequence[int]) -> None:
        wish, atlas = self._wish, self._session.atlas
        if wish is None or not len(rows):
            return

        def done(found: Located) -> None:
            wish.progress(None)
            if self._wish is wish and self._session.atlas.embeddings is atlas.embeddings:
                self._strongest[wish.name] = max(self._strongest.get(wish.name, 0.0), found.strongest)
                self.splits = found.splits
                self.changed.emit()

        self._session.run(
            lambda: locate(atlas, rows, wish.answer.units, wish.answer.nuisance), lane="where", done=done,
            progress=wish.progress,
        )  # fmt: skip

    def _clear(self) -> None:
        if self.splits:
            self.splits = {}
            self.changed.emit()
