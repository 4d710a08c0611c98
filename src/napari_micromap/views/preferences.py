"""What users set in napari's Preferences."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt

from napari_micromap.backbones import BACKBONES, Backbone

if TYPE_CHECKING:
    import napari.viewer

PLUGIN = "napari-micromap"
PAGE = "Microstructure map"  # as the list of Preferences calls it
# Each has an environment variable, which scripts, the command line and the layout process obey, too.
_VARIABLES = {
    "cache_folder": "MICROMAP_CACHE", "cache_gb": "MICROMAP_CACHE_GB",
    "threads": "MICROMAP_THREADS", "device": "MICROMAP_DEVICE",
}  # fmt: skip
_OURS = "MICROMAP_FROM_PREFERENCES"  # which of them are set by this module


def follow_preferences() -> None:
    """Let the program's environment say what Preferences say, now and after each change.

    A variable that somebody set before napari started keeps its value.
    """
    general = _general()
    if general is None:
        return
    _take_over(general)
    general.events.connect(_on_change)


def _on_change(event: object = None) -> None:
    general = _general()
    if general is not None:
        _take_over(general)


def preferred_backbone() -> Backbone:
    """Return the feature extractor that is taken where nothing else is chosen."""
    name = str(getattr(_general(), "backbone", ""))
    return BACKBONES[name if name in BACKBONES else next(iter(BACKBONES))]()


def open_preferences(viewer: napari.viewer.Viewer) -> None:
    """Open napari's Preferences at the plugin's page."""
    pages = viewer.window._open_preferences_dialog()._list
    for item in pages.findItems(PAGE, Qt.MatchFlag.MatchExactly):
        pages.setCurrentItem(item)


def _general() -> Any:
    """Return the settings, or None where napari does not know of this plugin or keeps no settings of plugins."""
    try:
        from napari.settings import get_plugin_settings

        return get_plugin_settings(PLUGIN).general
    except (ImportError, KeyError, AttributeError):
        return None


def _take_over(general: Any) -> None:
    ours = set(filter(None, os.environ.get(_OURS, "").split(",")))
    for name, variable in _VARIABLES.items():
        if variable in os.environ and variable not in ours:
            continue
        value = getattr(general, name)
        if value in ("", 0):
            os.environ.pop(variable, None)
            ours.discard(variable)
        else:
            os.environ[variable] = str(value)
            ours.add(variable)
    os.environ[_OURS] = ",".join(sorted(ours))
