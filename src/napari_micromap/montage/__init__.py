"""Selected micrographs, arranged and composed as one picture."""

from napari_micromap.montage.arrangement import FRAME, GUTTER, LABEL, TILE, Arrangement, arrange, typical_first
from napari_micromap.montage.captions import captions
from napari_micromap.montage.composing import Montage, Want
from napari_micromap.montage.filling import PER_PAGE, Filled, arrange_page, counts_on, fill, whole_page
from napari_micromap.montage.grid import Grid, grid_for
from napari_micromap.montage.scales import TileBars, only_unknown, tile_bars
from napari_micromap.montage.tiles import TilePixels

__all__ = [
    "FRAME",
    "GUTTER",
    "LABEL",
    "PER_PAGE",
    "TILE",
    "Arrangement",
    "Filled",
    "Grid",
    "Montage",
    "TileBars",
    "TilePixels",
    "Want",
    "arrange",
    "arrange_page",
    "captions",
    "counts_on",
    "fill",
    "grid_for",
    "only_unknown",
    "tile_bars",
    "typical_first",
    "whole_page",
]
