"""Tiles read finer where they are looked at."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer

from napari_micromap.montage import Arrangement, Filled, Want, fill
from napari_micromap.session import Session
from napari_micromap.views.gallery.page import Page
from napari_micromap.work import Progress

_REST = 150  # ms without zoom or pan before the tiles in sight are read anew


class Sharpening:
    """Reads the tiles in sight as finely as the screen shows them, once the view rests.

    Parameters
    ----------
    session : Session
        Whose work it is.
    page : Page
        What is looked at.
    take : callable
        Shows what was read.
    """

    def __init__(self, session: Session, page: Page, take: Callable[[Filled], None]) -> None:
        self._session, self._page, self._take = session, page, take
        self._awake = False
        self._coming: dict[int, float] = {}  # tiles that are being read, and how finely
        self._resting = QTimer()
        self._resting.setSingleShot(True)
        self._resting.setInterval(_REST)
        self._resting.timeout.connect(self._sharpen)

    def wake(self) -> None:
        """Look at the page that stands there from now on."""
        self._awake = True
        self._resting.start()

    def look(self, _: object = None) -> None:
        """Wait until zoom, pan and the canvas' size rest."""
        if self._awake:
            self._resting.start()

    def rest(self) -> None:
        """Expect nothing, and read nothing until there is a page again: what is read takes the place of other work."""
        self._awake = False
        self._coming = {}
        self._resting.stop()

    def read(self, wants: list[Want], page: Arrangement | None = None) -> None:
        """Read tiles of the page that is shown, or of one that is shown once something of it is read."""
        arrangement, session = page or self._page.arrangement, self._session
        if arrangement is None or not wants:
            return
        self._coming = dict(wants)
        session.run(
            lambda: fill(session.atlas, arrangement, wants),
            lane="gallery", done=self._on_read, progress=self._on_progress,
        )  # fmt: skip

    def _sharpen(self) -> None:
        """Bring the tiles in sight to the screen's pixels; read finer ones, then what is still missing."""
        self._page.refit()
        self._page.focus()
        montage, wants = self._page.montage, self._page.wants_in_sight()
        if montage is not None and any(self._coming.get(tile, 0.0) < fine for tile, fine in wants):
            in_sight = {tile for tile, _ in wants}
            self.read(wants + [want for want in montage.unread() if want[0] not in in_sight])

    def _on_progress(self, progress: Progress) -> None:
        if isinstance(progress.partial, Filled):
            self._take(progress.partial)

    def _on_read(self, filled: Filled) -> None:
        self._coming = {}
        self._take(filled)
