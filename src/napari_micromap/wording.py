"""Counts and names as people say them."""

from __future__ import annotations

import os.path
import re
from typing import Any

import pandas as pd

from napari_micromap.atlas import OWN_COLUMNS, Atlas, Rows

# What the columns of headers are called in sentences.
_SPOKEN = {
    "um_per_px": "pixel size", "nm_per_px": "pixel size", "kv": "acceleration voltage", "bar_rows": "data bar",
    "working_distance_mm": "working distance", "dtype": "number format", "width": "image width",
    "height": "image height", "date": "date of imaging", "bar_side": "side of the data bar",
    "bar_from": "what tells the data bar", "annotation": "drawn onto the image",
}  # fmt: skip
_VALUE_UNITS = {"um_per_px": "µm per px", "nm_per_px": "nm per px", "kv": "kV", "working_distance_mm": "mm"}
# What they are called in lists; the others by their own names.
_TITLES = {
    "um_per_px": "Pixel size (µm)", "kv": "Voltage (kV)", "working_distance_mm": "Working distance (mm)",
    "width": "Width (px)", "height": "Height (px)", "dtype": "Number format", "bar_rows": "Data bar (px)",
    "bar_side": "Side of the data bar", "bar_from": "Data bar told by", "scale_from": "Scale told by",
    "annotation": "Drawn onto the image",
}  # fmt: skip
_IN_BRACKETS = re.compile(r"^(?P<quantity>.*?)\s*[(\[](?P<unit>[^()\[\],]{1,16})[)\]]\s*$")  # conditions hold commas
_TRAILING_UNITS = {
    "c": "°C", "k": "K", "hv": "HV", "hrc": "HRC", "mpa": "MPa", "gpa": "GPa", "nm": "nm", "um": "µm", "mm": "mm",
    "min": "min", "h": "h", "s": "s", "percent": "%", "pct": "%", "ev": "eV", "wt_percent": "wt %",
    "at_percent": "at %", "vol_percent": "vol %",
}  # fmt: skip


def quantity_of(column: str) -> tuple[str, str]:
    """Take quantity and unit from a column's name: ("Jc", "MA/cm²"), ("anneal temperature", "°C")."""
    column = column.removesuffix(" (table)").strip()
    if column in _SPOKEN:
        return _SPOKEN[column], _VALUE_UNITS.get(column, "")
    bracketed = _IN_BRACKETS.match(column)
    if bracketed is not None and bracketed["quantity"]:
        return bracketed["quantity"].replace("_", " "), bracketed["unit"].strip()
    parts = column.split("_")
    for count in (2, 1):
        unit = _TRAILING_UNITS.get("_".join(parts[-count:]).lower())
        if unit is not None and len(parts) > count:
            return " ".join(parts[:-count]), unit
    return column.replace("_", " "), ""


def unit_of(column: str) -> str:
    """Return the unit in brackets that a column's name ends with: "MA/cm²" of "Jc(77 K, self-field) (MA/cm²)"."""
    found = _IN_BRACKETS.match(column)
    return found["unit"].strip() if found else ""


def title_of(column: str) -> str:
    """Name a column in a list or above a legend: "Pixel size (µm)" for ``um_per_px``; a user's as the user does."""
    return _TITLES.get(column) or (column.capitalize() if column in OWN_COLUMNS else column)


def spoken_column(column: str) -> str:
    """Say a column's name within a sentence: "pixel size" for ``um_per_px``."""
    column = column.removesuffix(" (table)")
    return _SPOKEN.get(column) or quantity_of(column)[0]


def spoken_value(column: str, value: object) -> str:
    """Say a value of a column: "10 kx", "0.039 µm per px", "SE2"."""
    column = column.removesuffix(" (table)")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if column == "magnification":
        return f"{value / 1000:g} kx" if value >= 1000 else f"{value:g}x"
    unit = _VALUE_UNITS.get(column) or quantity_of(column)[1]
    return f"{value:{'.3g' if abs(value) < 1000 else ',.0f'}} {unit}".rstrip()


def listed(words: list[str], last: str = "and") -> str:
    """Write words as a list: "pixel size, detector and session"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: "1 image", "2,310 images", "12 quantities"."""
    plural = noun.removesuffix("y") + "ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def examples(values: pd.Series[Any], most: int = 3) -> str:
    """Write the first different values of a column: "F001, F002, F003 …"."""
    different = values.dropna().unique()
    said = ", ".join(str(value) for value in different[:most])
    return f"{said} …" if len(different) > most else said or "empty"


def sample_noun(atlas: Atlas) -> str:
    """Return what a sample is called here: "film" where the column is called so, else "sample".

    "Probe" is the German word for it; "probes" would be something else.
    """
    name = (atlas.sample_column or "").strip()
    plain = name.isalpha() and name.isascii() and len(name) <= 12 and not name.lower().endswith("s")
    return name.lower() if plain and name.lower() not in ("sample", "name", "id", "probe") else "sample"


def picture_noun(atlas: Atlas) -> str:
    """Return what a dot is: an image, or a window of one."""
    return "image" if atlas.windows is None else "window"


def counts_of(atlas: Atlas, rows: Rows | None = None) -> str:
    """Count images and samples: "214 images of 42 films"; ``rows`` counts only those."""
    n = len(atlas) if rows is None else len(rows)
    said = counted(n, picture_noun(atlas))
    samples = atlas.independent
    if samples is not None and n:
        known = int((samples if rows is None else samples.iloc[rows]).nunique())
        said += f" of {counted(known, sample_noun(atlas))}" if known else f" without a {sample_noun(atlas)}"
    return said


def name_of(atlas: Atlas) -> str:
    """Name a set of micrographs by the folder that all its files lie in; "Open images" for layers."""
    if atlas.synthetic:
        return "Synthetic films"
    if not any(atlas.paths.tolist()):
        return "Open images" if len(atlas) else ""
    shared = folder_of(atlas)
    return os.path.basename(shared) or shared or "Micrographs"


def folder_of(atlas: Atlas) -> str:
    """Return the folder that all files lie in; "" where there is none, as on two drives."""
    paths = [path for path in atlas.paths.tolist() if path]
    if not paths:
        return ""
    # All paths lie between the first and the last in order, so they share what these two share.
    ends = [os.path.dirname(end(paths)) for end in (min, max)]
    try:
        return str(os.path.commonpath(ends))
    except ValueError:  # two drives
        return ""
