"""Zeiss SmartSEM: named entries in TIFF tag 34118."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from napari_micromap.microscopy.header import METERS, Written, iso_date, pixel_size, positive, text

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile

REFERENCE_WIDTH = 1024  # the unnamed entry gives the pixel size as if the picture were that wide


def read_zeiss(file: PictureFile, page: int) -> Written | None:
    """Read the entries; the rows of the data bar are not among them."""
    if file.tiff is None or not file.tiff.is_sem:
        return None
    entries: dict[str, Any] = file.tiff.sem_metadata or {}
    _, width = file.size(page)
    um, origin = _um_per_px(entries, width)
    return Written(
        um_per_px=um,
        magnification=_magnification(entries),
        detector=_text(entries, "dp_detector_type", "dp_detector_channel"),
        kv=positive(_quantity(entries, "ap_actualkv", {"kV": 1.0, "V": 1e-3})),
        working_distance_mm=positive(_quantity(entries, "ap_wd", METERS), 1e3),
        date=_date(entries),
        instrument=_text(entries, "dp_sem", "sv_serial_number"),
        vendor="Zeiss",
        origins={"um_per_px": origin} if origin else {},
    )


def _um_per_px(entries: dict[str, Any], width: int) -> tuple[float | None, str]:
    """Not from AP_PIXEL_SIZE, which is off by 2 on pictures that are 2048 or 512 pixels wide."""
    unnamed = entries.get("")
    if isinstance(unnamed, tuple) and len(unnamed) > 3:
        um = pixel_size(positive(unnamed[3], 1e6 * REFERENCE_WIDTH / width))
        if um is not None:
            return um, "CZ_SEM, fourth number"
    um = pixel_size(positive(_quantity(entries, "ap_width", METERS), 1e6 / width))
    return um, "AP_WIDTH" if um is not None else ""


def _quantity(entries: dict[str, Any], key: str, units: dict[str, float]) -> float | None:
    """Return ("Width", 114.3, "µm") in the base of the units."""
    entry = entries.get(key)
    if not isinstance(entry, tuple) or len(entry) < 3:
        return None
    factor = units.get(str(entry[2]).strip().lstrip("Â"))
    return positive(entry[1], factor) if factor is not None else None


def _magnification(entries: dict[str, Any]) -> float | None:
    """Return 1000 for ("Mag", "1.00 K X")."""
    entry = entries.get("ap_mag")
    if not isinstance(entry, tuple):
        return None
    said = " ".join(str(part) for part in entry[1:])
    match = re.match(r"\s*([\d.]+)\s*([KM]?)\s*X", said, re.IGNORECASE)
    return positive(match[1], {"": 1.0, "K": 1e3, "M": 1e6}[match[2].upper()]) if match else None


def _text(entries: dict[str, Any], *keys: str) -> str | None:
    for key in keys:
        entry = entries.get(key)
        found = text(entry[1]) if isinstance(entry, tuple) and len(entry) > 1 else None
        if found:
            return found
    return None


def _date(entries: dict[str, Any]) -> str | None:
    day, time = _text(entries, "ap_date"), _text(entries, "ap_time")
    if day is None:
        return None
    days = ("%d %b %Y", "%d-%b-%Y", "%d %B %Y")
    return (iso_date(f"{day} {time}", *(f"{form} %H:%M:%S" for form in days)) if time else None) or iso_date(day, *days)
