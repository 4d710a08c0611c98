"""What a user has open: one evented model, its selection, and how its work is run."""

from napari_micromap.session.maps import Map
from napari_micromap.session.model import Session
from napari_micromap.session.selection import Mode, Selection

__all__ = ["Map", "Mode", "Selection", "Session"]
