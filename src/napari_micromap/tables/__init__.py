"""Tables as users bring them, read and joined."""

from napari_micromap.tables.joining import join, without_table
from napari_micromap.tables.matching import Match, best_match, matches
from napari_micromap.tables.names import (
    guess_sample,
    name_pieces,
    sample_candidates,
    with_guessed_sample,
    with_sample,
)
from napari_micromap.tables.preview import TablePreview, Wanted, preview_table
from napari_micromap.tables.reading import read_table
from napari_micromap.tables.several import Several
from napari_micromap.tables.telling import telling_column

__all__ = [
    "Match",
    "Several",
    "TablePreview",
    "Wanted",
    "best_match",
    "guess_sample",
    "join",
    "matches",
    "name_pieces",
    "preview_table",
    "read_table",
    "sample_candidates",
    "telling_column",
    "with_guessed_sample",
    "with_sample",
    "without_table",
]
