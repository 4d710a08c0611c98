"""Images cut into windows, and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_micromap.atlas import Atlas
from napari_micromap.problems import Problem
from napari_micromap.sources.windows import Cut, Windows
from napari_micromap.work import Work

if TYPE_CHECKING:
    from napari_micromap.session.model import Session
    from napari_micromap.sources import Source


class CutWindows:
    """Cuts the open micrographs into windows, each a micrograph of its own; work in the lane *build*."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cut: tuple[NDArray[np.int32] | None, Cut] | None = (
            None  # which windows, and how: others may be opened afterwards
        )
        self._wholes: tuple[Atlas, Source | None] | None = None  # what the open windows were cut from

    @property
    def cut_by(self) -> Cut | None:
        """How the open windows were cut, if that is known; None for whole images."""
        source, windows = self._session.source, self._session.atlas.windows
        if windows is None:
            return None
        if isinstance(source, Windows):
            return source.cut
        return self._cut[1] if self._cut is not None and self._cut[0] is windows else None

    def cut(self, cut: Cut | None = None) -> None:
        """Cut the open images into windows; what was said of an image is said of each.

        Named selections, tests and the map are of the images, and go; :meth:`uncut` brings the images back.
        """
        session, wanted = self._session, cut or Cut()

        def done(built: tuple[tuple[Atlas, Source | None], Atlas]) -> None:
            wholes, atlas = built
            color, (_, source) = session.color_by, wholes
            self._cut = atlas.windows, wanted
            session.start_anew(atlas, None if source is None else Windows(source, wanted))
            self._wholes = wholes
            if color in atlas.columns:
                session.color_by = color

        session.build(lambda: self._cutting(wanted), done)

    def _cutting(self, cut: Cut) -> Work[tuple[tuple[Atlas, Source | None], Atlas]]:
        wholes = self._session.atlas, self._session.source
        if self._wholes is not None and self._session.atlas.windows is not None:
            wholes = self._wholes
        return wholes, (yield from cut(wholes[0]))

    def uncut(self) -> None:
        """Open the whole images again that windows were cut from."""
        source = self._session.source
        if self._wholes is not None:
            self._session.start_anew(*self._wholes)
        elif isinstance(source, Windows):
            self._session.open(source.of)
        else:
            raise Problem("The whole images are not known any more; open their folder again.")

    def forget(self) -> None:
        """Start anew, with nothing to put together."""
        self._wholes = None
