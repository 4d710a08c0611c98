"""ImageJ and OME-TIFF: scales that other programs wrote, of medium trust."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from napari_micromap.microscopy.header import METERS, Written, pixel_size, positive, text

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile

_WORDS = {"micron": 1e-6, "microns": 1e-6, "micrometer": 1e-6, "\\u00b5m": 1e-6, "inch": None, "pixel": None}


def read_imagej(file: PictureFile, page: int) -> Written | None:
    """Read unit and resolution of ImageJ; without a unit of length its resolution is print dpi."""
    if file.tiff is None or not file.tiff.is_imagej:
        return None
    unit = str((file.tiff.imagej_metadata or {}).get("unit", "")).strip()
    meters = METERS.get(unit, _WORDS.get(unit.lower()))
    tags = file.tiff.pages[0].tags
    um, um_y = (_um(tags.get(name), meters) for name in ("XResolution", "YResolution"))
    origins = {"um_per_px": "ImageJ unit and XResolution"} if um is not None else {}
    return Written(um_per_px=um, um_per_px_y=um_y, vendor="ImageJ", origins=origins)


def _um(tag: object, meters: float | None) -> float | None:
    value = getattr(tag, "value", None)
    if meters is None or not isinstance(value, tuple) or len(value) != 2 or not all(value):
        return None
    return pixel_size(positive(value[1] / value[0], meters * 1e6))


def read_ome(file: PictureFile, page: int) -> Written | None:
    """Read physical sizes, objective and date of OME-XML."""
    if file.tiff is None or not file.tiff.is_ome:
        return None
    written = file.tiff.ome_metadata or ""
    if "<!DOCTYPE" in written:  # entities could grow without bound
        return None
    try:
        root = ElementTree.fromstring(written)
    except ElementTree.ParseError:
        return None
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return None
    um, um_y = (_physical(pixels, axis) for axis in "XY")
    microscope, objective = root.find(".//{*}Microscope"), root.find(".//{*}Objective")
    detector = root.find(".//{*}Detector")
    return Written(
        um_per_px=um,
        um_per_px_y=um_y,
        magnification=positive(objective.get("NominalMagnification")) if objective is not None else None,
        detector=text(detector.get("Model")) if detector is not None else None,
        date=text(root.findtext(".//{*}AcquisitionDate")),
        instrument=text(microscope.get("Model")) if microscope is not None else None,
        vendor="OME-TIFF",
        origins={"um_per_px": "OME PhysicalSizeX"} if um is not None else {},
    )


def _physical(pixels: ElementTree.Element, axis: str) -> float | None:
    meters = METERS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
    return pixel_size(positive(pixels.get(f"PhysicalSize{axis}"), meters * 1e6)) if meters is not None else None
