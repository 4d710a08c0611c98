"""JEOL: a .txt file beside the picture, with lines "$CM_…" and "$$SM_…"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_micromap.microscopy.header import METERS, Written, iso_date, number, pixel_size, positive, text
from napari_micromap.microscopy.sidecars import beside

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile

_LINE = re.compile(r"^\$+(?P<key>(?:CM|SM)_\w+)\s+(?P<value>.*\S)\s*$", re.MULTILINE)
_LENGTH = re.compile(r"^\s*(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>nm|um|µm|μm|mm)\s*$", re.IGNORECASE)


def read_jeol(file: PictureFile, page: int) -> Written | None:
    """Read the lines; how many "$" stand before a key differs between instruments."""
    for found in beside(file.path, ".txt"):
        entries = {m["key"].upper(): m["value"] for m in _LINE.finditer(found)}
        if "CM_FORMAT" in entries or "CM_MAG" in entries:
            return _written(entries, file.size(page)[0])
    return None


def _written(entries: dict[str, str], height: int) -> Written:
    um, um_origin = _um_per_px(entries)
    rows, rows_origin = _bar_rows(entries, height)
    day, time = entries.get("CM_DATE", ""), entries.get("CM_TIME", "")
    days = ("%Y/%m/%d", "%m/%d/%Y", "%Y-%m-%d")
    return Written(
        um_per_px=um,
        bar_rows=rows,
        magnification=positive(entries.get("CM_MAG")),
        detector=text(entries.get("CM_SIGNAL") or entries.get("CM_SIGNAL_NAME")),
        kv=positive(entries.get("CM_ACCEL_VOLT") or entries.get("CM_ACCEL_VOLTAGE")),
        working_distance_mm=positive(entries.get("SM_WD")),
        date=iso_date(f"{day} {time}", *(f"{d} %H:%M:%S" for d in days)) or iso_date(day, *days),
        instrument=text(entries.get("CM_INSTRUMENT")),
        vendor="JEOL",
        origins={name: origin for name, origin in (("um_per_px", um_origin), ("bar_rows", rows_origin)) if origin},
    )


def _um_per_px(entries: dict[str, str]) -> tuple[float | None, str]:
    told = _length_um(entries.get("CM_PIXEL_SIZE"))
    if told is not None and pixel_size(told) is not None:
        return told, "$CM_PIXEL_SIZE"
    marker, bar = _length_um(entries.get("SM_MICRON_MARKER")), positive(entries.get("SM_MICRON_BAR"))
    um = pixel_size(marker / bar) if marker is not None and bar is not None else None
    return um, "$$SM_MICRON_MARKER / $$SM_MICRON_BAR" if um is not None else ""


def _length_um(value: str | None) -> float | None:
    matched = _LENGTH.match(value or "")
    return positive(matched["value"], METERS[matched["unit"].lower()] * 1e6) if matched else None


def _bar_rows(entries: dict[str, str], height: int) -> tuple[int | None, str]:
    told = number(entries.get("SM_PNU_HEIGHT"))
    if told is not None and 0 <= told < height / 2:
        return int(told), "$SM_PNU_HEIGHT"
    sides = entries.get("CM_FULL_SIZE", "").split()
    scanned = number(sides[1]) if len(sides) == 2 else None
    if scanned is not None and height / 2 <= scanned <= height:
        return height - int(scanned), "$CM_FULL_SIZE"
    return None, ""
