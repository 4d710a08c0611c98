"""What a file says about its micrograph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from napari_micromap.microscopy.files import PictureFile


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a microscope wrote beside the pixels; None where it says nothing.

    Parameters
    ----------
    um_per_px, um_per_px_y : float or None
        Physical size of a pixel along x, and along y where that is known to differ.
    bar_rows : int or None
        Rows of the data bar at the bottom; 0 means that the header says there is none.
    date : str or None
        ISO 8601, such as "2013-04-18T18:34:00".
    origins : mapping
        Name of a field to the entry of the header that it was taken from.
    """

    um_per_px: float | None = None
    um_per_px_y: float | None = None
    bar_rows: int | None = None
    magnification: float | None = None
    detector: str | None = None
    kv: float | None = None
    working_distance_mm: float | None = None
    date: str | None = None
    instrument: str | None = None
    vendor: str | None = None
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)


@dataclass(frozen=True, kw_only=True)
class Header(Written):
    """All that is known of a page before it is decoded.

    Parameters
    ----------
    width, height : int
        Pixels, with the data bar.
    dtype : str
        Number format of the pixels as they are read.
    pages : int
        Pictures in the file.
    """

    width: int
    height: int
    dtype: str
    pages: int = 1


class Vendor(Protocol):
    """A reader of what one vendor's microscopes write: into TIFF tags, or beside the file."""

    def __call__(self, file: PictureFile, page: int) -> Written | None:
        """Return what it says about a page, or None if the file is not from this vendor."""


# ------------------------------------------------------------ values as they stand in headers

METERS = {"m": 1.0, "mm": 1e-3, "µm": 1e-6, "μm": 1e-6, "um": 1e-6, "nm": 1e-9, "pm": 1e-12, "fm": 1e-15}


def number(value: Any) -> float | None:
    """Return a finite number, or None for what is none: empty text, "notafloat", True, infinity."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def positive(value: Any, factor: float = 1.0) -> float | None:
    """Return a positive number times a factor, or None."""
    found = number(value)
    return found * factor if found is not None and found > 0 else None


def text(value: Any) -> str | None:
    """Return text without margins, or None for what is empty."""
    found = str(value).strip() if value is not None else ""
    return found or None


def iso_date(value: str, *formats: str) -> str | None:
    """Return a date in ISO 8601 by the first of the formats that fits."""
    for form in formats:
        try:
            return datetime.strptime(value.strip(), form).isoformat()
        except ValueError:
            continue
    return None


def pixel_size(um: float | None) -> float | None:
    """Return a pixel size that a microscope can have, 1 pm to 1 cm; else None."""
    return um if um is not None and 1e-6 <= um <= 1e4 else None
