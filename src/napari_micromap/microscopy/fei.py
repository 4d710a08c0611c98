"""FEI and Thermo Fisher: sections of an INI text in TIFF tags 34680 and 34682."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_micromap.microscopy.header import Written, iso_date, number, pixel_size, positive, text

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile

Sections = dict[str, dict[str, Any]]


def read_fei(file: PictureFile, page: int) -> Written | None:
    """Read the sections; those that a navigation camera leaves out stay unknown."""
    if file.tiff is None or not file.tiff.is_fei:
        return None
    found = file.tiff.fei_metadata
    sections: Sections = {name: entries for name, entries in (found or {}).items() if isinstance(entries, dict)}
    height, _ = file.size(page)
    um, origin = _um_per_px(sections)
    rows = _bar_rows(sections, height)
    origins = {"um_per_px": origin, "bar_rows": "[Image] ResolutionY" if rows is not None else ""}
    return Written(
        um_per_px=um,
        um_per_px_y=pixel_size(_micrometers(sections, ("Scan", "PixelHeight"), ("EScan", "PixelHeight"))[0]),
        bar_rows=rows,
        detector=_detector(sections),
        kv=positive(_first(sections, ("Beam", "HV"), ("EBeam", "HV"), ("IBeam", "HV")), 1e-3),
        working_distance_mm=positive(_first(sections, ("Stage", "WorkingDistance"), ("EBeam", "WD")), 1e3),
        date=_date(sections.get("User", {})),
        instrument=text(_first(sections, ("System", "SystemType"), ("System", "Type"))),
        vendor="FEI",
        origins={name: entry for name, entry in origins.items() if entry},
    )


def _first(sections: Sections, *places: tuple[str, str]) -> Any:
    """Return the first entry that is there and not empty."""
    for section, key in places:
        value = sections.get(section, {}).get(key)
        if value not in (None, ""):
            return value
    return None


def _micrometers(sections: Sections, *places: tuple[str, str]) -> tuple[float | None, str]:
    """Return the first length that is one, and where it stood."""
    for section, key in places:
        um = positive(sections.get(section, {}).get(key), 1e6)
        if um is not None:
            return um, f"[{section}] {key}"
    return None, ""


def _um_per_px(sections: Sections) -> tuple[float | None, str]:
    um, origin = _micrometers(sections, ("Scan", "PixelWidth"), ("EScan", "PixelWidth"), ("IScan", "PixelWidth"))
    columns = positive(sections.get("Image", {}).get("ResolutionX"))
    if um is None and columns is not None:
        field_width, origin = _micrometers(
            sections, ("EScan", "HorFieldsize"), ("EBeam", "HFW"), ("IScan", "HorFieldsize"), ("IBeam", "HFW")
        )
        um = field_width / columns if field_width is not None else None
        origin += " / [Image] ResolutionX"
    um = pixel_size(um)
    return um, origin if um is not None else ""


def _bar_rows(sections: Sections, height: int) -> int | None:
    """Return the rows below the scanned ones; not DatabarHeight, which can be 0 where 70 rows of bar are."""
    scanned = number(sections.get("Image", {}).get("ResolutionY"))
    if scanned is None or not height / 2 <= scanned <= height:
        return None
    return height - int(scanned)


def _detector(sections: Sections) -> str | None:
    name = text(sections.get("Detectors", {}).get("Name"))
    mode = text(sections.get(name or "", {}).get("Mode") or sections.get("Detectors", {}).get("Mode"))
    return f"{name} {mode}" if name and mode and mode != "None" else name


def _date(user: dict[str, Any]) -> str | None:
    day, time = text(user.get("Date")), text(user.get("Time"))
    if day is None:
        return None
    days = ("%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d")
    times = ("%I:%M:%S %p", "%H:%M:%S")
    with_time = iso_date(f"{day} {time}", *(f"{a} {b}" for a in days for b in times)) if time else None
    return with_time or iso_date(day, *days)
