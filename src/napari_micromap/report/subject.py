"""What a report tells of, as it stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_micromap.atlas import Atlas
from napari_micromap.pipeline import Workshop
from napari_micromap.problems import Problem
from napari_micromap.questions.inquiry import Answer
from napari_micromap.session import Session
from napari_micromap.wording import counted


@dataclass(frozen=True, eq=False)
class Subject:
    """An answer and what it was had from; nothing of it changes while the report is written off the window's thread.

    Parameters
    ----------
    map_title : str
        How the shown map was made.
    left_out : what and how many
        What took no part, and why.
    """

    atlas: Atlas
    answer: Answer
    workshop: Workshop
    map_title: str
    saved_as: Path | None
    left_out: tuple[tuple[str, str], ...]


def subject_of(session: Session, property: str) -> Subject:
    """Take down what there is to tell of a property.

    Raises
    ------
    Problem
        If it was not tested yet.
    """
    answer = session.questions.answers.get(property)
    if answer is None:
        raise Problem(f"Test {property} first; the report tells what came of it.")
    title = session.map.title if session.map is not None else "Map"
    return Subject(session.atlas, answer, session.workshop, title, session.saving.folder, _left_out(session, answer))


def _left_out(session: Session, answer: Answer) -> tuple[tuple[str, str], ...]:
    atlas, scope = session.atlas, session.scope
    lines = [(f"“Use only”: {one.label}", "") for one in scope.filters]
    hidden = int((~scope.shown(atlas)).sum())
    lines += [("Not shown by these filters", counted(hidden, "image"))] if hidden else []
    lines += [(f"Excluded: {reason}", counted(count, "image")) for reason, count in scope.reasons(atlas).items()]
    late = scope.after_property(atlas)
    lines += [("… of these after a property had been seen", counted(late, "image"))] if late else []
    without = len(session.used) - len(answer.units.rows)
    lines += [(f"Without {answer.words.quantity} or without a {answer.words.sample}", counted(without, "image"))]
    lines += [("Files that could not be read", counted(len(atlas.unreadable), "file"))] if atlas.unreadable else []
    return tuple(lines)
