"""Phenom and newer FEI: an XML text in TIFF tag 34683."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from napari_micromap.microscopy.header import METERS, Written, number, pixel_size, positive, text

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile

TAG = 34683


def read_phenom(file: PictureFile, page: int) -> Written | None:
    """Read the elements, wherever in the tree they stand."""
    tag = file.tiff.pages[0].tags.get(TAG) if file.tiff is not None else None
    raw = tag.value if tag is not None else None
    written = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw or "")
    if "FeiImage" not in written or "<!DOCTYPE" in written:  # entities could grow without bound
        return None
    try:
        root = ElementTree.fromstring(written.strip("\0 \n"))
    except ElementTree.ParseError:
        return None
    um, um_y = (_um(root.find(f".//{name}")) for name in ("pixelWidth", "pixelHeight"))
    height, _ = file.size(page)
    told = number(_of(root, "databarHeight"))
    rows = int(told) if told is not None and 0 <= told < height / 2 else None
    found = {"um_per_px": ("pixelWidth", um), "bar_rows": ("databarHeight", rows)}
    distance = _um(root.find(".//workingDistance"))
    return Written(
        um_per_px=um,
        um_per_px_y=um_y,
        bar_rows=rows,
        magnification=positive(_of(root, "magnification")),
        detector=text(_of(root, "detector")),
        kv=_kv(root),
        working_distance_mm=distance * 1e-3 if distance is not None else None,
        date=text(_of(root, "time") or _of(root, "acquisitionTime")),
        instrument=text(_of(root, "instrument/type") or _of(root, "softwareName")),
        vendor="Phenom",
        origins={name: f"<{element}>" for name, (element, value) in found.items() if value is not None},
    )


def _of(root: ElementTree.Element, name: str) -> str | None:
    return root.findtext(f".//{name}")


def _um(element: ElementTree.Element | None) -> float | None:
    """Return a length in µm; its unit stands beside it, µm if not."""
    if element is None:
        return None
    factor = METERS.get(element.get("unit", "um").strip(), 1e-6) * 1e6
    value = positive(element.text, factor)
    return pixel_size(value) if value is not None and element.tag.startswith("pixel") else value


def _kv(root: ElementTree.Element) -> float | None:
    element = root.find(".//highVoltage")
    if element is None:
        return None
    volts = abs(number(element.text) or 0.0)
    return positive(volts, 1.0 if element.get("unit", "V").strip().lower() == "kv" else 1e-3)
