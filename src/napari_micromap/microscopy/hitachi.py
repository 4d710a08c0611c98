"""Hitachi: a .txt file beside the picture, with a section [SemImageFile]."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_micromap.microscopy.header import Written, iso_date, pixel_size, positive, text
from napari_micromap.microscopy.sidecars import beside, sections_of

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile

SECTION = "semimagefile"
PRINT_WIDTH_UM = 127_000.0  # magnification refers to a print 127 mm wide
_LEADING_NUMBER = re.compile(r"\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")


def read_hitachi(file: PictureFile, page: int) -> Written | None:
    """Read the section; its bar is drawn into the pixels, and its rows are not told."""
    for found in beside(file.path, ".txt"):
        entries = sections_of(found).get(SECTION)
        if entries is not None:
            return _written(entries, file.size(page)[1])
    return None


def _written(entries: dict[str, str], width: int) -> Written:
    um, origin = pixel_size(positive(_leading(entries.get("pixelsize")), 1e-3)), "[SemImageFile] PixelSize"
    magnification = positive(_leading(entries.get("magnification")))
    if um is None and magnification is not None:
        um, origin = pixel_size(PRINT_WIDTH_UM / (magnification * width)), "[SemImageFile] Magnification"
    day, time = entries.get("date", ""), entries.get("time", "")
    days = ("%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y")
    return Written(
        um_per_px=um,
        magnification=magnification,
        detector=text(entries.get("signalname")),
        kv=positive(_leading(entries.get("acceleratingvoltage")), 1e-3),
        working_distance_mm=positive(_leading(entries.get("workingdistance")), 1e-3),
        date=iso_date(f"{day} {time}", *(f"{d} %H:%M:%S" for d in days)) or iso_date(day, *days),
        instrument=text(entries.get("instructname") or entries.get("instrumentname")),
        vendor="Hitachi",
        origins={"um_per_px": origin} if um is not None else {},
    )


def _leading(value: str | None) -> str | None:
    """Take the number off "5000 Volt", "4500 um"."""
    matched = _LEADING_NUMBER.match(value or "")
    return matched[1] if matched else None
