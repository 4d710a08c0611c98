"""Tescan: an INI text in TIFF tag 50431, or in a .hdr file beside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_micromap.microscopy.header import Written, iso_date, number, pixel_size, positive, text
from napari_micromap.microscopy.sidecars import beside, sections_of

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile

TAG = 50431
KNOWN_KEY = "pixelsizex"


def read_tescan(file: PictureFile, page: int) -> Written | None:
    """Read the entries; the block in the tag has no section headers, so sections do not matter."""
    entries, origin = _entries(file)
    if KNOWN_KEY not in entries:
        return None
    um = pixel_size(positive(entries.get(KNOWN_KEY), 1e6))
    strip = number(entries.get("imagestripsize"))
    height, _ = file.size(page)
    day, time = entries.get("date", ""), entries.get("time", "")
    days = ("%Y-%m-%d", "%d.%m.%Y")
    rows = int(strip) if strip is not None and 0 <= strip < height / 2 else None
    return Written(
        um_per_px=um,
        um_per_px_y=pixel_size(positive(entries.get("pixelsizey"), 1e6)),
        bar_rows=rows,
        magnification=positive(entries.get("magnification")),
        detector=text(entries.get("detector") or entries.get("detector0")),
        kv=positive(entries.get("hv"), 1e-3),
        working_distance_mm=positive(entries.get("wd"), 1e3),
        date=iso_date(f"{day} {time}", *(f"{d} %H:%M:%S" for d in days)) or iso_date(day, *days),
        instrument=text(entries.get("device")),
        vendor="Tescan",
        origins={
            name: f"{origin} {key}"
            for name, key, value in (("um_per_px", "PixelSizeX", um), ("bar_rows", "ImageStripSize", rows))
            if value is not None
        },
    )


def _entries(file: PictureFile) -> tuple[dict[str, str], str]:
    tag = file.tiff.pages[0].tags.get(TAG) if file.tiff is not None else None
    if tag is not None:
        raw = bytes(tag.value) if not isinstance(tag.value, str) else tag.value.encode("latin-1", "replace")
        return _flat(raw.decode("latin-1").replace("\0", "\n")), "Tescan tag"
    for found in beside(file.path, ".hdr", "-tif.hdr", "-png.hdr", "-jpg.hdr", "-bmp.hdr"):
        return _flat(found), "Tescan .hdr"
    return {}, ""


def _flat(found: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for entries in sections_of(found).values():
        for key, value in entries.items():
            # the binary prefix of the tag sticks to the first key
            flat.setdefault(KNOWN_KEY if key.endswith(KNOWN_KEY) else key, value)
    return flat
