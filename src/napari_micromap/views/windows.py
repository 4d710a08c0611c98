"""The dock's own windows: lists, choices, figures; each opened by one verb."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QDialog, QWidget

from napari_micromap.session import Session
from napari_micromap.views.panels.bars import BarsWindow
from napari_micromap.views.panels.excluded import ExcludedWindow
from napari_micromap.views.panels.findings import list_details, list_unmatched, list_unreadable
from napari_micromap.views.panels.roles import RolesWindow
from napari_micromap.views.panels.scales import ScalesWindow
from napari_micromap.views.panels.share import FigureWindow, ShareWindow
from napari_micromap.views.panels.storage import StorageWindow
from napari_micromap.views.panels.use_only import UseOnly


class Windows:
    """Opens windows that belong to a widget; none of them holds up the program.

    Parameters
    ----------
    parent : QWidget
        What they belong to.
    session : Session
    """

    def __init__(self, parent: QWidget, session: Session) -> None:
        self._parent, self._session = parent, session

    def use_only(self, column: str | None = None) -> UseOnly:
        """Ask what to use only."""
        window = UseOnly(self._session, column, self._parent)
        window.show()
        return window

    def bars(self) -> BarsWindow:
        """Show the data bars of a few images, to be corrected."""
        window = BarsWindow(self._session, getattr(self._parent, "make_map", None), self._parent)
        window.show()
        return window

    def scales(self) -> ScalesWindow:
        """Ask what burnt-in scale bars say, or which column tells the scale."""
        window = ScalesWindow(self._session, self._parent)
        window.show()
        return window

    def excluded(self) -> None:
        """List what is excluded."""
        _show(ExcludedWindow(self._session, self._parent))

    def roles(self) -> None:
        """Show what the columns are about."""
        _show(RolesWindow(self._session, self._parent))

    def figure(self) -> None:
        """Ask what figure to save or copy."""
        _show(FigureWindow(self._session, self._parent))

    def share(self) -> None:
        """Offer the ways to hand the map to others."""
        _show(ShareWindow(self._session, self._parent))

    def storage(self, open_preferences: Callable[[], object]) -> None:
        """Show what is kept on disk, and offer to let it go."""
        _show(StorageWindow(self._session, open_preferences, self._parent))

    def details(self, details: str) -> None:
        """Show the traceback of a fault."""
        _show(list_details(details, self._parent))

    def unreadable(self) -> None:
        """List the files that could not be read."""
        _show(list_unreadable(self._session.atlas, self._parent))

    def unmatched(self) -> None:
        """List what of the last table matched, and what did not."""
        if self._session.tables.joined is not None:
            _show(list_unmatched(self._session.atlas, self._session.tables.joined, self._parent))


def _show(window: QDialog) -> None:
    window.show()
