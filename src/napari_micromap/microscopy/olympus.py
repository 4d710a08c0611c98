"""Olympus SIS (analySIS): a binary block in TIFF tag 33560."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_micromap.microscopy.header import Written, pixel_size, positive, text

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile


def read_olympus(file: PictureFile, page: int) -> Written | None:
    """Read the block; it tells neither voltage nor data bar."""
    if file.tiff is None or not file.tiff.is_sis:
        return None
    block = file.tiff.sis_metadata or {}
    taken = block.get("datetime")
    um = pixel_size(positive(block.get("pixelsizex"), 1e6))
    return Written(
        um_per_px=um,
        um_per_px_y=pixel_size(positive(block.get("pixelsizey"), 1e6)),
        magnification=positive(block.get("magnification")),
        date=taken.isoformat() if taken is not None else None,
        instrument=text(block.get("cameraname")),
        vendor="Olympus SIS",
        origins={"um_per_px": "OlympusSIS pixelsizex"} if um is not None else {},
    )
