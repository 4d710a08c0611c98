"""A map handed to others: figures, a page, a zip, a table, a paragraph, a script."""

from napari_micromap.sharing.bundle import save_bundle
from napari_micromap.sharing.csv import save_csv
from napari_micromap.sharing.methods import methods_of
from napari_micromap.sharing.page import Page, page_of, save_page
from napari_micromap.sharing.pictures import gallery_of, map_of, save_figure_of
from napari_micromap.sharing.script import script_of
from napari_micromap.sharing.snapshot import Snapshot

__all__ = [
    "Page",
    "Snapshot",
    "gallery_of",
    "map_of",
    "methods_of",
    "page_of",
    "save_bundle",
    "save_csv",
    "save_figure_of",
    "save_page",
    "script_of",
]
