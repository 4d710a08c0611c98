"""Docks below the viewer, high enough to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

if TYPE_CHECKING:
    import napari.viewer

_HEIGHT, _SHARE = 300, 0.36  # logical pixels, but no more than this of the window


def dock_below(viewer: napari.viewer.Viewer, widget: QWidget, title: str) -> Any:
    """Put a widget into a dock below the viewer, and return the dock; those on the right keep their height."""
    window = viewer.window._qt_window
    # Else what stands beside the viewer would shrink, and its buttons move, just as one of them is clicked.
    window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
    dock = viewer.window.add_dock_widget(widget, name=title, area="bottom", tabify=True)
    window.resizeDocks([dock], [min(_HEIGHT, round(_SHARE * window.height()))], Qt.Orientation.Vertical)
    return dock
