"""The table in a dock of its own, below the viewer; and the tables that were added."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMenu, QWidget

from napari_micromap.session import Session
from napari_micromap.views.bottom import dock_below
from napari_micromap.views.looks import stylesheet
from napari_micromap.views.table import TableDock
from napari_micromap.views.trying import trying

if TYPE_CHECKING:
    import napari.viewer
    from napari.utils.theme import Theme

TITLE = "Images and samples"


class Below:
    """Opens the table below the viewer, once; closing it costs nothing, it shows what is there when it opens again.

    Parameters
    ----------
    viewer : Viewer
    session : Session
    show_menu : callable
        Shows the menu about rows at a place on the screen.
    tell : callable
        Shows a sentence about what cannot be done.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        session: Session,
        show_menu: Callable[[Any, Any], object],
        tell: Callable[[str], object],
    ) -> None:
        self._viewer, self._session = viewer, session
        self._show_menu, self._tell = show_menu, tell
        self.table: TableDock | None = None
        self._dock: Any = None

    def show(self) -> TableDock:
        """Open the table, or bring it to the front."""
        if self.table is None:
            self.table = table = TableDock(self._session)
            table.menu_wished.connect(self._show_menu)
            table.failed.connect(self._tell)
            table.destroyed.connect(self._on_destroyed)
            self._dock = dock_below(self._viewer, table, TITLE)
            self.show_theme()
        self._dock.show()
        self._dock.raise_()
        return self.table

    def show_theme(self, theme: Theme | None = None) -> None:
        """Look as napari does."""
        from napari.utils.theme import get_theme

        if self.table is not None:
            self.table.setStyleSheet(stylesheet(theme or get_theme(self._viewer.theme)))

    def close(self) -> None:
        """Take the table out of the window."""
        if self.table is not None:
            self._viewer.window.remove_dock_widget(self.table)
            self.table.deleteLater()
            self._on_destroyed()

    def _on_destroyed(self) -> None:
        self.table = self._dock = None


class AddedTables(QMenu):
    """Tables that were added: read again after an edit, or taken away."""

    def __init__(self, session: Session, tell: Callable[[str], object], parent: QWidget) -> None:
        super().__init__("Added tables", parent)
        self._session, self._try = session, trying(tell)
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List what there is now."""
        self.clear()
        for origin in dict.fromkeys(self._session.atlas.tables.values()):
            name = Path(origin).name
            self._add(f"Read “{name}” again", partial(self._session.tables.reload, origin), "After it was edited")
            self._add(
                f"Take “{name}” away", partial(self._session.tables.remove, origin), "Its columns go; the map stays"
            )
        if self.isEmpty():
            self.addAction("No table was added").setEnabled(False)

    def _add(self, text: str, verb: Callable[[], object], tip: str) -> None:
        action = self.addAction(text.replace("&", "&&"))
        action.setToolTip(tip)
        action.triggered.connect(lambda: self._try(verb))
