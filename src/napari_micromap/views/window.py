"""A viewer with the dock, for the command line."""

from __future__ import annotations

from pathlib import Path


def open_window(path: Path | None = None, demo: bool = False) -> None:
    """Open napari with the dock, and in it a path or the synthetic films; return when the window is closed.

    Parameters
    ----------
    path : Path, optional
        A folder of micrographs, one picture, or a saved map.
    demo : bool
        Open the synthetic films and make their map.
    """
    import napari

    from napari_micromap.views.contributions import open_dock

    viewer = napari.Viewer(title="Microstructure map")
    dock = open_dock(viewer)
    if path is not None:
        dock.wishes.open_path(path)
    elif demo:
        dock.wishes.try_example()
        dock.make_map()
    napari.run()
