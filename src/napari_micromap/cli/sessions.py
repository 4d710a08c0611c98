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
    """Draw the map as the session shows it."""
    from napari_micromap.colors import colors_of, plain
    from napari_micromap.figures.map import MapToDraw, save_map

    atlas, shown, values = session.atlas, session.map, session.colors_from
    assert shown is not None
    coloring = plain(len(atlas)) if values is None else colors_of(values)
    samples = None if atlas.samples is None else int(atlas.samples.nunique())
    synthetic = session.color_by in atlas.synthetic
    save_map(path, MapToDraw(shown.positions, coloring, shown.title, samples, synthetic))
