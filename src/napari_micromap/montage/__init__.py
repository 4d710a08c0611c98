"""Selected micrographs, arranged and composed as one picture."""

from napari_micromap.montage.arrangement import FRAME, GUTTER, LABEL, TILE, Arrangement, arrange, typical_first
from napari_micromap.montage.captions import captions
from napari_micromap.montage.composing import Montage
from napari_micromap.montage.filling import PER_PAGE, Filled, Want, compose_page, fill
from napari_micromap.montage.tiles import TilePixels

__all__ = [
    "FRAME",
    "GUTTER",
    "LABEL",
    "PER_PAGE",
    "TILE",
    "Arrangement",
    "Filled",
    "Montage",
    "TilePixels",
    "Want",
    "arrange",
    "captions",
    "compose_page",
    "fill",
    "typical_first",
]
