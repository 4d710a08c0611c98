"""Comparisons in a dock of their own, below the viewer, and their outlines in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_micromap.atlas import Rows
from napari_micromap.descriptors.measuring import Measuring
from napari_micromap.problems import Problem
from napari_micromap.session import Session
from napari_micromap.views.bottom import dock_below
from napari_micromap.views.controls import push, side_by_side
from napari_micromap.views.gallery import Gallery
from napari_micromap.views.listening import listen
from napari_micromap.views.looks import stylesheet
from napari_micromap.views.outlines import OutlinesOverlay
from napari_micromap.views.panels.compare import ComparePanel
from napari_micromap.views.panels.resembling import ResemblingPanel
from napari_micromap.views.tabs import Tabs

if TYPE_CHECKING:
    import napari.viewer
    from napari.utils.theme import Theme

TITLE = "Compare images"
_EXAMPLES = 6  # typical images that the buttons walk through


class Comparisons:
    """Opens the comparison, once; closing it costs nothing.

    Parameters
    ----------
    owner : QWidget
        The dock that this belongs to.
    viewer : Viewer
    session : Session
    gallery : Gallery
        Shows the micrograph that outlines are drawn on.
    tell : callable
        Shows a sentence about what cannot be done.
    """

    def __init__(
        self, owner: QWidget, viewer: napari.viewer.Viewer, session: Session, gallery: Gallery,
        tell: Callable[[str], object],
    ) -> None:  # fmt: skip
        self._viewer, self._session, self._gallery, self._tell = viewer, session, gallery, tell
        self._overlay = OutlinesOverlay(owner, viewer, session.outlines)
        self._dock: Any = None
        self.panel: ComparePanel | None = None
        self.lists: ResemblingPanel | None = None
        self.tabs: Tabs | None = None
        self.buttons = QWidget()
        self.compare = push("Compare…", self.ask, "What differs: this selection and the rest, or two that have names")
        self.resembling = push(
            "Typical, alike…", lambda: self.show(1), "Typical images, twins that differ, duplicates, odd ones"
        )
        self.buttons.setLayout(side_by_side(self.compare, self.resembling, 1))
        listen(owner, gallery.changed, self._on_gallery)

    def show(self, page: int = 0) -> ComparePanel:
        """Open the dock, or bring it to the front."""
        if self.panel is None or self.tabs is None:
            self.panel = panel = ComparePanel(self._session, self._tell)
            self.lists = ResemblingPanel(self._session, self._tell)
            self.tabs = Tabs((
                ("Differences", panel, "What differs, the largest effect first"),
                ("Typical, alike, unlike", self.lists, "Images that stand for something"),
            ))  # fmt: skip
            panel.outline_wanted.connect(self._on_outline)
            panel.example_wanted.connect(self._on_example)
            panel.where_wanted.connect(self._on_where)
            self.tabs.destroyed.connect(self._on_destroyed)
            self._dock = dock_below(self._viewer, self.tabs, TITLE)
            self.show_theme()
        self.tabs.show_page(page)
        if page == 1 and self.lists is not None:
            self.lists.fill()
        self._dock.show()
        self._dock.raise_()
        return self.panel

    def ask(self) -> None:
        """Open the dock, and compare what is selected with the rest."""
        panel = self.show()
        if len(self._session.selection):
            panel.ask()

    def show_theme(self, theme: Theme | None = None) -> None:
        """Look as napari does."""
        from napari.utils.theme import get_theme

        if self.tabs is not None:
            self.tabs.setStyleSheet(stylesheet(theme or get_theme(self._viewer.theme)))

    def show_idle(self) -> None:
        """Show that nothing is compared, also where that failed."""
        if self.panel is not None:
            self.panel.show_progress(None)

    def close(self) -> None:
        """Take the dock out of the window, and the outlines off the image."""
        self._session.outlines.hide()
        if self.tabs is not None:
            self._viewer.window.remove_dock_widget(self.tabs)
            self.tabs.deleteLater()
            self._on_destroyed()

    # ------------------------------------------------------------------ within

    def _on_gallery(self) -> None:
        self._overlay.lie_over(self._gallery.opened_layer, self._session.current)

    def _on_outline(self, quantity: str, measuring: Measuring) -> None:
        """Draw on the micrograph that is opened, or open one."""
        outlines, comparison = self._session.outlines, self._session.groups.comparison
        outlines.show(quantity, measuring)
        if self._gallery.mode != "opened" and comparison is not None:
            self._open(self._examples(comparison.a.rows)[0])

    def _on_where(self) -> None:
        """Look into what is shown; where nothing is, open a typical image."""
        comparison = self._session.groups.comparison
        if comparison is None:
            return
        if self._gallery.mode == "closed":
            self._open(self._examples(comparison.a.rows)[0])
        a, b = comparison.a, comparison.b
        self._session.where.show_apart((a.name, a.rows), (b.name, b.rows))

    def _on_example(self, rows: Rows) -> None:
        """Open the next of the typical images of a group."""
        examples = self._examples(rows)
        current = self._session.current
        place = examples.index(current) + 1 if current in examples else 0
        self._open(examples[place % len(examples)])

    def _open(self, row: int) -> None:
        self._session.open_micrograph(row)

    def _examples(self, rows: Rows) -> list[int]:
        try:
            typical: list[int] = self._session.groups.typical(rows, _EXAMPLES).tolist()
        except Problem:  # there is no map yet
            typical = []
        return typical or [int(row) for row in rows[:_EXAMPLES]]

    def _on_destroyed(self) -> None:
        self.panel = self.lists = self.tabs = self._dock = None
