"""The gallery, what lies over its images, and the buttons below the map that turn its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtGui import QCursor

from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.gallery.view import TileScale
from napari_micromap.views.listening import listen
from napari_micromap.views.menus import Menus
from napari_micromap.views.panels.selected import SelectedPanel
from napari_micromap.views.where import WhereOverlay
from napari_micromap.views.window_outlines import WindowOutlines

if TYPE_CHECKING:
    import napari.viewer


class Viewing:
    """Links buttons and gallery in both directions, and keeps overlays over what is shown.

    Parameters
    ----------
    owner : QObject
        The dock, which all of this ends with.
    tell : callable
        Shows a sentence.
    """

    def __init__(
        self,
        owner: QObject,
        viewer: napari.viewer.Viewer,
        session: Session,
        gallery: Gallery,
        selected: SelectedPanel,
        menus: Menus,
        tell: Callable[[str], None],
    ) -> None:
        self._session, self._gallery, self._selected, self._tell = session, gallery, selected, tell
        self._where = WhereOverlay(owner, viewer, session.where)
        self._windows = WindowOutlines(owner, viewer, session)
        selected.gallery_wanted.connect(lambda: gallery.show())
        selected.back_wanted.connect(gallery.back)
        selected.close_wanted.connect(gallery.close)
        selected.next_wanted.connect(gallery.next_page)
        selected.previous_wanted.connect(gallery.previous_page)
        selected.where_wanted.connect(self._on_where)
        selected.tile_scale_wanted.connect(self._on_tile_scale)
        listen(owner, gallery.changed, self._on_gallery)
        listen(owner, gallery.clicks.menu_wished, lambda rows: menus.show_at(rows, QCursor.pos()))
        listen(owner, gallery.clicks.exclude_wished, lambda rows: menus.ask_reason_at(rows, QCursor.pos()))

    # ------------------------------------------------------------------ show

    def _on_gallery(self) -> None:
        gallery, current = self._gallery, self._session.current
        self._windows.lie_over(gallery.opened_layer, current)
        self._selected.show_gallery(gallery.mode, gallery.page, gallery.pages, gallery.can_go_back)
        self._selected.show_tile_scale(gallery.tile_scale)
        if gallery.mode == "gallery" and gallery.layers:
            self._where.lie_over(gallery.layers[0], page=gallery.arrangement)
        else:
            self._where.lie_over(gallery.opened_layer, current)

    # ------------------------------------------------------------------ ask

    def _on_tile_scale(self, wanted: TileScale) -> None:
        self._gallery.tile_scale = wanted

    def _on_where(self) -> None:
        session, shown = self._session, self._gallery.arrangement
        if session.where.wished is not None:
            session.where.hide()
            return
        answers = session.questions.answers
        tested = session.color_by if session.color_by in answers else next(iter(answers), None)
        opened = [] if self._where.row is None else [self._where.row]
        rows = shown.rows.tolist() if self._gallery.mode == "gallery" and shown is not None else opened
        try:
            if rows:
                session.where.show(rows, tested or session.color_by or "the property")
        except Problem as problem:
            self._tell(str(problem))
