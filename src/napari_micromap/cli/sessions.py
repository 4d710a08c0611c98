"""A session that is driven from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_micromap.cli.progress import ProgressLine

if TYPE_CHECKING:
    from napari_micromap.session import Session


@contextmanager
def session_for(said: ProgressLine) -> Iterator[Session]:
    """Give a session whose verbs return when they are done, and whose progress is told."""
    from napari_micromap.session import Session

    session = Session()
    session.progressed.connect(said)
    try:
        yield session
    finally:
        session.workshop.close()
        said.clear()


def save_figure(session: Session, path: Path) -> None:
    """Draw the map as the session shows it, as *Figure…* in the window does."""
    from napari_micromap.sharing.pictures import save_figure_of
    from napari_micromap.sharing.snapshot import Snapshot
    from napari_micromap.work import finish

    finish(save_figure_of(Snapshot.of(session), path))
