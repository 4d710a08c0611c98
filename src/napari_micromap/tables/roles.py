"""What a column of a user's table is about, guessed."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from napari_micromap.atlas import Role

# Words of a column's name; the first line that fits wins. A unit or an element alone is no word.
# fmt: off
_WORDS: tuple[tuple[Role, frozenset[str]], ...] = (
    ("sample", frozenset({
        "sample", "samples", "film", "specimen", "probe", "coupon", "wafer", "tape", "sampleid", "filmid", "specimenid",
    })),
    ("batch", frozenset({
        "batch", "lot", "run", "series", "source", "paper", "campaign", "session", "charge", "experiment", "group",
        "operator",
    })),
    ("imaging", frozenset({
        "detector", "magnification", "mag", "kv", "voltage", "wd", "pixelsize", "um_per_px", "nm_per_px", "instrument",
        "microscope", "vendor", "dwell", "hfw", "fov", "fieldwidth", "brightness", "contrast", "date", "acquired",
        "stage", "tilt",
    })),
    ("property", frozenset({
        "jc", "ic", "tc", "hardness", "hv", "hrc", "strength", "modulus", "yield", "elongation", "ductility",
        "toughness", "density", "conductivity", "resistivity", "resistance", "porosity", "roughness", "fraction",
        "efficiency", "lifetime", "energy", "loss", "gap", "friction", "wear", "class", "label", "phase",
        "constituent", "microconstituent", "grade", "quality", "rating", "defect",
    })),
    ("processing", frozenset({
        "temperature", "temp", "anneal", "annealed", "annealing", "time", "duration", "pressure", "ramp", "rate",
        "speed", "dose", "filler", "wt", "mol", "vol", "percent", "composition", "content", "atmosphere", "gas",
        "flow", "cool", "cooling", "quench", "treatment", "treated", "surface", "coating", "thickness", "power",
        "current", "cycles", "cycle", "route", "process", "step", "solvent", "precursor", "additive", "doping",
    })),
)
_NAMING = frozenset({
    "sample", "film", "specimen", "probe", "file", "image", "name", "id", "no", "nr", "number", "nummer", "index",
    "path", "folder", "directory", "layer", "slice", "stem", "micrograph", "picture", "wafer", "coupon", "tape",
    "frame", "page", "key", "datei", "bild", "ordner",
})
# fmt: on
_NUMBERING = frozenset({"id", "no", "nr", "nummer", "index", "lfd", "row", "line", "zeile"})


def words_of(name: str) -> list[str]:
    """Cut a column's name into lower-case words: ``AnnealTime_min`` into anneal, time, min."""
    apart = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", apart.casefold()) if word]


def names_something(column: str) -> bool:
    """Say whether a column's name tells that it names samples or files: "film", "Sample no.", "filename"."""
    long_ones = tuple(word for word in _NAMING if len(word) > 3)
    return " + " in column or any(word in _NAMING or word.startswith(long_ones) for word in words_of(column))


def guess_role(name: str, column: pd.Series[Any]) -> Role:
    """Guess what a column is about from its name, else from its values: measured numbers are a property."""
    words = words_of(name.removesuffix(" (table)"))  # which parts it from what headers say
    said = {*words, "".join(words), "_".join(words)}
    for role, known in _WORDS:
        if not known.isdisjoint(said):
            return role
    if pd.api.types.is_float_dtype(column) and column.notna().any() and not _only_counts_on(words, column):
        return "property"
    return "other"


def _only_counts_on(words: list[str], column: pd.Series[Any]) -> bool:
    """Say whether whole numbers do no more than tell lines or samples apart; an empty cell made them floats."""
    known = column.dropna()
    if not (known % 1 == 0).all():
        return False
    running = len(known) > 4 and known.is_unique and known.max() - known.min() == len(known) - 1
    return running or not _NUMBERING.isdisjoint(words)
