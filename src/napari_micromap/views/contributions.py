"""What the manifest names: commands, reader, sample data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import napari.viewer

    from napari_micromap.views.dock import MicromapDock

PLUGIN, TITLE = "napari-micromap", "Microstructure map"

LayerData: TypeAlias = tuple[Any, ...]


def open_dock(viewer: napari.viewer.Viewer) -> MicromapDock:
    """Return the viewer's dock; it is opened, or brought to the front, if need be."""
    window, dock = viewer.window.add_plugin_dock_widget(PLUGIN, TITLE)
    window.show()
    window.raise_()
    shown: MicromapDock = dock
    return shown


def open_folder_as_map() -> None:
    """Ask for a folder and open it as a map (File menu)."""
    if (viewer := _current_viewer()) is not None:
        open_dock(viewer).wishes.ask_folder()


def map_selected_layers() -> None:
    """Map the selected image layers (Layers ▸ Visualize)."""
    if (viewer := _current_viewer()) is not None:
        open_dock(viewer).wishes.use_selected_layers()


def session_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Return a reader for the entry file of a saved map, and for nothing else."""
    name = path if isinstance(path, str) else path[0] if len(path) == 1 else ""
    return _read_session if Path(name).name == "open.micromap" else None


def films() -> list[LayerData]:
    """Draw some synthetic films, one stack of pictures."""
    import numpy as np

    from napari_micromap.sources.films import Films
    from napari_micromap.work import finish

    atlas = finish(Films(films=12, images=2)())
    stack = np.stack([micrograph.specimen() for micrograph in atlas])
    um_per_px = float(atlas.columns["um_per_px"].to_numpy(float)[0])
    limits = [int(limit) for limit in np.percentile(stack[:, ::4, ::4], (0.5, 99.5))]
    looks = {
        "name": "Synthetic films",
        "scale": (1.0, um_per_px, um_per_px),
        "contrast_limits": limits,
        "metadata": {"synthetic": True, "films": atlas.columns["film"].tolist()},
    }
    return [(stack, looks, "image")]


def _read_session(path: str | Sequence[str]) -> list[LayerData]:
    name = path if isinstance(path, str) else path[0]
    if (viewer := _current_viewer()) is not None:
        open_dock(viewer).wishes.open_path(Path(name))
    return [(None,)]  # napari's way to say: read, and no layer comes of it


def _current_viewer() -> napari.viewer.Viewer | None:
    import napari

    return napari.current_viewer()
